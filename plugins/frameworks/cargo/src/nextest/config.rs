//! nextest's configuration file, as far as it says what tests rely on besides themselves. Filters are not read here: which
//! tests an override is about, nextest itself says.

use offload_plugin::types::Failure;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::{Spanned, Table, Value};

/// The profile that every other is layered on, and the one that is used unless another is named.
const DEFAULT: &str = "default";

/// Profiles that inherit from one another without end are nextest's to complain of.
const LONGEST_CHAIN: usize = 20;

/// Begins the names of the test groups that stand for numbers of threads.
const THREADS: &str = "offload-threads-";

/// How many of the threads that run tests one test needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    Count(u64),
    Cpus,
    All,
}

impl Threads {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(count) => u64::try_from(*count).ok().filter(|count| *count > 0).map(Self::Count),
            Value::String(word) if word == "num-cpus" => Some(Self::Cpus),
            Value::String(word) if word == "num-test-threads" => Some(Self::All),
            _ => None,
        }
    }

    /// A name for the test group that stands for it.
    fn group(self) -> String {
        match self {
            Self::Count(count) => format!("{THREADS}{count}"),
            Self::Cpus => format!("{THREADS}cpus"),
            Self::All => format!("{THREADS}all"),
        }
    }

    /// What a group stands for, if it is one of those.
    pub fn of_group(name: &str) -> Option<Self> {
        match name.strip_prefix(THREADS)? {
            "cpus" => Some(Self::Cpus),
            "all" => Some(Self::All),
            count => count.parse().ok().map(Self::Count),
        }
    }
}

/// The configuration with the profile that is used.
#[derive(Debug)]
pub struct Config {
    table: Table,
    profile: String,
    /// The names of set-up scripts in the order in which nextest runs them, with the tables that they stand in.
    pub(super) scripts: Vec<(&'static str, String)>,
}

impl Config {
    /// # Errors
    /// It is no TOML: nextest would have said so before.
    pub fn parse(text: &str, profile: Option<&str>) -> Result<Self, Failure> {
        let unreadable = |error: toml::de::Error| {
            Failure::new("discovery-failed", format!("nextest's configuration cannot be read: {}", error.message()))
                .with_help("correct .config/nextest.toml")
        };
        let table = text.parse::<Table>().map_err(unreadable)?;
        let order = toml::from_str::<Order>(text).map_err(unreadable)?;
        let profile = profile.filter(|name| !name.is_empty()).unwrap_or(DEFAULT).to_owned();
        Ok(Self { table, profile, scripts: order.scripts() })
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// The profile that is used and those that it is layered on, the one that counts most first.
    fn names(&self) -> Vec<String> {
        let mut names = vec![self.profile.clone()];
        while let Some(name) = names.last().filter(|name| *name != DEFAULT && names.len() < LONGEST_CHAIN) {
            let inherited = self.named(name).and_then(|profile| profile.get("inherits")).and_then(Value::as_str);
            names.push(inherited.unwrap_or(DEFAULT).to_owned());
        }
        names
    }

    fn named(&self, name: &str) -> Option<&Table> {
        self.table.get("profile")?.as_table()?.get(name)?.as_table()
    }

    fn profiles(&self) -> impl Iterator<Item = &Table> {
        self.names().into_iter().filter_map(|name| self.named(&name))
    }

    /// What the profile says for all tests.
    pub fn setting(&self, name: &str) -> Option<&Value> {
        self.profiles().find_map(|profile| profile.get(name))
    }

    fn overrides(&self, with: &str) -> impl Iterator<Item = &Table> {
        let lists = self.profiles().filter_map(|profile| profile.get("overrides")?.as_array());
        lists.flatten().filter_map(Value::as_table).filter(move |table| table.contains_key(with))
    }

    /// Whether any test may be in a test group.
    pub fn has_groups(&self) -> bool {
        self.overrides("test-group").next().is_some()
    }

    /// How many threads tests need for which no override says more.
    pub fn threads_required(&self) -> Option<Threads> {
        self.setting("threads-required").and_then(Threads::of).filter(|threads| *threads != Threads::Count(1))
    }

    /// The same configuration but for its test groups: a test is in the one that stands for the threads that an override says
    /// it needs, so that nextest tells which these are. Nothing, where no override says that.
    pub fn with_threads_as_groups(&self) -> Option<String> {
        self.overrides("threads-required").next()?;
        let mut table = self.table.clone();
        let mut groups = Table::new();
        let profiles = table.get_mut("profile").and_then(Value::as_table_mut)?;
        for profile in profiles.iter_mut().filter_map(|(_, profile)| profile.as_table_mut()) {
            let overrides = profile.get_mut("overrides").and_then(Value::as_array_mut);
            for table in overrides.into_iter().flatten().filter_map(Value::as_table_mut) {
                table.remove("test-group");
                if let Some(threads) = table.get("threads-required").and_then(Threads::of) {
                    table.insert("test-group".to_owned(), Value::String(threads.group()));
                    let group = Table::from_iter([("max-threads".to_owned(), Value::Integer(1))]);
                    groups.insert(threads.group(), Value::Table(group));
                }
            }
        }
        table.insert("test-groups".to_owned(), Value::Table(groups));
        toml::to_string(&table).ok()
    }

    /// How many tests may run at the same time, where that is said.
    pub fn test_threads(&self, cpus: u64) -> Option<u64> {
        let threads = self.setting("test-threads")?.as_integer()?;
        let most = if threads < 0 { cpus.saturating_sub(threads.unsigned_abs()) } else { threads.unsigned_abs() };
        Some(most.max(1))
    }

    /// After how many failures no further test is begun, where the file says that.
    pub fn max_failures(&self) -> Option<u32> {
        match self.setting("fail-fast")? {
            Value::Boolean(true) => Some(1),
            Value::Table(table) => u32::try_from(table.get("max-fail")?.as_integer()?).ok(),
            _ => None,
        }
    }

    /// The set-up scripts that the profile uses.
    pub fn set_up_scripts(&self) -> Vec<&str> {
        let rules = self.profiles().filter_map(|profile| profile.get("scripts")?.as_array()).flatten();
        let named: Vec<&str> = rules
            .filter_map(|rule| rule.get("setup"))
            .flat_map(|setup| match setup {
                Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
                other => other.as_str().into_iter().collect::<Vec<_>>(),
            })
            .collect();
        self.scripts.iter().map(|(_, name)| name.as_str()).filter(|name| named.contains(name)).collect()
    }

    /// Where nextest would write a JUnit report of its own.
    pub fn junit_path(&self) -> Option<&str> {
        self.profiles().find_map(|profile| profile.get("junit")?.get("path")?.as_str())
    }

    /// What offload does not do as this says, or does otherwise, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let profile = &self.profile;
        let mut remarks = Vec::new();
        if self.setting("global-timeout").is_some() {
            remarks.push(format!(
                "`global-timeout` of nextest's profile `{profile}` counts for each batch anew, not for the run"
            ));
        }
        if self.junit_path().is_some() {
            remarks.push(format!(
                "`junit.path` of nextest's profile `{profile}` is passed over: the report of this run is offload's"
            ));
        }
        let scripts = self.set_up_scripts();
        if !scripts.is_empty() {
            remarks.push(format!(
                "nextest's set-up scripts ({}) run once on this machine; in sandboxes elsewhere they run again with every batch",
                scripts.join(", ")
            ));
        }
        remarks
    }
}

/// The set-up scripts with their places in the file.
#[derive(Deserialize)]
struct Order {
    #[serde(default)]
    scripts: Scripts,
    /// Where older versions have them.
    #[serde(default)]
    script: BTreeMap<Spanned<String>, Value>,
}

#[derive(Default, Deserialize)]
struct Scripts {
    #[serde(default)]
    setup: BTreeMap<Spanned<String>, Value>,
}

impl Order {
    fn scripts(self) -> Vec<(&'static str, String)> {
        let new = self.scripts.setup.into_keys().map(|name| ("scripts.setup", name));
        let old = self.script.into_keys().map(|name| ("script", name));
        let mut scripts: Vec<_> = old.chain(new).collect();
        scripts.sort_by_key(|(_, name)| name.span().start);
        scripts.into_iter().map(|(table, name)| (table, name.into_inner())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str, profile: Option<&str>) -> Config {
        Config::parse(text, profile).expect("the configuration is good")
    }

    #[test]
    fn profiles_are_layered() {
        let text = "[profile.default]\nfail-fast = true\ntest-threads = 4\n[profile.base]\ntest-threads = -1\n\
                    [profile.ci]\ninherits = \"base\"\nthreads-required = 1\n[profile.loop]\ninherits = \"loop\"\n";
        let ci = config(text, Some("ci"));
        assert_eq!((ci.test_threads(8), ci.max_failures(), ci.threads_required()), (Some(7), Some(1), None));
        assert_eq!(ci.test_threads(1), Some(1));
        let plain = config(text, None);
        assert_eq!((plain.profile.as_str(), plain.test_threads(8)), ("default", Some(4)));
        assert_eq!(config(text, Some("loop")).test_threads(8), None);
        assert_eq!(config("", Some("ci")).max_failures(), None);
        let of = |text| config(text, None).max_failures();
        assert_eq!(of("profile.default.fail-fast = { max-fail = 3 }"), Some(3));
        assert_eq!(of("profile.default.fail-fast = { max-fail = \"all\" }"), None);
        assert_eq!(of("profile.default.fail-fast = false"), None);
    }

    #[test]
    fn what_no_override_of_the_profile_says_is_not_asked_for() {
        let text = "[[profile.ci.overrides]]\nfilter = \"all()\"\ntest-group = \"a\"\nthreads-required = 2\n";
        assert!(config(text, Some("ci")).has_groups());
        assert!(!config(text, None).has_groups());
        assert_eq!(config(text, None).with_threads_as_groups(), None);
    }

    #[test]
    fn threads_are_asked_for_as_groups() {
        let text = r#"
            [test-groups]
            a = { max-threads = 3 }
            [[profile.default.overrides]]
            filter = "test(x)"
            test-group = "a"
            [[profile.default.overrides]]
            filter = "test(y)"
            threads-required = "num-test-threads"
            [[profile.default.overrides]]
            platform = "cfg(unix)"
            threads-required = 3
            test-group = "a"
        "#;
        let text = config(text, None).with_threads_as_groups().expect("there is one");
        let table: Table = text.parse().expect("it is TOML");
        let overrides = table["profile"]["default"]["overrides"].as_array().expect("a list");
        let groups: Vec<_> = overrides.iter().map(|table| table.get("test-group").and_then(Value::as_str)).collect();
        assert_eq!(groups, [None, Some("offload-threads-all"), Some("offload-threads-3")]);
        assert_eq!(table["test-groups"].as_table().map(Table::len), Some(2));
        for threads in [Threads::All, Threads::Cpus, Threads::Count(3)] {
            assert_eq!(Threads::of_group(&threads.group()), Some(threads));
        }
        assert_eq!(Threads::of_group("a"), None);
    }

    #[test]
    fn set_up_scripts_are_those_of_the_profile_in_their_order() {
        let text = r#"
            [scripts.setup.z]
            command = "true"
            [scripts.setup.a]
            command = "true"
            [scripts.setup.unused]
            command = "true"
            [[profile.default.scripts]]
            filter = "all()"
            setup = "a"
            [[profile.ci.scripts]]
            filter = "all()"
            setup = ["z"]
        "#;
        assert_eq!(config(text, None).set_up_scripts(), ["a"]);
        assert_eq!(config(text, Some("ci")).set_up_scripts(), ["z", "a"]);
        let old = "[script.db]\ncommand = \"true\"\n[[profile.default.scripts]]\nfilter = \"all()\"\nsetup = \"db\"\n";
        assert_eq!(config(old, None).set_up_scripts(), ["db"]);
    }

    #[test]
    fn what_is_not_kept_is_said() {
        let text = "[profile.default]\nglobal-timeout = \"1h\"\njunit.path = \"j.xml\"\n";
        let remarks = config(text, None).remarks();
        assert_eq!(remarks.len(), 2, "{remarks:?}");
        assert!(remarks[0].contains("`global-timeout`") && remarks[1].contains("`junit.path`"), "{remarks:?}");
        assert!(config("", None).remarks().is_empty());
        assert!(Config::parse("[", None).is_err());
    }
}

//! From a path to a configuration.

use std::{
    collections::BTreeMap,
    env::VarError,
    fmt,
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
    sync::Arc,
};

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    check,
    copy_dir::CopyDir,
    document::Document,
    env_var::EnvVar,
    error::{ConfigError, Problem},
    pins::Pins,
    plugins::{self, PluginConfig},
    pointer,
    schema::{Config, GroupConfig, ProviderConfig, ReportConfig},
    tables::{self, FileTables, GroupTable, ProviderTable},
    variables,
};

/// Nobody writes as much by hand: a path like `/dev/zero` must not fill the memory.
const MAX_BYTES: u64 = 16 << 20;

const GROUP_EXAMPLE: &str = "add one, for example:\n\n[groups.python]\ntype = \"pytest\"\npaths = [\"tests\"]";

/// Reads a configuration file, with the variables in `[provider.env]` expanded from this process's environment.
///
/// What only a plugin understands is not checked yet; [`Config::check_provider`] and [`Config::check_group`] do that.
pub fn load_config(path: &Path) -> Result<Config, ConfigError> {
    load(path, Pins::of)
}

/// As [`load_config`], to pin its plugins anew: pins that cannot be read count for nothing.
pub fn load_unpinned_config(path: &Path) -> Result<Config, ConfigError> {
    load(path, |path| Ok(Pins::of(path).unwrap_or_else(|_| Pins::none(path))))
}

fn load(path: &Path, pins: impl FnOnce(&Path) -> Result<Pins, ConfigError>) -> Result<Config, ConfigError> {
    let absolute = std::path::absolute(path).map_err(|error| unreadable(path).caused_by(error))?;
    let root = absolute.parent().unwrap_or(&absolute);
    let document = Document::parse(&path.display().to_string(), read(path)?)?;
    // Every other path of a configuration is written in it, and therefore text.
    if root.to_str().is_none() {
        return Err(ConfigError::new(
            Problem::new(format!("the path of the project's directory, {root:?}, is not UTF-8"))
                .with_help("rename the directory: plugins and reports take paths as UTF-8 text only".to_owned()),
        ));
    }
    let config = interpret(document, root, |name| std::env::var(name))?;
    Ok(Config { pins: pins(&absolute)?, ..config })
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let shown = path.display();
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(|error| match error
        .kind()
    {
        ErrorKind::NotFound => ConfigError::new(
            Problem::new(format!("there is no configuration file at `{shown}`"))
                .with_help("`offload init` writes one; `--config PATH` names one elsewhere".to_owned()),
        ),
        ErrorKind::IsADirectory => ConfigError::new(
            Problem::new(format!("`{shown}` is a directory, not a configuration file"))
                .with_help(format!("name the file in it: `{}`", path.join("offload.toml").display())),
        ),
        _ => unreadable(path).caused_by(error),
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ConfigError::new(
            Problem::new(format!("`{shown}` is larger than {} MiB", MAX_BYTES >> 20))
                .with_help("is it a configuration file?".to_owned()),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count();
        ConfigError::new(
            Problem::new(format!("`{shown}` is not UTF-8 text: see line {line}"))
                .with_help("save it as UTF-8, which TOML files have to be".to_owned()),
        )
    })
}

fn unreadable(path: &Path) -> ConfigError {
    ConfigError::new(
        Problem::new(format!("the configuration file `{}` cannot be read", path.display()))
            .with_help("check the file's permissions, or name another one with `--config PATH`".to_owned()),
    )
}

/// What a document means, for a file in the absolute directory `root`.
pub(super) fn interpret(
    document: Document,
    root: &Path,
    lookup: impl Fn(&str) -> Result<String, VarError>,
) -> Result<Config, ConfigError> {
    let config = Reading { document: &document, root, lookup }.config().map_err(|error| document.error(error))?;
    Ok(Config { document: Some(Arc::new(document)), ..config })
}

struct Reading<'a, Lookup> {
    document: &'a Document,
    root: &'a Path,
    lookup: Lookup,
}

impl<Lookup: Fn(&str) -> Result<String, VarError>> Reading<'_, Lookup> {
    fn config(&self) -> Result<Config, ConfigError> {
        let values = self.document.values();
        let problems =
            check::problems(values, "", &tables::SCHEMA, Some(self.document)).map_err(|error| baffled(&error))?;
        ConfigError::unless_none(problems)?;
        let tables = FileTables::deserialize(values).map_err(|error| baffled(&error))?;
        let mut problems = Vec::new();
        let config = Config {
            offload: tables.offload,
            provider: tables.provider.map_or_else(ProviderConfig::default, |table| self.provider(table, &mut problems)),
            groups: self.groups(tables.groups, &mut problems),
            report: self.report(tables.report, &mut problems),
            history: tables.history,
            plugins: self.plugins(tables.plugins, &mut problems),
            pins: Pins::default(),
            root: self.root.to_owned(),
            document: None,
        };
        ConfigError::unless_none(problems)?;
        Ok(config)
    }

    fn provider(&self, table: ProviderTable, problems: &mut Vec<Problem>) -> ProviderConfig {
        let mut settings = self.settings("/provider");
        let mut env = Vec::new();
        for (name, value) in table.env {
            match self.variable(&name, &value) {
                Ok(variable) => env.push((variable.name, variable.value)),
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(Value::Object(variables)) = settings.get_mut("env") {
            *variables = env.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        }
        let mut copy_dirs = Vec::new();
        for (index, text) in table.copy_dirs.iter().enumerate() {
            match text.parse::<CopyDir>() {
                Ok(copy_dir) => copy_dirs.push(copy_dir),
                Err(error) => {
                    let at = pointer::child("/provider/copy_dirs", &index.to_string());
                    let message = format!("{} does not say what to copy where", pointer::value(&at));
                    problems.push(Problem::new(message).at(self.document.value(&at), error.to_string()));
                }
            }
        }
        ProviderConfig {
            kind: table.kind,
            working_dir: table.working_dir,
            env,
            copy_dirs,
            timeout_secs: table.timeout_secs,
            settings,
        }
    }

    fn report(&self, report: ReportConfig, problems: &mut Vec<Problem>) -> ReportConfig {
        if let Err((place, why)) = report.artifact_globs() {
            let at = pointer::child("/report/artifacts", &place.to_string());
            let message = format!("{} is no pattern of files to keep", pointer::value(&at));
            problems.push(Problem::new(message).at(self.document.value(&at), why));
        }
        report
    }

    fn plugins(
        &self,
        tables: BTreeMap<String, PluginConfig>,
        problems: &mut Vec<Problem>,
    ) -> IndexMap<String, PluginConfig> {
        problems.extend(plugins::problems(&tables, self.document));
        plugins::in_order(tables, self.document)
    }

    fn variable(&self, name: &str, value: &str) -> Result<EnvVar, Problem> {
        let at = pointer::child("/provider/env", name);
        let expanded = variables::expand(value, &self.lookup).map_err(|error| {
            Problem::new(format!("{} cannot be expanded: {error}", pointer::value(&at)))
                .at(self.document.part(&at, error.token()), error.to_string())
                .with_help(error.help())
        })?;
        EnvVar::new(name, expanded).map_err(|error| {
            Problem::new(format!("{} is no environment variable: {error}", pointer::value(&at)))
                .at(self.document.key(&at), "is no environment variable")
        })
    }

    fn groups(
        &self,
        tables: BTreeMap<String, GroupTable>,
        problems: &mut Vec<Problem>,
    ) -> IndexMap<String, GroupConfig> {
        let mut groups: IndexMap<_, _> = tables
            .into_iter()
            .map(|(name, table)| {
                let mut settings = self.settings(&pointer::child("/groups", &name));
                settings.retain(|key, _| !tables::HOST_KEYS.contains(&key.as_str()));
                let host = GroupConfig {
                    kind: table.kind,
                    working_dir: table.working_dir,
                    max_parallel: table.max_parallel,
                    exclusive: table.exclusive,
                    schedule_individual: table.schedule_individual,
                    split: table.split,
                    ignores_exit: !table.trust_exit,
                    settings,
                };
                (name, host)
            })
            .collect();
        groups
            .sort_by_cached_key(|name, _| self.document.key(&pointer::child("/groups", name)).map(|place| place.start));
        if groups.is_empty() {
            problems.push(
                Problem::new(format!("`{}` has no test group", self.document.name()))
                    .with_help(GROUP_EXAMPLE.to_owned()),
            );
        }
        problems.extend(self.mixture(&groups));
        groups
    }

    /// All groups use one framework type.
    fn mixture(&self, groups: &IndexMap<String, GroupConfig>) -> Option<Problem> {
        let (first_name, first) = groups.first()?;
        let (other_name, other) = groups.iter().find(|(_, group)| group.kind != first.kind)?;
        let place = |name: &str| {
            let table = pointer::child("/groups", name);
            self.document.value(&pointer::child(&table, "type"))
        };
        let message = format!(
            "all groups must use one framework type, but `{first_name}` is `{}` and `{other_name}` is `{}`",
            first.kind, other.kind
        );
        let problem = Problem::new(message)
            .at(place(first_name), format!("`{first_name}` uses `{}`", first.kind))
            .at(place(other_name), format!("`{other_name}` uses `{}`", other.kind));
        Some(problem.with_help(
            "move the groups of one type to a file of their own and run it with `offload run --config FILE`".to_owned(),
        ))
    }

    /// A plugin's own table, without the `type` that named the plugin.
    fn settings(&self, table: &str) -> Map<String, Value> {
        let mut settings =
            self.document.values().pointer(table).and_then(Value::as_object).cloned().unwrap_or_default();
        settings.remove("type");
        settings
    }
}

/// What the schema allows, the types take; this is for the case that they ever disagree.
fn baffled(error: &dyn fmt::Display) -> ConfigError {
    ConfigError::new(Problem::new(format!("the configuration cannot be understood: {error}")))
}

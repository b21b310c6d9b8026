//! Set-up scripts that run once on a machine although each batch is a run of nextest of its own: a configuration in which
//! every script is run by one of ours, which does so the first time and tells every later time what came of it.

use offload_plugin::shell;
use toml::{Table, Value};

use super::config::Config;

/// Runs the rest of its arguments, or tells what they gave before. `$1` is a directory for that, `$2` the script's name.
/// Each directory in which tests run, such as a copy of the project, has its scripts run for itself.
///
/// A script may start what is to go on while tests run: that does not belong to the batch that was the first, and so it has
/// no mark by which it would be ended with it. Whoever runs it and is ended is followed by another.
pub const SCRIPT: &str = r#"place=$(pwd -P | cksum | tr -c '0-9\n' -); state=$1/$2-$place; name=$2; shift 2
unset OFFLOAD_EXEC_ID
mkdir -p "${state%/*}" || exit
until mkdir "$state" 2>/dev/null; do
if [ -f "$state/code" ]; then
cat "$state/env" >>"$NEXTEST_ENV"; code=$(cat "$state/code")
[ "$code" = 0 ] || echo "the set-up script $name failed before in this run, with exit code $code, and is not run again" >&2
exit "$code"; fi
if [ ! -d "$state" ]; then echo "the set-up script $name cannot note in $state that it runs" >&2; exit 1; fi
if owner=$(cat "$state/owner" 2>/dev/null) && [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null && [ ! -f "$state/code" ]; then
mv "$state" "$state.ended-$$" 2>/dev/null; continue; fi
sleep 0.1 || sleep 1
done
echo $$ >"$state/owner"
"$@" >&2; code=$?
cp "$NEXTEST_ENV" "$state/env"
echo "$code" >"$state/code-$$"; mv "$state/code-$$" "$state/code"
exit "$code""#;

/// Where things are on this machine.
#[derive(Debug, Clone)]
pub struct Places {
    pub workspace: String,
    pub target: String,
    /// A directory of the run's own, in which it is noted what has run.
    pub state: String,
}

impl Places {
    /// The file that holds [`SCRIPT`]: nextest shows the commands that it runs.
    pub fn once(state: &str) -> String {
        format!("{state}/once")
    }
}

impl Config {
    /// The configuration for batches on this machine: with set-up scripts that run once, and without a JUnit report that every
    /// batch would write anew. Nothing, where the file can be used as it is.
    pub fn for_batches(&self, places: &Places) -> Option<String> {
        if self.set_up_scripts().is_empty() && self.junit_path().is_none() {
            return None;
        }
        let mut table = self.table().clone();
        let profiles = table.get_mut("profile").and_then(Value::as_table_mut);
        for profile in profiles.into_iter().flat_map(Table::iter_mut).filter_map(|(_, profile)| profile.as_table_mut())
        {
            if let Some(junit) = profile.get_mut("junit").and_then(Value::as_table_mut) {
                junit.remove("path");
            }
        }
        // In the order of the file, since that is the order in which they run; a table of TOML has none.
        let mut scripts = String::new();
        for (place, name) in &self.scripts {
            let mut script = take(&mut table, place, name)?;
            let command = script.remove("command")?;
            script.insert("command".to_owned(), once(command, name, places)?);
            let script = Value::Table(Table::from_iter([(name.clone(), Value::Table(script))]));
            let whole =
                place.rsplit('.').fold(script, |inner, key| Value::Table(Table::from_iter([(key.to_owned(), inner)])));
            scripts.push_str(&toml::to_string(&whole).ok()?);
        }
        remove_empty(&mut table);
        Some(format!("{}\n{scripts}", toml::to_string(&table).ok()?))
    }
}

/// Takes a script out of the table at this place.
fn take(table: &mut Table, place: &str, name: &str) -> Option<Table> {
    let scripts = place.split('.').try_fold(table, |table, key| table.get_mut(key)?.as_table_mut())?;
    match scripts.remove(name)? {
        Value::Table(script) => Some(script),
        _ => None,
    }
}

/// A table that is there may not be defined a second time.
fn remove_empty(table: &mut Table) {
    if let Some(scripts) = table.get_mut("scripts").and_then(Value::as_table_mut) {
        scripts.retain(|_, kind| kind.as_table().is_none_or(|kind| !kind.is_empty()));
    }
    table.retain(|key, value| {
        !["script", "scripts"].contains(&key) || value.as_table().is_none_or(|table| !table.is_empty())
    });
}

/// The command that runs this one once. It is written in one of three ways: as a line, as words, or as a table of either,
/// of variables, and of what the program's path is relative to.
fn once(command: Value, name: &str, places: &Places) -> Option<Value> {
    let (line, mut rest) = match command {
        Value::Table(mut table) => (table.remove("command-line")?, Some(table)),
        line => (line, None),
    };
    let mut words = match line {
        Value::String(line) => shell::split(&line).ok()?,
        Value::Array(words) => words.into_iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        _ => return None,
    };
    let relative_to = rest.as_mut().and_then(|table| table.remove("relative-to"));
    let base = match relative_to.as_ref().and_then(Value::as_str) {
        Some("target") => Some(&places.target),
        Some("workspace-root") => Some(&places.workspace),
        _ => None,
    };
    if let (Some(base), Some(program)) = (base, words.first_mut().filter(|program| !program.starts_with('/'))) {
        *program = format!("{base}/{program}");
    }
    let ours = ["sh", &Places::once(&places.state), &places.state, name].map(str::to_owned);
    let line = Value::Array(ours.into_iter().chain(words).map(Value::String).collect());
    Some(match rest {
        Some(mut table) => {
            table.insert("command-line".to_owned(), line);
            Value::Table(table)
        }
        None => line,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::*;

    fn places() -> Places {
        Places { workspace: "/w".to_owned(), target: "/w/target".to_owned(), state: "/w/target/s".to_owned() }
    }

    const SCRIPTS: &str = r#"
        experimental = ["setup-scripts"]
        [scripts.setup.z]
        command = "sh -c 'echo \"it is\"'"
        capture-stdout = true
        [scripts.setup.a]
        command = { command-line = ["bin/x", "y"], relative-to = "target", env = { A = "b" } }
        [scripts.wrapper.w]
        command = "time"
        [[profile.default.scripts]]
        filter = "all()"
        setup = ["a", "z"]
        [profile.default.junit]
        path = "junit.xml"
        report-name = "r"
    "#;

    #[test]
    fn scripts_are_run_by_ours() {
        let config = Config::parse(SCRIPTS, None).expect("it is good");
        let text = config.for_batches(&places()).expect("there are scripts");
        let table: Table = text.parse().expect("it is TOML");
        let words = |value: &Value| {
            let words = value.as_array().expect("words").iter().filter_map(Value::as_str).map(str::to_owned);
            words.skip(2).collect::<Vec<_>>()
        };
        let setup = &table["scripts"]["setup"];
        assert_eq!(words(&setup["z"]["command"]), ["/w/target/s", "z", "sh", "-c", "echo \"it is\""]);
        assert_eq!(setup["z"]["capture-stdout"].as_bool(), Some(true));
        let command = &setup["a"]["command"];
        assert_eq!(words(&command["command-line"]), ["/w/target/s", "a", "/w/target/bin/x", "y"]);
        assert_eq!((command["env"]["A"].as_str(), command.get("relative-to")), (Some("b"), None));
        assert_eq!(table["scripts"]["wrapper"]["w"]["command"].as_str(), Some("time"));
        assert_eq!(table["profile"]["default"]["junit"].get("path"), None);
        // In the order of the file.
        let again = Config::parse(&text, None).expect("it is good");
        assert_eq!(again.set_up_scripts(), ["z", "a"]);
    }

    #[test]
    fn scripts_of_older_versions_are_run_by_ours() {
        let text = "[script.db]\ncommand = 'true'\n[[profile.default.scripts]]\nfilter = 'all()'\nsetup = 'db'\n";
        let config = Config::parse(text, None).expect("it is good");
        let text = config.for_batches(&places()).expect("there is one");
        let table: Table = text.parse().expect("it is TOML");
        assert_eq!(table["script"]["db"]["command"][0].as_str(), Some("sh"));
        assert_eq!(
            Config::parse("[profile.default]\nretries = 1", None).ok().and_then(|it| it.for_batches(&places())),
            None
        );
    }

    /// Runs the script that appends a line to `ran` and exports a variable.
    fn start(directory: &Path, number: usize, does: &str) -> std::process::Child {
        let env = directory.join(format!("env-{number}"));
        std::fs::write(&env, "").expect("a file can be written");
        let state = directory.join("state");
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "once"]).arg(state).args(["db", "sh", "-c", does]);
        command.env("NEXTEST_ENV", env).env("OFFLOAD_EXEC_ID", "7").current_dir(directory);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sh starts")
    }

    fn in_directory(name: &str, test: impl FnOnce(&Path)) {
        let directory = std::env::temp_dir().join(format!("offload-once {name} {}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory can be made");
        test(&directory);
        std::fs::remove_dir_all(&directory).expect("the directory can be removed");
    }

    #[test]
    fn of_many_at_once_one_runs_it_and_all_have_its_variables() {
        in_directory("many", |directory| {
            let does = "echo ran $OFFLOAD_EXEC_ID >>ran; sleep 0.3; echo A=b >>\"$NEXTEST_ENV\"";
            let children: Vec<_> = (0..5).map(|number| start(directory, number, does)).collect();
            for mut child in children {
                assert!(child.wait().expect("it ends").success());
            }
            let read = |name: &str| std::fs::read_to_string(directory.join(name)).expect("the file is there");
            assert_eq!(read("ran"), "ran\n");
            assert!((0..5).all(|number| read(&format!("env-{number}")) == "A=b\n"));
        });
    }

    #[test]
    fn what_failed_once_fails_every_time() {
        in_directory("failed", |directory| {
            let codes =
                [0, 1].map(|number| start(directory, number, "echo ran >>ran; exit 3").wait().expect("it ends").code());
            let ran = std::fs::read_to_string(directory.join("ran")).expect("the file is there");
            assert_eq!((codes, ran.as_str()), ([Some(3); 2], "ran\n"));
        });
    }

    #[test]
    fn one_that_was_ended_is_followed_by_another() {
        in_directory("ended", |directory| {
            let mut first = start(directory, 0, "echo ran >>ran; exec sleep 2");
            while !directory.join("ran").exists() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            first.kill().expect("it can be killed");
            first.wait().expect("it ends");
            let done = start(directory, 1, "echo ran >>ran").wait().expect("it ends").success();
            let ran = std::fs::read_to_string(directory.join("ran")).expect("the file is there");
            assert!(done && ran == "ran\nran\n", "{ran}");
        });
    }
}

//! What became of a container whose command did not end well.

use offload_plugin::prelude::*;

use crate::engine::Engine;
use crate::sandbox::Sandbox;
use crate::trouble::{self, is_about_nothing};

/// What [`KILLS`] prints.
const OUT_OF_MEMORY: &str = "offload-out-of-memory";

/// Prints `$2` if the kernel has killed anything in this container for want of memory since it was last asked. The directory `$1` keeps
/// what was known then. The two files are those of cgroups 2 and 1.
const KILLS: &str = r#"
kills=0 known=0
for events in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
    [ -r "$events" ] || continue
    while read -r name value; do
        if [ "$name" = oom_kill ]; then kills=$value; fi
    done <"$events"
done
if [ -r "$1/kills" ]; then read -r known <"$1/kills"; fi
echo "$kills" >"$1/kills"
[ "$kills" -le "$known" ] || echo "$2"
"#;

/// A container as `inspect` describes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    running: bool,
    status: String,
    exit_code: i32,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    #[serde(default)]
    error: String,
}

/// What the exit code of the engine's client says of the command. The engine's own failures end with codes that commands use, too: the
/// code counts if the container still runs.
///
/// # Errors
/// `sandbox-lost` or `out-of-memory`, with what the engine says.
pub fn concluded(engine: &Engine, sandbox: &Sandbox, exit: Exit) -> Result<Exit, Failure> {
    if exit == Exit::Code(0) {
        return Ok(exit);
    }
    check_running(engine, sandbox)?;
    if is_suspicious(exit) {
        let kills = kills(engine, sandbox).capture()?;
        if String::from_utf8_lossy(&kills.stdout).contains(OUT_OF_MEMORY) {
            return Err(out_of_memory(sandbox));
        }
        if kills.exit != Exit::Code(0) {
            // The engine may not have known yet that the container had ended.
            check_running(engine, sandbox)?;
        }
    }
    Ok(exit)
}

/// Whether it is a code for what happens to commands, rather than for what they do: of the engine's own, or of a signal.
fn is_suspicious(exit: Exit) -> bool {
    !matches!(exit, Exit::Code(code) if (0..125).contains(&code))
}

fn check_running(engine: &Engine, sandbox: &Sandbox) -> Result<(), Failure> {
    let finished = inspect(engine, sandbox).capture()?;
    if finished.exit != Exit::Code(0) {
        return Err(lost(sandbox, &finished));
    }
    let state: State = serde_json::from_slice(&finished.stdout).map_err(|error| {
        Failure::new("sandbox-lost", format!("what the engine says of {} cannot be read: {error}", sandbox.name))
    })?;
    if state.running { Ok(()) } else { Err(state.ended(sandbox)) }
}

/// Whether a container still takes commands.
///
/// # Errors
/// The engine could not be started.
pub fn is_running(engine: &Engine, sandbox: &Sandbox) -> Result<bool, Failure> {
    let finished = inspect(engine, sandbox).capture()?;
    // An engine that says nothing may well have it running.
    Ok(match finished.exit {
        Exit::Code(0) => serde_json::from_slice::<State>(&finished.stdout).map_or(true, |state| state.running),
        _ => !is_about_nothing(&finished),
    })
}

fn inspect(engine: &Engine, sandbox: &Sandbox) -> Command {
    engine.command(["container", "inspect", "--format={{json .State}}", &sandbox.name])
}

fn lost(sandbox: &Sandbox, finished: &Captured) -> Failure {
    let what = if is_about_nothing(finished) {
        format!("the container {} is gone", sandbox.name)
    } else {
        format!("the engine no longer says how {} is", sandbox.name)
    };
    trouble::failure("sandbox-lost", what, finished)
}

fn kills(engine: &Engine, sandbox: &Sandbox) -> Command {
    engine.command(["exec", &sandbox.name, "sh", "-c", KILLS, "offload", &sandbox.scratch, OUT_OF_MEMORY])
}

const MORE_MEMORY: &str = "raise `memory` in [provider], or have the test use less";

fn out_of_memory(sandbox: &Sandbox) -> Failure {
    let message = format!("out of memory: {} reached its limit, and the kernel killed the command", sandbox.name);
    Failure::new("out-of-memory", message).with_help(MORE_MEMORY).retryable()
}

impl State {
    fn ended(&self, sandbox: &Sandbox) -> Failure {
        if self.oom_killed {
            let message = format!("out of memory: {} reached its limit, and does not run any more", sandbox.name);
            return Failure::new("evicted", message).with_help(MORE_MEMORY).retryable();
        }
        let separator = if self.error.is_empty() { "" } else { ": " };
        let message = format!(
            "the container {} does not run any more: the engine says that it is {}, with exit code {}{separator}{}",
            sandbox.name, self.status, self.exit_code, self.error
        );
        Failure::new("sandbox-lost", message).retryable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(state: &str) -> Failure {
        let state: State = serde_json::from_str(state).expect("a state");
        assert!(!state.running);
        state.ended(&Sandbox::named("c"))
    }

    #[test]
    fn codes_of_tests_are_taken_as_they_are() {
        assert!([0, 1, 2, 5, 101, 124].iter().all(|code| !is_suspicious(Exit::Code(*code))));
        assert!([125, 126, 127, 137, 255, -1].iter().all(|code| is_suspicious(Exit::Code(*code))));
    }

    #[test]
    fn both_engines_describe_how_a_container_ended() {
        let podman = ended(
            r#"{"OciVersion":"1.0.2-dev","Status":"exited","Running":false,"OOMKilled":false,"ExitCode":137,"Error":"",
               "Health":{"Status":"","FailingStreak":0,"Log":null}}"#,
        );
        assert_eq!(podman.code, "sandbox-lost");
        assert!(podman.message.ends_with("it is exited, with exit code 137"), "{}", podman.message);
        let docker = ended(r#"{"Status":"dead","Running":false,"OOMKilled":false,"ExitCode":1,"Error":"it broke"}"#);
        assert!(docker.message.ends_with("it is dead, with exit code 1: it broke"), "{}", docker.message);
        let killed = ended(r#"{"Status":"exited","Running":false,"OOMKilled":true,"ExitCode":137}"#);
        assert_eq!(killed.code, "evicted");
    }

    /// The script finds no file of cgroups that it may not read, and so it says nothing; what it keeps is what it knew.
    #[test]
    fn who_was_not_killed_is_not_said_to_be() {
        let scratch = std::env::temp_dir().join(format!("offload-kills-{}", std::process::id()));
        std::fs::create_dir_all(&scratch).expect("a directory");
        std::fs::write(scratch.join("kills"), "999999\n").expect("a file");
        let output = std::process::Command::new("sh")
            .args(["-c", KILLS, "offload", &scratch.to_string_lossy(), OUT_OF_MEMORY])
            .output()
            .expect("a shell");
        assert_eq!((output.stdout, output.stderr), (Vec::new(), Vec::new()));
        assert!(scratch.join("kills").exists());
        std::fs::remove_dir_all(&scratch).expect("it can be removed");
    }
}

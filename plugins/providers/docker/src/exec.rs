//! Commands in a container.

use offload_plugin::inside;
use offload_plugin::prelude::*;

use crate::engine::Engine;
use crate::sandbox::Sandbox;
use crate::state;

/// The variable that carries a command's line into the container, through the environment of the engine's client: command
/// lines are there for everybody to read, environments are not.
const LINE: &str = "OFFLOAD_COMMAND_LINE";

/// The longest line that is carried so. Linux takes 128 KiB in one string of an environment (`MAX_ARG_STRLEN`).
const LONGEST_LINE: usize = 120 * 1024;

/// A line of our own, without secrets: what it prints and reads is its client's.
pub fn own(engine: &Engine, sandbox: &Sandbox, line: &str) -> Command {
    engine.command(["exec", "--interactive", &sandbox.name, "sh", "-c", line])
}

/// The command of a test. Its variables are set by a shell in the container, so that none of them, such as PATH or HOME, means
/// anything to the client.
pub fn of_test(engine: &Engine, sandbox: &Sandbox, exec_id: &str, line: &str) -> Command {
    let mark = format!("--env=OFFLOAD_EXEC_ID={exec_id}");
    let pass_on = format!("--env={LINE}");
    let evaluate = format!("eval \"${LINE}\"");
    let mut command = engine.command(["exec", "--interactive", &pass_on, &mark, &sandbox.name, "sh", "-c", &evaluate]);
    command.env.push((LINE.to_owned(), format!("unset {LINE}; {line}")));
    command
}

/// The line that runs a command, if need be one that reads it from a file in the container.
///
/// # Errors
/// A variable that no shell can set, or a file that could not be written.
pub fn line(engine: &Engine, sandbox: &Sandbox, exec_id: &str, command: Command) -> Result<String, Failure> {
    let cwd = command.cwd.as_deref().map(|cwd| sandbox.locate(cwd)).or_else(|| sandbox.workdir.clone());
    let line = inside::command(&Command { cwd, ..command })?;
    if line.len() <= LONGEST_LINE {
        return Ok(line);
    }
    let path = format!("{}/command-{exec_id}", sandbox.scratch);
    let finished = process::capture(&own(engine, sandbox, &inside::store(&path)), line.as_bytes())?;
    if String::from_utf8_lossy(&finished.stdout).contains(inside::COPIED) {
        return Ok(inside::run_stored(&path));
    }
    state::concluded(engine, sandbox, finished.exit)?;
    let message = format!("a long command could not be put into {}: {}", sandbox.name, finished.complaint());
    Err(Failure::new("copy-failed", message).with_help(format!("make room in {}", sandbox.scratch)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        let settings = offload_plugin::settings::parse(r#"{"image": "a"}"#).expect("the table is complete");
        Engine::of(&settings).expect("docker is a program")
    }

    #[test]
    fn values_are_on_no_command_line() {
        let sandbox = Sandbox::new("r1", "docker-1", Some("/app"));
        let command = Command { env: vec![("PATH".into(), "/secret".into())], ..Command::new(["pytest", "a b"]) };
        let line = line(&engine(), &sandbox, "e1", command).expect("a short line needs nobody");
        let started = of_test(&engine(), &sandbox, "e1", &line);
        assert_eq!(
            started.argv.join(" "),
            "docker exec --interactive --env=OFFLOAD_COMMAND_LINE --env=OFFLOAD_EXEC_ID=e1 offload-r1-docker-1 \
             sh -c eval \"$OFFLOAD_COMMAND_LINE\""
        );
        let [(name, value)] = &started.env[..] else { panic!("one variable carries all: {:?}", started.env) };
        assert_eq!(name, LINE);
        assert_eq!(value, "unset OFFLOAD_COMMAND_LINE; cd /app && export PATH=/secret && exec pytest 'a b'");
    }
}

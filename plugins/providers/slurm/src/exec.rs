//! How a test command becomes a step.

use offload_plugin::shell::quote;
use offload_plugin::types::{Command, Failure};

use crate::sandbox::Sandbox;
use crate::script;
use crate::settings::Settings;

/// The signal by which the script tells that the command had more memory than its allocation.
pub const OUT_OF_MEMORY: i32 = 50;
/// The signal by which it tells that it was Slurm that ended the command, or never began it. No command ends by either of them by itself.
pub const TROUBLE: i32 = 51;

/// What values are called on their way through srun, which would act on some of them itself: PATH, `LD_PRELOAD`, everything with `SLURM_`.
const CARRIED: &str = "OFFLOAD_SET_";

/// The command as a step in the sandbox. Its words are arguments and the values of its variables part of the environment, where nobody
/// else on the machines can read them.
///
/// # Errors
/// `invalid-environment`, for a variable that no shell can set.
pub fn command(sandbox: &Sandbox, exec_id: &str, command: &Command) -> Result<Command, Failure> {
    let line = line(sandbox, command)?;
    let (job, signal) = (sandbox.job.to_string(), OUT_OF_MEMORY.to_string());
    let fixed = [&job, exec_id, &signal, "sh", "-c", &line, "offload"];
    let planned = script::exec(fixed.into_iter().chain(command.argv.iter().map(String::as_str)));
    let env = command.env.iter().map(|(name, value)| (format!("{CARRIED}{name}"), value.clone())).collect();
    Ok(Command { env, ..planned })
}

/// What the shell on the node does before it becomes the command.
fn line(sandbox: &Sandbox, command: &Command) -> Result<String, Failure> {
    let directory = match &command.cwd {
        Some(cwd) => Some(sandbox.locate(cwd)),
        None => sandbox.directory.clone(),
    };
    let mut line = directory.map(|directory| format!("cd {} && ", quote(&directory))).unwrap_or_default();
    for (name, _) in &command.env {
        if !is_variable_name(name) {
            return Err(Failure::new("invalid-environment", format!("no shell can set a variable named {name:?}"))
                .with_help("use letters, digits and underscores in [provider.env] and --env"));
        }
        line.push_str(&format!("export {name}=\"${CARRIED}{name}\" && unset {CARRIED}{name} && "));
    }
    line.push_str(r#"exec "$@""#);
    Ok(line)
}

/// The failure of a command that had more memory than there is for it.
pub fn out_of_memory(settings: &Settings, job: u64) -> Failure {
    let limit =
        settings.memory.as_ref().map_or("its partition's default".to_owned(), |memory| format!("memory = {memory:?}"));
    let message = format!("Slurm ended a command in job {job}: it had more memory than the job has, which is {limit}");
    Failure::new("out-of-memory", message).with_help("raise `memory` in [provider]")
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox() -> Sandbox {
        let directory = Some("/tmp/a b".to_owned());
        Sandbox { job: 7, base: None, place: "offload-r/s".to_owned(), directory, copied_from: None }
    }

    fn planned(env: &[(&str, &str)]) -> Result<Command, Failure> {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        command(&sandbox(), "e1", &Command { env, ..Command::new(["printf", "%s", "it's $HOME"]) })
    }

    #[test]
    fn words_stay_words_and_values_stay_off_the_command_line() {
        let command = planned(&[("PATH", "secret")]).expect("it can be set");
        let words: Vec<_> = command.argv[4..].iter().map(String::as_str).collect();
        let line = "cd '/tmp/a b' && export PATH=\"$OFFLOAD_SET_PATH\" && unset OFFLOAD_SET_PATH && exec \"$@\"";
        assert_eq!(words, ["7", "e1", "50", "sh", "-c", line, "offload", "printf", "%s", "it's $HOME"]);
        assert_eq!(command.env, [("OFFLOAD_SET_PATH".to_owned(), "secret".to_owned())]);
    }

    #[test]
    fn values_arrive_as_they_were() {
        let values = ["", "it's \"$5\" & `id`\\", "two\nlines\n", "é*?"];
        for value in values {
            let sandbox = Sandbox { directory: None, ..sandbox() };
            let line = line(&sandbox, &Command { env: vec![("A".into(), value.into())], ..Command::new(["x"]) });
            let mut shell = std::process::Command::new("sh");
            shell
                .args(["-c", &line.expect("it can be set"), "offload", "printenv", "-0", "A"])
                .env("OFFLOAD_SET_A", value);
            let printed = shell.output().expect("sh starts").stdout;
            assert_eq!(String::from_utf8_lossy(&printed), format!("{value}\0"));
        }
    }

    #[test]
    fn names_that_no_shell_takes_are_refused() {
        for name in ["", "1A", "A-B", "A=B", "É"] {
            assert_eq!(planned(&[(name, "x")]).expect_err("it is refused").code, "invalid-environment");
        }
    }
}

//! The process that speaks to Modal: how it is started, and what it is asked.

use offload_plugin::bridge::Connection;
use offload_plugin::io::Stdio;
use offload_plugin::types::{Command, Exit, Failure};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::settings::Settings;

/// The program, which is handed over as an argument so that nothing has to be installed.
const SOURCE: &str = concat!(
    include_str!("helper/protocol.py"),
    "\n\n",
    include_str!("helper/failures.py"),
    "\n\n",
    include_str!("helper/execution.py"),
    "\n\n",
    include_str!("helper/images.py"),
    "\n\n",
    include_str!("helper/sandboxes.py"),
    "\n\n",
    include_str!("helper/main.py"),
);

/// Runs the program `$1` with the command that follows, or with a Python that has the SDK. Where none has, it is the program
/// that says so best.
const START: &str = r#"
source=$1
shift
if [ $# -gt 0 ]; then exec "$@" -c "$source" offload-modal-helper; fi
if python3 -c '
import importlib.metadata, sys
sys.exit(not importlib.metadata.version("modal").startswith("1.6."))
' 2>/dev/null; then exec python3 -c "$source" offload-modal-helper; fi
if command -v uv >/dev/null; then
    exec uv run --quiet --no-project --with modal==1.6.4 python -c "$source" offload-modal-helper
fi
if command -v python3 >/dev/null; then exec python3 -c "$source" offload-modal-helper; fi
echo "there is no python3: install Python 3.10 or newer, and then: pip install modal==1.6.4" >&2
exit 127
"#;

/// The helper of this run.
pub struct Helper(Connection);

impl Helper {
    /// Starts it, or finds the one that runs.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn open(settings: &Settings) -> Result<Self, Failure> {
        Connection::open(&command(settings)?).map(Self)
    }

    /// Asks for something.
    ///
    /// # Errors
    /// What the helper says, or that it is gone.
    pub fn ask<T: DeserializeOwned>(&self, method: &str, params: &Value) -> Result<T, Failure> {
        let answer = self.0.call(method, &params.to_string())?;
        serde_json::from_str(&answer).map_err(|error| {
            Failure::new("helper-failed", format!("the helper's answer to {method} makes no sense: {error}"))
        })
    }

    /// Has it run a command with these streams.
    ///
    /// # Errors
    /// As [`Helper::ask`].
    pub fn exec(&self, params: &Value, stdio: &Stdio) -> Result<Exit, Failure> {
        self.0.exec("exec", &params.to_string(), stdio)
    }
}

fn command(settings: &Settings) -> Result<Command, Failure> {
    let python = settings.python_words()?;
    let arguments = [SOURCE].into_iter().chain(python.iter().map(String::as_str));
    Ok(Command { cwd: settings.working_dir.clone(), ..Command::script(START, arguments) })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command as Process, Stdio as Pipe};

    use super::*;

    #[test]
    fn the_source_fits_into_an_argument() {
        // Linux takes 128 KiB (`MAX_ARG_STRLEN`).
        assert!(SOURCE.len() < 64 * 1024, "{} bytes", SOURCE.len());
        assert!(SOURCE.is_ascii(), "it must survive every locale");
    }

    /// Whichever Python it finds here, it speaks the protocol and ends with its input.
    #[test]
    fn it_answers_and_ends() {
        let settings = offload_plugin::settings::parse(r#"{"image": "i", "python": "python3"}"#).expect("settings");
        let command = command(&settings).expect("a command");
        let mut process = Process::new(&command.argv[0])
            .args(&command.argv[1..])
            .stdin(Pipe::piped())
            .stdout(Pipe::piped())
            .spawn()
            .expect("sh starts");
        let mut stdin = process.stdin.take().expect("it is piped");
        stdin.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"dance\",\"params\":{}}\n").expect("it reads");
        let mut answer = String::new();
        let mut stdout = BufReader::new(process.stdout.take().expect("it is piped"));
        stdout.read_line(&mut answer).expect("it answers");
        drop(stdin);
        assert!(process.wait().expect("it ends").success());
        let answer: Value = serde_json::from_str(&answer).expect("a message");
        assert_eq!(answer["id"], 1);
        assert!(answer["error"]["data"]["code"].is_string(), "{answer}");
    }
}

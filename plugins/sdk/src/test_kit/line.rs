//! The conversation with the host: JSON-RPC 2.0, a message a line.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command as Process, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ran::Ran;
use crate::types::{Command, Failure};

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Loaded {
    /// `framework` or `provider`.
    pub kind: String,
    pub name: String,
    pub version: String,
    pub description: String,
    /// What it asks for, such as `run:docker`.
    pub requests: Vec<String>,
}

/// Says what became of a process.
pub(super) type Answer<'a> = &'a mut dyn FnMut(&Command, &[u8]) -> Ran;

pub(super) struct Line {
    host: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    calls: u64,
    logged: Vec<(String, String)>,
}

/// Anything that the host says.
#[derive(Deserialize)]
struct Message {
    method: Option<String>,
    #[serde(default)]
    params: Value,
    result: Option<Value>,
    error: Option<Wrong>,
}

#[derive(Deserialize)]
struct Wrong {
    message: String,
    data: Option<Failure>,
}

impl Line {
    /// Has this host load a component, which must be of this kind.
    pub(super) fn open(
        program: &Path,
        component: &Path,
        kind: &str,
        settings: &Value,
    ) -> Result<(Self, Loaded), Failure> {
        let mut command = Process::new(program);
        command.args(["plugin", "drive"]).arg(component).stdin(Stdio::piped()).stdout(Stdio::piped());
        let unstarted = |why: String| {
            let message = format!("cannot run {}: {why}", program.display());
            Failure::new("no-host", message).with_help("put offload on the PATH, or name it in the variable OFFLOAD")
        };
        let mut host = command.spawn().map_err(|error| unstarted(error.to_string()))?;
        let (Some(to), Some(from)) = (host.stdin.take(), host.stdout.take()) else {
            return Err(unstarted("it has no standard streams".to_owned()));
        };
        let mut line = Self { host, to, from: BufReader::new(from), calls: 0, logged: Vec::new() };
        let loaded: Loaded = line.call("load", [settings], &mut |_, _| Ran::missing())?;
        if loaded.kind == kind {
            return Ok((line, loaded));
        }
        Err(Failure::new("other-kind", format!("{} is a {}, not a {kind}", component.display(), loaded.kind)))
    }

    /// One call, while which `answer` says what became of the processes that the component runs.
    pub(super) fn call<T: DeserializeOwned>(
        &mut self,
        function: &str,
        parameters: impl Serialize,
        answer: Answer<'_>,
    ) -> Result<T, Failure> {
        self.calls += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.calls, "method": function, "params": parameters}))?;
        loop {
            let Message { method, params, result, error } = self.receive()?;
            match (method.as_deref(), error) {
                (Some("run"), _) => {
                    let (command, stdin): (Command, Vec<u8>) = read(params)?;
                    let reply = match answer(&command, &stdin).output {
                        Ok(output) => json!({"jsonrpc": "2.0", "id": "run", "result": output}),
                        Err(Failure { code, message, .. }) => {
                            let error = json!({"code": -32000, "message": message, "data": {"code": code}});
                            json!({"jsonrpc": "2.0", "id": "run", "error": error})
                        }
                    };
                    self.send(&reply)?;
                }
                (Some(_), _) => self.logged.push(read(params)?),
                (None, Some(Wrong { message, data })) => {
                    return Err(data.unwrap_or_else(|| Failure::new("bad-call", message)));
                }
                (None, None) => return read(result.unwrap_or_default()),
            }
        }
    }

    /// What the component logged so far: level and message.
    pub(super) fn logged(&self) -> &[(String, String)] {
        &self.logged
    }

    fn send(&mut self, message: &Value) -> Result<(), Failure> {
        writeln!(self.to, "{message}").and_then(|()| self.to.flush()).map_err(|error| gone(&error.to_string()))
    }

    fn receive(&mut self) -> Result<Message, Failure> {
        let mut text = String::new();
        match self.from.read_line(&mut text) {
            Ok(0) => Err(gone("it said why, if it did, on standard error")),
            Ok(_) => serde_json::from_str(&text).map_err(|error| unread(&error)),
            Err(error) => Err(gone(&error.to_string())),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // It has nothing that anybody would miss; what cannot be ended has ended.
        let _ = self.host.kill();
        let _ = self.host.wait();
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| unread(&error))
}

fn gone(why: &str) -> Failure {
    Failure::new("no-host", format!("offload has ended: {why}"))
}

fn unread(error: &serde_json::Error) -> Failure {
    let message = format!("what offload says cannot be read: {error}");
    Failure::new("other-host", message).with_help("use the offload that this version of the SDK comes from")
}

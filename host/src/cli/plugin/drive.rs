//! `offload plugin drive`

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{Failure, NoticeLevel};
use crate::plugin::{self, Driver, Inspection, Source};
use crate::process::{Captured, Command};

/// The codes of JSON-RPC 2.0 for what no method can be blamed for, and one of those that are left to us.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const FAILED: i32 = -32000;

/// Answers calls until standard input ends: first `load` with a table of settings, then the functions of the contract. While
/// a call is under way, the other side is asked what the commands do that the component runs (`run`), and is told what
/// the component logs (`log`).
pub(super) async fn drive(file: &Path) -> anyhow::Result<u8> {
    let source = Source::file(file);
    let line = Line::default();
    let mut driver = None;
    while let Some(message) = line.receive()? {
        let Ok(Call { id, method, params }) = serde_json::from_value(message) else {
            line.send(&error(&Value::Null, INVALID_REQUEST, "this is no request", Value::Null))?;
            continue;
        };
        let result = match (method.as_str(), &mut driver) {
            ("load", driver) => load(&source, params, &line).await.map(|(loaded, said)| {
                *driver = Some(loaded);
                said
            }),
            (function, Some(driver)) => driver.call(function, params).await,
            (_, None) => Err(Failure::new("bad-call", "the component is not loaded: call `load` first")),
        };
        line.send(&match result {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(failure) => failed(&id, &failure),
        })?;
    }
    Ok(0)
}

#[derive(Deserialize)]
struct Call {
    id: Value,
    method: String,
    #[serde(default)]
    params: Value,
}

async fn load(source: &Source, params: Value, line: &Line) -> Result<(Driver, Value), Failure> {
    let settings = match params {
        Value::Array(params) if params.len() == 1 => params.into_iter().next().unwrap_or_default(),
        _ => return Err(Failure::new("bad-call", "the one parameter of `load` is a table of settings")),
    };
    let asked = line.clone();
    let script = move |command: &Command, stdin: &[u8]| asked.ask(command, stdin);
    let told = line.clone();
    let log = move |level: NoticeLevel, message: String| {
        // Where nobody reads, nobody misses it.
        let _ = told.send(&json!({"jsonrpc": "2.0", "method": "log", "params": [level, message]}));
    };
    let (driver, Inspection { kind, info, .. }) =
        Driver::load(source, &settings, Arc::new(script), Arc::new(log)).await?;
    let said = json!({
        "kind": kind.name(),
        "name": info.name,
        "version": info.version,
        "description": info.description,
        "requests": info.requests,
    });
    Ok((driver, said))
}

/// Both directions of the conversation.
#[derive(Clone, Default)]
struct Line(Arc<Mutex<()>>);

impl Line {
    /// The next message; none at the end.
    fn receive(&self) -> anyhow::Result<Option<Value>> {
        loop {
            let mut text = String::new();
            if io::stdin().lock().read_line(&mut text).context("cannot read standard input")? == 0 {
                return Ok(None);
            }
            match serde_json::from_str(&text) {
                _ if text.trim().is_empty() => {}
                Ok(message) => return Ok(Some(message)),
                Err(why) => self.send(&error(&Value::Null, PARSE_ERROR, &why.to_string(), Value::Null))?,
            }
        }
    }

    fn send(&self, message: &Value) -> anyhow::Result<()> {
        let _one_at_a_time = self.lock();
        let mut out = io::stdout().lock();
        writeln!(out, "{message}").and_then(|()| out.flush()).context("cannot write to standard output")
    }

    /// What a command would have done, says the other side.
    fn ask(&self, Command { argv, env, cwd, .. }: &Command, stdin: &[u8]) -> Result<Captured, Failure> {
        let gone =
            |why: String| Failure::new("unanswered", format!("nobody says what `{}` does: {why}", argv.join(" ")));
        let command = json!({"argv": argv, "env": env, "cwd": cwd});
        self.send(&json!({"jsonrpc": "2.0", "id": "run", "method": "run", "params": [command, stdin]}))
            .map_err(|error| gone(format!("{error:#}")))?;
        let reply = self.receive().map_err(|error| gone(format!("{error:#}")))?;
        let mut reply = reply.ok_or_else(|| gone("standard input ended".to_owned()))?;
        if let Some(error) = reply.get("error") {
            let message = error["message"].as_str().unwrap_or("it cannot be started");
            return Err(Failure::new(error["data"]["code"].as_str().unwrap_or("not-started"), message));
        }
        plugin::answered(reply["result"].take())
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(id: &Value, failure: &Failure) -> Value {
    let Failure { code, message, help, retryable } = failure;
    let data = json!({"code": code, "message": message, "help": help, "retryable": retryable});
    error(id, FAILED, message, data)
}

fn error(id: &Value, code: i32, message: &str, data: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message, "data": data}})
}

//! What a helper and the host say to each other, a line each: JSON-RPC 2.0, as `wit/provider.wit` describes it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{Failure, NoticeLevel, Stream};
use crate::process::Exit;

/// What a helper says.
#[derive(Debug)]
pub(super) enum Incoming {
    Answer { id: u64, result: Result<Value, Failure> },
    Output { id: u64, stream: Stream, bytes: Vec<u8> },
    Log { level: NoticeLevel, message: String },
}

#[derive(Deserialize)]
struct Line {
    id: Option<u64>,
    #[serde(default)]
    result: Value,
    error: Option<ErrorObject>,
    method: Option<String>,
    #[serde(default)]
    params: Params,
}

#[derive(Default, Deserialize)]
struct Params {
    id: Option<u64>,
    #[serde(default)]
    data: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct ErrorObject {
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: ErrorData,
}

#[derive(Default, Deserialize)]
struct ErrorData {
    code: Option<String>,
    help: Option<String>,
    #[serde(default)]
    retryable: bool,
}

/// Reads a line.
///
/// # Errors
/// A fragment that says why it is none of these messages.
pub(super) fn read(line: &str) -> Result<Incoming, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    match (line.id, line.method) {
        (Some(id), None) => {
            let result = match line.error {
                None => Ok(line.result),
                Some(ErrorObject { message, data }) => {
                    let code = data.code.unwrap_or_else(|| "helper-failed".to_owned());
                    Err(Failure { code, message, help: data.help, retryable: data.retryable })
                }
            };
            Ok(Incoming::Answer { id, result })
        }
        (_, Some(method)) => notification(&method, line.params),
        (None, None) => Err("it has neither an id nor a method".to_owned()),
    }
}

fn notification(method: &str, params: Params) -> Result<Incoming, String> {
    let stream = match method {
        "stdout" => Stream::Stdout,
        "stderr" => Stream::Stderr,
        "log" => {
            let level = match params.level.as_str() {
                "info" => NoticeLevel::Info,
                "error" => NoticeLevel::Error,
                _ => NoticeLevel::Warning,
            };
            return Ok(Incoming::Log { level, message: params.message });
        }
        other => return Err(format!("its method `{other}` is unknown")),
    };
    let id = params.id.ok_or("it names no request")?;
    let bytes = BASE64_STANDARD.decode(params.data).map_err(|error| error.to_string())?;
    Ok(Incoming::Output { id, stream, bytes })
}

/// How an exec ended, as its result says.
///
/// # Errors
/// It says nothing of that.
pub(super) fn exit(result: &Value) -> Result<Exit, String> {
    let number = |key| result.get(key).and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok());
    let exit = number("code").map(Exit::Code).or_else(|| number("signal").map(Exit::Signal));
    exit.ok_or_else(|| format!("its answer to an exec has neither code nor signal: {result}"))
}

pub(super) fn request(id: u64, method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

pub(super) fn stdin(id: u64, bytes: &[u8]) -> String {
    json!({ "jsonrpc": "2.0", "method": "stdin", "params": { "id": id, "data": BASE64_STANDARD.encode(bytes) } })
        .to_string()
}

pub(super) fn stdin_end(id: u64) -> String {
    json!({ "jsonrpc": "2.0", "method": "stdin-end", "params": { "id": id } }).to_string()
}

pub(super) fn cancel(id: u64) -> String {
    json!({ "jsonrpc": "2.0", "method": "cancel", "params": { "id": id } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let Ok(Incoming::Answer { id: 7, result: Ok(value) }) = read(r#"{"jsonrpc":"2.0","id":7,"result":{"a":1}}"#)
        else {
            panic!("an answer")
        };
        assert_eq!(value, json!({ "a": 1 }));
        let line = r#"{"id":7,"error":{"code":-1,"message":"no room","data":{"code":"no-capacity","retryable":true}}}"#;
        let Ok(Incoming::Answer { result: Err(failure), .. }) = read(line) else { panic!("an answer") };
        assert_eq!(failure, Failure::new("no-capacity", "no room").retryable());
        let Ok(Incoming::Answer { result: Err(failure), .. }) = read(r#"{"id":7,"error":{}}"#) else {
            panic!("an answer")
        };
        assert_eq!(failure.code, "helper-failed");
    }

    #[test]
    fn output_is_read_whatever_its_bytes() {
        let line = r#"{"method":"stderr","params":{"id":3,"data":"/wAK"}}"#;
        let Ok(Incoming::Output { id: 3, stream: Stream::Stderr, bytes }) = read(line) else { panic!("output") };
        assert_eq!(bytes, [0xff, 0, 10]);
    }

    #[test]
    fn senseless_lines_are_refused() {
        for line in
            ["", "Traceback", "{}", "[]", r#"{"method":"x"}"#, r#"{"method":"stdout","params":{"data":"AA=="}}"#]
        {
            assert!(read(line).is_err(), "{line}");
        }
        assert!(read(r#"{"method":"stdout","params":{"id":1,"data":"?"}}"#).is_err());
    }

    #[test]
    fn exits_are_codes_or_signals() {
        assert_eq!(exit(&json!({ "code": 3 })), Ok(Exit::Code(3)));
        assert_eq!(exit(&json!({ "signal": 9 })), Ok(Exit::Signal(9)));
        assert!(exit(&json!({})).is_err());
    }
}

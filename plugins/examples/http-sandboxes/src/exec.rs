//! A command in a sandbox, and what it prints while it runs.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt;
use offload_plugin::io::{Input, Stdio};
use offload_plugin::types::{Exit, Failure};
use serde::{Deserialize, Serialize};
use wstd::http::Method;

use crate::service::Service;

/// How much is read from standard input at once.
const PIECE: u32 = 64 << 10;

#[derive(Serialize)]
struct Wanted {
    argv: Vec<String>,
    env: BTreeMap<String, String>,
    cwd: Option<String>,
    stdin: String,
}

/// What happened, a line each.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Stdout(String),
    Stderr(String),
    Exit(i32),
    Signal(i32),
}

/// Runs a command to its end. All of its standard input is sent along: it has to end first.
pub(crate) async fn run(
    service: &Service,
    path: &[&str],
    argv: Vec<String>,
    env: BTreeMap<String, String>,
    cwd: Option<String>,
    stdio: &Stdio,
) -> Result<Exit, Failure> {
    let mut stdin = Vec::new();
    while let Input::Bytes(bytes) = stdio.read_stdin(PIECE, None) {
        stdin.extend(bytes);
    }
    let wanted = Wanted { argv, env, cwd, stdin: BASE64_STANDARD.encode(stdin) };
    let answer = service.send(Method::POST, path, Some(&wanted)).await?;
    let mut body = answer.into_body().into_boxed_body();
    let mut lines = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| lost(service, &error.to_string()))?;
        let Ok(bytes) = frame.into_data() else { continue };
        lines.extend_from_slice(&bytes);
        let Some(end) = lines.iter().rposition(|byte| *byte == b'\n') else { continue };
        let whole: Vec<u8> = lines.drain(..=end).collect();
        for line in whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if let Some(exit) = take(service, line, stdio)? {
                return Ok(exit);
            }
        }
    }
    Err(lost(service, "it did not say how the command ended"))
}

fn take(service: &Service, line: &[u8], stdio: &Stdio) -> Result<Option<Exit>, Failure> {
    let unreadable = |error: String| service.failed("unreadable", &error);
    let bytes = |text: String| BASE64_STANDARD.decode(text).map_err(|error| unreadable(error.to_string()));
    match serde_json::from_slice(line).map_err(|error| unreadable(error.to_string()))? {
        Said::Stdout(text) => stdio.write_stdout(&bytes(text)?),
        Said::Stderr(text) => stdio.write_stderr(&bytes(text)?),
        Said::Exit(code) => return Ok(Some(Exit::Code(code))),
        Said::Signal(number) => return Ok(Some(Exit::Signal(number))),
    }
    Ok(None)
}

/// Nobody knows whether the command still runs: the sandbox is of no more use.
fn lost(service: &Service, why: &str) -> Failure {
    service.failed("sandbox-lost", why).retryable()
}

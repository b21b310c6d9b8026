//! Real helpers, written in Python.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Helper, Helpers};
use crate::model::{Failure, NoticeLevel};
use crate::plugin::component::LogSink;
use crate::process::{Command, Exit, Stdio};

/// Answers a few methods; `exec` gives its input back until that ends.
const HELPER: &str = r#"
import base64, json, os, sys

def say(message):
    print(json.dumps(message), flush=True)

open_execs, cancelled = set(), []
for line in sys.stdin:
    message = json.loads(line)
    method, params, number = message["method"], message["params"], message.get("id")
    if method == "echo":
        say({"jsonrpc": "2.0", "id": number, "result": params})
    elif method == "fail":
        data = {"code": "no-capacity", "help": "wait", "retryable": True}
        say({"jsonrpc": "2.0", "id": number, "error": {"code": -32000, "message": "no room", "data": data}})
    elif method == "log":
        say({"jsonrpc": "2.0", "method": "log", "params": {"level": "info", "message": "built"}})
        say({"jsonrpc": "2.0", "id": number, "result": None})
    elif method == "exec":
        open_execs.add(number)
    elif method == "stdin":
        for stream in ["stdout", "stderr"]:
            say({"jsonrpc": "2.0", "method": stream, "params": params})
    elif method == "stdin-end":
        say({"jsonrpc": "2.0", "id": params["id"], "result": {"code": 7}})
    elif method == "cancel":
        cancelled.append(params["id"])
    elif method == "cancelled":
        say({"jsonrpc": "2.0", "id": number, "result": len(cancelled)})
    elif method == "die":
        print("out of ideas", file=sys.stderr, flush=True)
        os._exit(3)
    elif method == "babble":
        print("no message", flush=True)
    elif method == "pid":
        say({"jsonrpc": "2.0", "id": number, "result": os.getpid()})
"#;

fn command() -> Command {
    Command { argv: ["python3", "-c", HELPER].map(str::to_owned).into(), ..Command::default() }
}

fn silent() -> LogSink {
    Arc::new(|_, _| ())
}

fn open(helpers: &Helpers, log: &LogSink) -> Result<Helper, Failure> {
    helpers.open(command(), log, |_, error| Failure::new("not-started", error.to_string()))
}

async fn call(helper: &Helper, method: &str) -> Result<Value, Failure> {
    helper.call(method, &json!({ "a": "é\n" })).await
}

#[tokio::test]
async fn requests_are_answered_each_with_its_own() {
    let helpers = Helpers::default();
    let helper = open(&helpers, &silent()).expect("it starts");
    let two = json!(2);
    let (first, second, third) = tokio::join!(call(&helper, "echo"), call(&helper, "fail"), helper.call("echo", &two));
    assert_eq!(first, Ok(json!({ "a": "é\n" })));
    assert_eq!(second, Err(Failure::new("no-capacity", "no room").with_help("wait").retryable()));
    assert_eq!(third, Ok(json!(2)));
    helpers.close().await;
}

#[tokio::test]
async fn the_same_command_is_the_same_process_until_it_is_closed() {
    let helpers = Helpers::default();
    let first = open(&helpers, &silent()).expect("it starts");
    let second = open(&helpers, &silent()).expect("it runs");
    let pid = call(&first, "pid").await;
    assert_eq!(call(&second, "pid").await, pid);
    helpers.close().await;
    let pid = i32::try_from(pid.expect("an answer").as_i64().expect("a number")).expect("a process id");
    assert!(nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_err(), "it still runs");
}

#[tokio::test]
async fn an_exec_streams_both_ways() {
    let helpers = Helpers::default();
    let helper = open(&helpers, &silent()).expect("it starts");
    let (sender, more) = tokio::sync::mpsc::unbounded_channel();
    let mut stdio = Stdio::default();
    stdio.stdin.more = Some(more);
    let feed = async {
        sender.send(b"\xff\n".to_vec()).expect("it is read");
        tokio::time::sleep(Duration::from_millis(50)).await;
        sender.send(b"more".to_vec()).expect("it is read");
        drop(sender);
    };
    let params = json!({});
    let (exit, ()) = tokio::join!(helper.exec("exec", &params, &mut stdio), feed);
    assert_eq!(exit, Ok(Exit::Code(7)));
    assert_eq!(stdio.stdout.capture.into_bytes(), b"\xff\nmore");
    assert_eq!(stdio.stderr.capture.into_bytes(), b"\xff\nmore");
    helpers.close().await;
}

#[tokio::test]
async fn what_nobody_waits_for_is_cancelled() {
    let helpers = Helpers::default();
    let helper = open(&helpers, &silent()).expect("it starts");
    let (_sender, more) = tokio::sync::mpsc::unbounded_channel();
    let mut stdio = Stdio::default();
    stdio.stdin.more = Some(more);
    let params = json!({});
    let cut = tokio::time::timeout(Duration::from_millis(100), helper.exec("exec", &params, &mut stdio)).await;
    assert!(cut.is_err());
    assert_eq!(call(&helper, "cancelled").await, Ok(json!(1)));
    helpers.close().await;
}

#[tokio::test]
async fn one_that_ends_is_started_once_more() {
    for end in ["die", "babble"] {
        let helpers = Helpers::default();
        let helper = open(&helpers, &silent()).expect("it starts");
        let (_sender, more) = tokio::sync::mpsc::unbounded_channel();
        let mut stdio = Stdio::default();
        stdio.stdin.more = Some(more);
        let params = json!({});
        let (lost, _) = tokio::join!(helper.exec("never", &params, &mut stdio), call(&helper, end));
        let lost = lost.expect_err("it ended");
        assert_eq!((lost.code.as_str(), lost.retryable), ("bridge-lost", true));
        let said = if end == "die" { "out of ideas" } else { "\"no message\", which is no message" };
        assert!(lost.message.contains(said), "{lost}");
        let second = open(&helpers, &silent()).expect("it is started again");
        assert_eq!(call(&second, "echo").await.map(|_| ()), Ok(()));
        assert_eq!(call(&helper, "echo").await.map_err(|failure| failure.code), Err("bridge-lost".to_owned()));
        assert!(call(&second, end).await.is_err());
        let refused = open(&helpers, &silent()).map(drop).expect_err("it ended twice");
        assert_eq!((refused.code.as_str(), refused.retryable), ("bridge-lost", false));
        helpers.spare();
        let last = open(&helpers, &silent()).expect("it is started to clear up");
        assert!(call(&last, end).await.is_err());
        assert!(open(&helpers, &silent()).is_err());
        helpers.close().await;
    }
}

#[tokio::test]
async fn what_it_tells_people_is_logged() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log: LogSink = Arc::new({
        let told = told.clone();
        move |level, message| told.lock().expect("nobody panicked").push((level, message))
    });
    let helpers = Helpers::default();
    let helper = open(&helpers, &log).expect("it starts");
    assert_eq!(call(&helper, "log").await, Ok(Value::Null));
    assert_eq!(*told.lock().expect("nobody panicked"), [(NoticeLevel::Info, "built".to_owned())]);
    helpers.close().await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    let command = Command { argv: vec!["/no/such/program".to_owned()], ..Command::default() };
    let opened = Helpers::default().open(command, &silent(), |_, error| Failure::new("not-started", error.to_string()));
    assert_eq!(opened.map(drop).map_err(|failure| failure.code), Err("not-started".to_owned()));
}

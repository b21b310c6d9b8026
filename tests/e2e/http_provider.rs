//! The example provider that speaks to an HTTP service and to nothing else: real tests in its sandboxes.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use offload_tests::{Project, component, python};

/// The other side: it is ended with the test.
struct Service {
    process: Child,
    said: BufReader<ChildStdout>,
    port: u16,
}

impl Service {
    fn start(arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("backends/sandbox_service.py");
        let mut command = Command::new(python());
        command.arg(script).arg("/").args(arguments).stdout(Stdio::piped());
        let mut process = command.spawn().expect("Python starts");
        let mut said = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut port = String::new();
        said.read_line(&mut port).expect("it says its port");
        Self { process, said, port: port.trim().parse().expect("a port") }
    }

    /// What it was asked: method and path.
    fn requests(mut self) -> Vec<String> {
        self.end();
        self.said.by_ref().lines().map(|line| line.expect("text")).collect()
    }

    fn end(&mut self) {
        self.process.kill().expect("it still runs");
        self.process.wait().expect("it ends");
    }

    fn project(&self, grants: &str) -> Project {
        let (path, port) = (component("example_http_sandboxes"), self.port);
        let grants = grants.replace("PORT", &port.to_string());
        Project::new()
            .config(&format!(
                "[offload]\nmax_parallel = 2\nretry_count = 1\ntest_timeout_secs = 3\n\n\
                 [plugins.http-sandboxes]\npath = {path:?}\n\n[plugins.http-sandboxes.allow]\n{grants}\n\n\
                 [provider]\ntype = \"http-sandboxes\"\nurl = \"http://127.0.0.1:{port}\"\nenv = {{ GREETING = \"hello\" }}\n\n\
                 [groups.python]\ntype = \"pytest\"\nworker = false\npython = {:?}\n",
                python()
            ))
            .file("test_it.py", TESTS)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A test may have ended it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const GRANTS: &str = "net = [\"127.0.0.1:PORT\"]\nenv = [\"SANDBOXES_TOKEN\"]";

const TESTS: &str = r#"
import os, pathlib, pytest, time

@pytest.mark.parametrize("number", range(6))
def test_passes(number):
    print("output of", number)
    assert os.environ["GREETING"] == "hello"

def test_fails():
    assert "ä" == "b"

def test_flaky():
    been = pathlib.Path("been")
    if not been.exists():
        been.touch()
        raise AssertionError("once")

def test_hangs():
    time.sleep(60)
"#;

#[test]
fn real_tests_run_in_sandboxes_of_a_service() {
    let service = Service::start(&["--token", "s3cret-t0ken", "--full", "1"]);
    let project = service.project(GRANTS);
    let done = project.offload(&["run"]).env("SANDBOXES_TOKEN", "s3cret-t0ken").finish().exits(1);
    let results = done.results();
    let counts = ["passed", "flaky", "failed", "timed-out"].map(|verdict| results.count(verdict));
    assert_eq!(counts, [6, 1, 1, 1], "{}", done.said());
    assert!(!done.said().contains("s3cret") && !done.report("events.jsonl").contains("s3cret"));
    let requests = service.requests();
    let created = requests.iter().filter(|request| *request == "POST /sandboxes").count();
    let destroyed: BTreeSet<_> = requests.iter().filter(|request| is_destruction(request)).collect();
    assert!(created >= 3, "one found no room and was asked for again: {requests:?}");
    assert_eq!(destroyed.len(), created - 1, "{requests:?}");
}

/// As opposed to the end of a command.
fn is_destruction(request: &str) -> bool {
    request.strip_prefix("DELETE /sandboxes/").is_some_and(|id| !id.contains('/'))
}

#[test]
fn without_a_grant_nothing_is_sent() {
    let service = Service::start(&[]);
    let done = service.project("net = [\"127.0.0.1:1\"]").run(&[]).exits(1);
    let lines = format!("[plugins.http-sandboxes.allow]\nnet = [\"127.0.0.1:1\", \"127.0.0.1:{}\"]", service.port);
    assert_eq!(done.results().count("not-run"), 9, "{}", done.says(&lines).said());
    assert!(service.requests().is_empty());
}

#[test]
fn a_wrong_token_is_named() {
    let service = Service::start(&["--token", "right"]);
    let project = service.project(GRANTS);
    let done = project.offload(&["run"]).env("SANDBOXES_TOKEN", "wr0ng").finish().exits(1);
    done.says("who are you? (status 401)").says("put the service's token into SANDBOXES_TOKEN").does_not_say("wr0ng");
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let mut service = Service::start(&[]);
    service.end();
    let project = service.project(GRANTS);
    let done = project.offload(&["run"]).patience(Duration::from_secs(60)).finish().exits(1);
    let done = done.says(&format!("the service at http://127.0.0.1:{} failed", service.port));
    assert_eq!(done.results().count("not-run"), 9, "{}", done.said());
}

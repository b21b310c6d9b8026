//! A stand-in for Modal's servers, one for each test: see `backends/fake_modal`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::invocation::MARKER;
use crate::{Invocation, Project, engines, leftovers};

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The server; it ends with the test, and all that runs in its sandboxes with it.
pub struct FakeModal {
    server: Child,
    port: String,
    state: PathBuf,
}

impl FakeModal {
    /// Starts one whose state is beside the project.
    #[track_caller]
    pub fn start(project: &Project) -> Self {
        let state = project.beside().join("modal");
        fs::create_dir_all(&state).expect("a directory can be made");
        fs::write(state.join("config.toml"), "").expect("a file can be written");
        let said = fs::File::create(state.join("said")).expect("a file can be made");
        let mut server = Command::new(engines::modal_python())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("backends/fake_modal"))
            .arg(&state)
            .arg(format!("{MARKER}={}", leftovers::marker(project)))
            // Where nothing of a Python package is written that somebody else may be reading.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(said)
            .process_group(0)
            .spawn()
            .expect("Python starts");
        let mut port = String::new();
        let stdout = server.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut port).expect("it says its port");
        let fake = Self { server, port: port.trim().to_owned(), state };
        assert!(!fake.port.is_empty(), "the server did not start; it said:\n{}", fake.read("said"));
        fake
    }

    /// The `[provider]` table that uses it, with a Dockerfile that is written here. Tests in its sandboxes are those of the
    /// project.
    #[must_use]
    pub fn install(project: &Project) -> String {
        project.write("Dockerfile", "FROM python:3.12\nWORKDIR /app\nCOPY . .\n");
        // What discovery and the reports write meanwhile is no part of the image.
        project.write(".dockerignore", "test-results\n.pytest_cache\n.offload\n");
        format!("[provider]\ntype = \"modal\"\ndockerfile = \"Dockerfile\"\npython = {:?}\n", engines::modal_python())
    }

    /// One with a project whose tests do nothing but sleep for so many seconds each, in many sandboxes.
    pub fn with_sleepers(sandboxes: u32, tests: u32, seconds: u32) -> (Project, Self) {
        let run = format!(
            "out=$1; shift\n{{ echo '<testsuite>'\nfor id; do sleep {seconds}; echo \"<testcase name='$id' \
             time='{seconds}'/>\"; done\necho '</testsuite>'; }} >\"$out\"\n"
        );
        let project = Project::new().file("run.sh", run);
        let fake = Self::start(&project);
        let table = Self::install(&project);
        let project = project.config(&format!(
            "[offload]\nmax_parallel = {sandboxes}\nretry_count = 0\n{table}\n[groups.g]\ntype = \"default\"\n\
             discover_command = \"seq {tests}\"\nrun_command = \"sh run.sh {{result_file}} {{tests}}\"\n"
        ));
        (project, fake)
    }

    /// `offload run` in the project, with an account of this server.
    pub fn run<'project>(&self, project: &'project Project, arguments: &[&str]) -> Invocation<'project> {
        let mut all = vec!["run"];
        all.extend(arguments);
        project.offload(&all).envs(self.environment())
    }

    /// What the SDK needs to find it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        let config = self.state.join("config.toml").display().to_string();
        [
            ("MODAL_SERVER_URL", format!("http://127.0.0.1:{}", self.port)),
            ("MODAL_TOKEN_ID", "ak-test".to_owned()),
            ("MODAL_TOKEN_SECRET", "as-test".to_owned()),
            ("MODAL_CONFIG_PATH", config),
        ]
    }

    /// Has something go wrong, as `faults.py` says.
    pub fn goes_wrong(&self, fault: &str, how: &str) {
        fs::write(self.state.join("faults").join(fault), how).expect("a file can be written");
    }

    /// Ends a sandbox behind everybody's back.
    pub fn terminate(&self, sandbox: &str) {
        fs::write(self.state.join("terminate").join(sandbox), "").expect("a file can be written");
    }

    /// The ids of the sandboxes that exist.
    pub fn living(&self) -> Vec<String> {
        self.read("living").lines().map(str::to_owned).collect()
    }

    /// How often a call was made.
    pub fn calls(&self, name: &str) -> usize {
        self.read("calls").lines().filter(|line| *line == name).count()
    }

    /// No sandbox was forgotten, and nothing was asked that the server does not know.
    #[track_caller]
    pub fn check_nothing_left(&self) {
        let living = self.living();
        assert!(living.is_empty(), "sandboxes were left: {living:?}");
        let calls = self.read("calls");
        assert!(!calls.contains("UNIMPLEMENTED"), "the fake does not suffice: {calls}");
    }

    /// Ends it with all that it runs: whoever speaks to it then finds nobody.
    pub fn end(&mut self) {
        drop(self.server.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && matches!(self.server.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = killpg(Pid::from_raw(self.server.id().cast_signed()), Signal::SIGKILL);
        let _ = self.server.wait();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.state.join(name)).unwrap_or_default()
    }
}

impl Drop for FakeModal {
    fn drop(&mut self) {
        self.end();
    }
}

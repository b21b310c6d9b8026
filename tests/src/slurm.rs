//! A Slurm cluster on this machine: see `tests/backends/slurm.sh`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Backend, Finished, Invocation, engines};

/// A cluster that runs.
pub struct Slurm {
    /// What names it to the script.
    name: String,
    configuration: PathBuf,
    is_shared: bool,
}

impl Slurm {
    /// The cluster that tests share, unless there is none: then it was said why.
    #[track_caller]
    pub fn get() -> Option<Self> {
        let backend = Backend::of("slurm")?;
        Some(Self { name: "slurm".to_owned(), configuration: backend.get("SLURM_CONF").into(), is_shared: true })
    }

    /// A cluster for a test that harms it, gone with its value.
    ///
    /// # Panics
    /// There is a cluster that tests share, and yet none can be made.
    #[track_caller]
    pub fn of_its_own(name: &str) -> Option<Self> {
        Self::get()?;
        let name = format!("slurm-{name}");
        let configuration = engines::target().join("backends").join(&name).join("slurm.conf");
        let cluster = Self { name, configuration, is_shared: false };
        cluster.script("down");
        cluster.script("up");
        Some(cluster)
    }

    /// Has `offload` find the cluster.
    #[must_use]
    pub fn with<'project>(&self, invocation: Invocation<'project>) -> Invocation<'project> {
        invocation.env("SLURM_CONF", &self.configuration)
    }

    /// What its programs read.
    pub fn configuration(&self) -> &Path {
        &self.configuration
    }

    /// A shell line with Slurm's programs; its output.
    #[track_caller]
    pub fn run(&self, line: &str) -> String {
        let mut command = Command::new("sh");
        let output = command.args(["-c", line]).env("SLURM_CONF", &self.configuration).output().expect("sh starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The numbers of the jobs of a run that are not over.
    pub fn jobs(&self, run_id: &str) -> Vec<String> {
        let listed = self.run("squeue --noheader --format='%i %j'");
        let own = listed.lines().filter(|line| line.contains(&format!("offload:{run_id}:")));
        own.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    /// No job of a run goes on, and no directory of it is anywhere.
    #[track_caller]
    pub fn check_nothing_left(&self, finished: &Finished) {
        let run_id = finished.results().run_id;
        // Slurm may need a moment to notice that the last process of a job is gone.
        let begun = Instant::now();
        while !self.jobs(&run_id).is_empty() && begun.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(self.jobs(&run_id), Vec::<String>::new(), "jobs were left; offload said:\n{}", finished.said());
        let directory = Path::new("/tmp").join(format!("offload-{run_id}"));
        assert!(!directory.exists(), "{} was left", directory.display());
    }

    /// Takes the controller away. Commands that run go on.
    #[track_caller]
    pub fn stop_controller(&self) {
        assert!(!self.is_shared, "others need the cluster");
        let home = self.configuration.parent().expect("it lies in a directory");
        let number = std::fs::read_to_string(home.join("slurmctld.pid")).expect("the controller runs");
        let number = number.trim().parse().expect("a process's number");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(number), nix::sys::signal::Signal::SIGKILL).expect("it ends");
    }

    #[track_caller]
    pub fn start_controller(&self) {
        self.script("up");
    }

    #[track_caller]
    fn script(&self, verb: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("backends/slurm.sh");
        let mut command = Command::new(script);
        let output = command.args([verb, &self.name]).env("CARGO_TARGET_DIR", engines::target()).output();
        let output = output.expect("the script starts");
        assert!(output.status.success(), "slurm.sh {verb}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        if !self.is_shared {
            self.script("down");
        }
    }
}

//! Engines of containers: podman itself, and docker's client at podman's Docker-compatible socket.

use std::process::Command;

use crate::{Backend, Finished, Invocation, Project, python_bin};

/// Each check, a function of the module that takes an engine, as a test for podman and one for docker.
#[macro_export]
macro_rules! on_each_engine {
    ($($check:ident)+) => {
        $(mod $check {
            #[test]
            fn podman() {
                if let Some(engine) = $crate::Containers::podman() {
                    super::$check(&engine);
                }
            }

            #[test]
            fn docker() {
                if let Some(engine) = $crate::Containers::docker() {
                    super::$check(&engine);
                }
            }
        })+
    };
}

/// An engine as the `docker` provider is told of it.
pub struct Containers {
    backend: Backend,
    /// Its program.
    pub command: &'static str,
}

impl Containers {
    pub fn podman() -> Option<Self> {
        Some(Self { backend: Backend::of("podman")?, command: "podman" })
    }

    pub fn docker() -> Option<Self> {
        Some(Self { backend: Backend::of("podman")?, command: "docker" })
    }

    /// The image that has pytest.
    pub fn python_image(&self) -> &str {
        self.backend.get("python_image")
    }

    /// The image that has busybox and nothing else.
    pub fn busybox_image(&self) -> &str {
        self.backend.get("busybox_image")
    }

    /// What the engine's program needs in its environment.
    pub fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        self.backend.environment()
    }

    /// A `[provider]` table for this image; `{engine}` in `command` stands for the engine's program.
    pub fn table(&self, command: &str, image: &str, more: &str) -> String {
        let command = command.replace("{engine}", self.command);
        format!(
            "[provider]\ntype = \"docker\"\ncommand = {command:?}\nimage = {image:?}\npull = \"never\"\nnetwork = \"none\"\n{more}\n"
        )
    }

    /// `offload` with these arguments in the project's directory, where it finds the engine, and as `python3` one with pytest.
    pub fn offload<'project>(&self, project: &'project Project, arguments: &[&str]) -> Invocation<'project> {
        let path = format!("{}:{}", python_bin().display(), std::env::var("PATH").expect("PATH is set"));
        let invocation = project.offload(arguments).env("PATH", path);
        self.environment().fold(invocation, |invocation, (name, value)| invocation.env(name, value))
    }

    /// A run to its end, after which the engine has nothing of it.
    #[track_caller]
    pub fn run(&self, project: &Project, arguments: &[&str]) -> Finished {
        let all: Vec<&str> = ["run"].into_iter().chain(arguments.iter().copied()).collect();
        let done = self.offload(project, &all).finish();
        self.check_nothing_left(&done);
        done
    }

    /// The engine has no container of this run.
    #[track_caller]
    pub fn check_nothing_left(&self, done: &Finished) {
        let left = self.of_run(&done.results().run_id);
        assert!(left.is_empty(), "containers were left: {left:?}; {} said:\n{}", done.command, done.said());
    }

    /// The names of this run's containers.
    #[track_caller]
    pub fn of_run(&self, run_id: &str) -> Vec<String> {
        let label = format!("label=offload.run-id={run_id}");
        let printed = self.ask(&["ps", "--all", "--filter", &label, "--format", "{{.Names}}"]);
        printed.lines().map(str::to_owned).collect()
    }

    /// What podman prints for a command of its own.
    #[track_caller]
    pub fn ask(&self, arguments: &[&str]) -> String {
        let output = self.podman_command(arguments).output().expect("podman starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A command of podman, not started yet.
    pub fn podman_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("podman");
        command.args(arguments).envs(self.environment());
        command
    }
}

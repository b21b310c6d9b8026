//! Where sandboxes are: what each engine's programs are called with, and what its provider is set to.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use offload_tests::{Containers, FakeModal, Finished, Project, Slurm, SshHosts};
use serde_json::{Value, json};

use crate::median;

const SUITE: &str = "import pytest\n\n@pytest.mark.parametrize('number', range(25))\ndef test_it(number):\n    pass\n";
const FILES: usize = 8;
const TESTS: usize = 200;

/// An engine that runs.
pub enum Engine {
    Local { place: tempfile::TempDir },
    Docker { containers: Containers },
    Ssh { hosts: SshHosts, place: tempfile::TempDir },
    Slurm { cluster: Slurm },
    Modal { server: FakeModal, project: Project },
}

impl Engine {
    /// The engine of a provider.
    ///
    /// # Errors
    /// It does not run here.
    pub fn of(provider: &str) -> Result<Self> {
        let absent = || format!("the engine of {provider} does not run: tests/backends has what starts it");
        Ok(match provider {
            "local" => Self::Local { place: tempfile::tempdir()? },
            "docker" => Self::Docker { containers: Containers::podman().with_context(absent)? },
            "ssh" => Self::Ssh { hosts: SshHosts::up().with_context(absent)?, place: tempfile::tempdir()? },
            "slurm" => Self::Slurm { cluster: Slurm::get().with_context(absent)? },
            "modal" => {
                let project = Project::new();
                drop(FakeModal::install(&project));
                Self::Modal { server: FakeModal::start(&project), project }
            }
            other => bail!("there is no provider {other}"),
        })
    }

    /// What its programs need.
    pub fn environment(&self) -> Vec<(String, String)> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        match self {
            Self::Local { .. } | Self::Ssh { .. } => Vec::new(),
            Self::Docker { containers } => containers.environment().map(owned).collect(),
            Self::Slurm { cluster } => {
                vec![("SLURM_CONF".to_owned(), cluster.configuration().display().to_string())]
            }
            Self::Modal { server, .. } => {
                server.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }
        }
    }

    /// The provider's table.
    pub fn settings(&self) -> Value {
        match self {
            Self::Local { .. } | Self::Slurm { .. } => json!({}),
            Self::Docker { containers } => {
                json!({ "command": "podman", "image": containers.python_image(), "pull": "never", "network": "none" })
            }
            Self::Ssh { hosts, .. } => json!({ "config": hosts.config(), "hosts": ["one"] }),
            Self::Modal { project, .. } => json!({
                "dockerfile": "Dockerfile",
                "python": offload_tests::modal_python(),
                "working_dir": project.path(),
            }),
        }
    }

    /// The command that makes a sandbox.
    pub fn creates(&self, round: usize) -> Vec<String> {
        words(match self {
            Self::Local { place } => format!("mkdir {}/{round}", place.path().display()),
            Self::Docker { containers } => {
                format!(
                    "podman run --detach --init --network none --pull never {} sleep 600",
                    containers.python_image()
                )
            }
            Self::Ssh { .. } => format!("{} mkdir /tmp/offload-bench-{round}", self.ssh()),
            Self::Slurm { .. } => "salloc --no-shell --ntasks 1 --job-name bench".to_owned(),
            Self::Modal { .. } => String::new(),
        })
    }

    /// What that made.
    ///
    /// # Errors
    /// It does not say.
    pub fn created(&self, round: usize, output: &Output) -> Result<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        Ok(match self {
            Self::Local { place } => format!("{}/{round}", place.path().display()),
            Self::Docker { .. } => text(&output.stdout),
            Self::Ssh { .. } | Self::Modal { .. } => format!("/tmp/offload-bench-{round}"),
            Self::Slurm { .. } => {
                let said = text(&output.stderr);
                let number = said.rsplit(' ').next().context("salloc names the job")?;
                ensure!(number.parse::<u64>().is_ok(), "salloc said {said:?}");
                number.to_owned()
            }
        })
    }

    /// The command that runs `true` in a sandbox.
    pub fn runs(&self, sandbox: &str) -> Vec<String> {
        words(match self {
            Self::Local { .. } => "sh -c true".to_owned(),
            Self::Docker { .. } => format!("podman exec {sandbox} true"),
            Self::Ssh { .. } => format!("{} true", self.ssh()),
            Self::Slurm { .. } => format!("srun --jobid={sandbox} --overlap --ntasks=1 true"),
            Self::Modal { .. } => String::new(),
        })
    }

    /// The command that removes it.
    pub fn destroys(&self, sandbox: &str) -> Vec<String> {
        words(match self {
            Self::Local { .. } => format!("rm -rf {sandbox}"),
            Self::Docker { .. } => format!("podman rm --force --time 0 {sandbox}"),
            Self::Ssh { .. } => format!("{} rm -rf {sandbox}", self.ssh()),
            Self::Slurm { .. } => format!("scancel {sandbox}"),
            Self::Modal { .. } => String::new(),
        })
    }

    /// Ends what the commands have in common.
    ///
    /// # Errors
    /// It cannot be ended.
    pub fn ended(&self) -> Result<()> {
        if let Self::Ssh { .. } = self {
            let exit = words(self.ssh().replace("ssh ", "ssh -O exit "));
            Command::new(&exit[0]).args(&exit[1..]).output().context("failed to start ssh")?;
        }
        Ok(())
    }

    /// ssh with one connection for all commands.
    fn ssh(&self) -> String {
        let Self::Ssh { hosts, place } = self else { return String::new() };
        let socket = place.path().join("socket");
        let shared = format!("-o ControlMaster=auto -o ControlPersist=60 -o ControlPath={}", socket.display());
        format!("ssh -F {} {shared} one", hosts.config())
    }

    /// Milliseconds of a whole run.
    ///
    /// # Errors
    /// It did not end as it should.
    pub fn suite(&self) -> Result<f64> {
        let times = (0..3).map(|_| self.run_suite()).collect::<Result<Vec<_>>>()?;
        Ok(median(times))
    }

    fn run_suite(&self) -> Result<Duration> {
        let here = Project::new();
        let project = if let Self::Modal { project, .. } = self { project } else { &here };
        for number in 0..FILES {
            project.write(&format!("tests/test_{number}.py"), SUITE);
        }
        let python = offload_tests::python().display().to_string();
        let (table, python) = match self {
            Self::Local { .. } => ("[provider]\ntype = \"local\"\n".to_owned(), python),
            Self::Docker { containers } => {
                let more = "workdir = \"/app\"\ncopy_dirs = [\"tests:/app/tests\"]";
                (containers.table("podman", containers.python_image(), more), "python3".to_owned())
            }
            Self::Ssh { hosts, .. } => (hosts.table(&["one", "two"]) + "copy_dirs = [\"tests:tests\"]\n", python),
            Self::Slurm { .. } => ("[provider]\ntype = \"slurm\"\n".to_owned(), python),
            Self::Modal { project, .. } => (FakeModal::install(project), python),
        };
        let group = format!("[groups.g]\ntype = \"pytest\"\npaths = [\"tests\"]\npython = {python:?}\n");
        project.write("offload.toml", format!("[offload]\nmax_parallel = 2\n{table}\n{group}"));
        let begun = Instant::now();
        let done = self.finished(project);
        let took = begun.elapsed();
        ensure!(done.code == 0 && done.results().count("passed") == TESTS, "the suite failed:\n{}", done.said());
        Ok(took)
    }

    fn finished(&self, project: &Project) -> Finished {
        match self {
            Self::Local { .. } | Self::Ssh { .. } => project.run(&[]),
            Self::Docker { containers } => containers.run(project, &[]),
            Self::Slurm { cluster } => cluster.with(project.offload(&["run"])).finish(),
            Self::Modal { server, .. } => server.run(project, &[]).finish(),
        }
    }
}

fn words(line: String) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

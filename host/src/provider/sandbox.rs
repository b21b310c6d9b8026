//! One place where tests run.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Mutex;
use uuid::Uuid;

use super::fetch::{NO_DOWNLOAD, fetch};
use super::handle::Provider;
use crate::model::{Failure, RunId, SandboxName};
use crate::plugin::contract::{self, Created, Transfer};
use crate::process::{self, Command, EXEC_ID, Exit, Mark, SANDBOX, Stdio};

/// The variables that tell a test which sandbox it runs in, by name and by a small number that no other has meanwhile.
const SANDBOX_NAME: &str = "OFFLOAD_SANDBOX_NAME";
const SLOT: &str = "OFFLOAD_SLOT";

/// What a sandbox is created from.
#[derive(Clone, Debug)]
pub struct SandboxSpec {
    pub name: SandboxName,
    /// The smallest number that no living sandbox of this run has.
    pub slot: u32,
    pub run_id: RunId,
    pub image: Option<String>,
    pub env: Vec<(String, String)>,
    /// Directories to bring along, local and remote.
    pub copy_dirs: Vec<(String, String)>,
    /// Where its commands run unless they say otherwise.
    pub cwd: Option<String>,
    /// Whether it must not share a writable working directory with another sandbox.
    pub isolated: bool,
}

impl SandboxSpec {
    pub(super) fn to_contract(&self) -> contract::SandboxSpec {
        contract::SandboxSpec {
            name: self.name.to_string(),
            slot: self.slot,
            run_id: self.run_id.to_string(),
            image: self.image.clone(),
            env: self.env.clone(),
            cwd: self.cwd.clone(),
            copy_dirs: transfers(&self.copy_dirs),
            isolated: self.isolated,
        }
    }
}

pub(crate) fn transfers(copy_dirs: &[(String, String)]) -> Vec<Transfer> {
    copy_dirs.iter().map(|(local, remote)| Transfer { local: local.clone(), remote: remote.clone() }).collect()
}

/// A sandbox that is up.
#[derive(Clone)]
pub struct Sandbox {
    provider: Provider,
    spec: Arc<SandboxSpec>,
    id: String,
    scratch_root: String,
}

impl Sandbox {
    pub(super) fn new(provider: Provider, spec: SandboxSpec, created: Created) -> Self {
        Self { provider, spec: Arc::new(spec), id: created.sandbox, scratch_root: created.scratch_root }
    }

    pub fn name(&self) -> &SandboxName {
        &self.spec.name
    }

    /// As the provider knows it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn slot(&self) -> u32 {
        self.spec.slot
    }

    /// Whether paths mean the same in it and here.
    pub(crate) fn is_this_machine(&self) -> bool {
        self.provider.is_this_machine()
    }

    /// A directory in the sandbox that exists and may be written to.
    pub(crate) fn scratch_root(&self) -> &str {
        &self.scratch_root
    }

    /// Runs a command to its end; its streams go where `stdio` says. There is no limit of time but the caller's, who
    /// drops the future and then calls [`cancel`](Self::cancel).
    pub(crate) async fn exec(
        &self,
        exec_id: &str,
        command: &Command,
        stdio: Arc<Mutex<Stdio>>,
    ) -> Result<Exit, Failure> {
        let mut env = self.spec.env.clone();
        env.extend(command.env.iter().cloned());
        env.extend([
            (SANDBOX_NAME.into(), self.spec.name.to_string()),
            (SLOT.into(), self.spec.slot.to_string()),
            (SANDBOX.into(), format!("{}/{}", self.spec.run_id, self.spec.name)),
            (EXEC_ID.into(), exec_id.into()),
        ]);
        let command = contract::Command {
            argv: command.argv.clone(),
            env,
            cwd: command.cwd.as_ref().map(|cwd| cwd.to_string_lossy().into_owned()),
        };
        let strays = self.is_this_machine().then(|| Mark::new_exec(exec_id));
        let ended = self.provider.component()?.exec(&self.id, exec_id, &command, stdio).await;
        if let Some(mark) = strays {
            // What is left in its group has ended with it.
            self.provider.end_strays(&mark, self.name().as_str()).await;
        }
        Ok(ended?.into())
    }

    /// Ends a running exec and all its processes; one that has ended is no failure.
    pub(crate) async fn cancel(&self, exec_id: &str) -> Result<(), Failure> {
        let cancelled = self.provider.cancel(&self.id, exec_id).await;
        process::sweep(&Mark::exec(exec_id)).await;
        cancelled
    }

    /// Brings files back: pairs of the path in the sandbox and the local path. What does not exist is left out.
    pub(crate) async fn download(&self, files: &[(String, &Path)]) -> Result<(), Failure> {
        let files: Vec<_> = files
            .iter()
            .map(|(remote, local)| Transfer { local: local.to_string_lossy().into_owned(), remote: remote.clone() })
            .collect();
        if files.is_empty() {
            return Ok(());
        }
        let downloaded = match self.provider.download(&self.id, &files).await {
            Err(failure) if failure.code == NO_DOWNLOAD => self.fetch(&files).await,
            downloaded => downloaded.map(drop),
        };
        if downloaded.is_err() {
            // Half a file takes the room that other results need.
            files.iter().for_each(|Transfer { local, .. }| drop(std::fs::remove_file(local)));
        }
        downloaded
    }

    /// As above, by a command for each file.
    async fn fetch(&self, files: &[Transfer]) -> Result<(), Failure> {
        for Transfer { local, remote } in files {
            let exec_id = Uuid::new_v4().simple().to_string();
            let fetched = self.provider.within_download(fetch(self, &exec_id, remote, Path::new(local))).await;
            if let Err(failure) = fetched {
                // The command may still run there. Why the file is missing says more than that it could not be ended.
                let _ = self.cancel(&exec_id).await;
                return Err(failure);
            }
        }
        Ok(())
    }
}

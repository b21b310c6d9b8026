//! The component's exports: lines are made by the other modules, and run by the host.

use offload_plugin::inside;
use offload_plugin::prelude::*;

use crate::client::Client;
use crate::complaint::{SSH_FAILED, in_one_line, is_of_ssh, unreachable};
use crate::hosts::Hosts;
use crate::sandbox::Sandbox;
use crate::settings::Settings;
use crate::{aftermath, creation, destruction, environment, preparation, remote};

/// The longest line that is handed to ssh as an argument; the login shell gets it as one, too. Linux takes 128 KiB
/// (`MAX_ARG_STRLEN`).
const LONGEST_LINE: usize = 96 * 1024;

pub struct Ssh {
    pub settings: Settings,
}

impl Plugin for Ssh {
    type Settings = Settings;

    const NAME: &'static str = "ssh";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "runs tests on hosts that ssh reaches";
    const REQUESTS: &'static [&'static str] = &["run:sh", "run:ssh", "env:*"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        settings.check()?;
        Ok(Self { settings })
    }
}

impl Provider for Ssh {
    fn prepare(&self, _spec: ImageSpec) -> Result<Prepared, Failure> {
        let client = self.client()?;
        let hosts = preparation::hosts(&client, &self.settings)?;
        let slots = hosts.living.iter().map(|host| self.settings.slots_of(host)).sum();
        Ok(Prepared { image: Some(hosts.to_json()), max_sandboxes: Some(slots) })
    }

    fn create(&self, spec: SandboxSpec) -> Result<Created, Failure> {
        check_isolation(&self.settings, &spec)?;
        inside::check_names(&spec.env)?;
        let hosts = Hosts::from_json(spec.image.as_deref())?;
        let sandbox = creation::create(&self.client()?, &self.settings, &hosts, &spec)?;
        Ok(Created { sandbox: sandbox.to_json(), scratch_root: sandbox.scratch })
    }

    fn exec(&self, sandbox: &str, exec_id: &str, command: Command, stdio: &Stdio) -> Result<Exit, Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        let client = self.client()?;
        let cwd = command.cwd.as_deref().map(|cwd| sandbox.locate(cwd));
        let env = environment::beyond(&sandbox.stored, command.env);
        let command = inside::command(&Command { cwd, env, ..command })?;
        let mut line = remote::exec(&sandbox, exec_id, &command);
        if line.len() > LONGEST_LINE {
            let path = format!("{}/command-{exec_id}", sandbox.scratch);
            store(&client, &sandbox, &path, command.as_bytes())?;
            line = remote::exec(&sandbox, exec_id, &inside::run_stored(&path));
        }
        match process::run(&client.command(&sandbox.host, sandbox.connection.as_ref(), &line), stdio)? {
            Exit::Code(code) if code != SSH_FAILED => Ok(Exit::Code(code)),
            _ => aftermath::of(&client, &sandbox, exec_id),
        }
    }

    fn cancel(&self, sandbox: &str, exec_id: &str) -> Result<(), Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        let finished = self.client()?.run_there(&sandbox, &remote::cancel(&sandbox, exec_id), &[])?;
        match finished.exit {
            Exit::Code(0) => Ok(()),
            _ => Err(Failure::new(
                "cancel-failed",
                format!(
                    "the processes of a command in {} could not be ended: {}",
                    sandbox.place(),
                    in_one_line(&finished.complaint())
                ),
            )),
        }
    }

    fn destroy(&self, sandboxes: &[String]) -> Result<(), Failure> {
        let sandboxes = sandboxes.iter().map(|json| Sandbox::from_json(json)).collect::<Result<Vec<_>, _>>()?;
        destruction::destroy(&self.client()?, &sandboxes)
    }
}

offload_plugin::export!(Ssh: Provider + Reaper + Doctor);

impl Ssh {
    pub fn client(&self) -> Result<Client<'_>, Failure> {
        Client::new(&self.settings)
    }
}

/// Whether a sandbox has its working directory for itself, if it has to.
fn check_isolation(settings: &Settings, spec: &SandboxSpec) -> Result<(), Failure> {
    let Settings { hosts, remote_dir, .. } = settings;
    match remote_dir {
        Some(remote_dir) if spec.isolated && hosts.iter().any(|host| settings.slots_of(host) > 1) => Err(Failure::new(
            "not-isolated",
            format!(
                "these tests need a directory of their own in each sandbox, and {remote_dir} is one for all on a host"
            ),
        )
        .with_help("remove remote_dir and bring the project by copy_dirs, or set slots = 1")),
        _ => Ok(()),
    }
}

/// Puts a file into the sandbox.
fn store(client: &Client<'_>, sandbox: &Sandbox, path: &str, contents: &[u8]) -> Result<(), Failure> {
    let finished = client.run_there(sandbox, &remote::store(path), contents)?;
    if String::from_utf8_lossy(&finished.stdout).contains(inside::COPIED) {
        return Ok(());
    }
    let said = in_one_line(&finished.complaint());
    if is_of_ssh(&finished) {
        return Err(unreachable(&sandbox.host, &said));
    }
    Err(Failure::new("copy-failed", format!("a long command could not be put on {}: {said}", sandbox.host))
        .with_help("its temporary directory must have room"))
}

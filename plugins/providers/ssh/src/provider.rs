//! The component's exports: lines are made by the other modules, and run by the host.

use std::collections::BTreeMap;

use offload_plugin::prelude::*;
use offload_plugin::{copying, inside};

use crate::client::Client;
use crate::complaint::{SSH_FAILED, in_one_line, is_of_ssh, unreachable};
use crate::fleet::{self, Errand};
use crate::hosts::Hosts;
use crate::sandbox::{Connection, Sandbox};
use crate::seats::{self, Seat};
use crate::settings::Settings;
use crate::{environment, remote, script};

/// The longest line that is handed to ssh as an argument. Linux takes 128 KiB (`MAX_ARG_STRLEN`), and the line is quoted once
/// more for the login shell.
const LONGEST_LINE: usize = 64 * 1024;

const NEEDS_TAR: &str = "the host needs tar, and room in its temporary directory";

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
        let connections = open_connections(&client)?;
        let living = self.living(&client, &connections)?;
        let slots = living.iter().map(|host| self.settings.slots_of(host)).sum();
        let hosts = Hosts { connections, living };
        Ok(Prepared { image: Some(hosts.to_json()), max_sandboxes: Some(slots) })
    }

    fn create(&self, spec: SandboxSpec) -> Result<Created, Failure> {
        self.check_isolation(&spec)?;
        let hosts = Hosts::from_json(spec.image.as_deref())?;
        let client = self.client()?;
        let slots: Vec<_> = hosts.living.iter().map(|host| self.settings.slots_of(host)).collect();
        let mut seats = seats::in_order_for(spec.slot, &slots);
        let mut first_failure = None;
        while let Some(seat) = take_seat(&hosts.connections, spec.slot, &seats)? {
            let host = &hosts.living[seat.host];
            match self.create_on(&client, host, self.connection(&hosts.connections, host), &spec) {
                Ok(sandbox) => {
                    return Ok(Created { sandbox: sandbox.to_json(), scratch_root: sandbox.scratch });
                }
                Err(failure) => {
                    script::leave_seat(&hosts.connections, seat).capture()?;
                    let is_away = failure.code == "host-unreachable";
                    first_failure.get_or_insert(failure);
                    if !is_away {
                        break;
                    }
                    // Another host may have room for it.
                    seats.retain(|other| other.host != seat.host);
                }
            }
        }
        Err(first_failure.unwrap_or_else(|| {
            Failure::new("no-slot", "every slot of the hosts that answered has a sandbox").retryable()
        }))
    }

    fn exec(&self, sandbox: &str, exec_id: &str, command: Command, stdio: &Stdio) -> Result<Exit, Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        let client = self.client()?;
        let cwd = command.cwd.as_deref().map(|cwd| sandbox.locate(cwd));
        let env = environment::beyond(&sandbox.stored, command.env);
        let mut line = inside::command(&Command { cwd, env, ..command })?;
        if line.len() > LONGEST_LINE {
            let path = format!("{}/command-{exec_id}", sandbox.scratch);
            store(&client, &sandbox, &path, line.as_bytes())?;
            line = inside::run_stored(&path);
        }
        let line = remote::exec(&sandbox, exec_id, &line);
        match process::run(&client.command(&sandbox.host, sandbox.connection.as_ref(), &line), stdio)? {
            Exit::Code(code) if code != SSH_FAILED => Ok(Exit::Code(code)),
            _ => what_became_of(&client, &sandbox, exec_id),
        }
    }

    fn cancel(&self, sandbox: &str, exec_id: &str) -> Result<(), Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        let finished = run_there(&self.client()?, &sandbox, &remote::cancel(&sandbox, exec_id), &[])?;
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
        destroy(&self.client()?, &sandboxes)
    }
}

offload_plugin::export!(Ssh: Provider + Reaper + Doctor);

impl Ssh {
    pub fn client(&self) -> Result<Client<'_>, Failure> {
        Client::new(&self.settings)
    }

    /// The connection of the run to a host.
    fn connection(&self, connections: &str, host: &str) -> Connection {
        let position = self.settings.hosts.iter().position(|known| known == host).unwrap_or_default();
        Connection { directory: connections.to_owned(), position }
    }

    /// The hosts that answer, with a connection of the run to each.
    fn living(&self, client: &Client<'_>, connections: &str) -> Result<Vec<String>, Failure> {
        let errands: Vec<_> = (self.settings.hosts.iter())
            .map(|host| Errand { host, connection: Some(self.connection(connections, host)), line: remote::greet() })
            .collect();
        let answers = fleet::send(client, &errands)?;
        let mut living = Vec::new();
        let mut failures = Vec::new();
        for (host, answer) in self.settings.hosts.iter().zip(answers) {
            if answer.code == 0 && answer.marked(remote::READY).next().is_some() {
                living.push(host.clone());
            } else {
                failures.push(unreachable(host, &answer.complaint()));
            }
        }
        let messages: Vec<_> = failures.iter().map(|failure| failure.message.as_str()).collect();
        if !living.is_empty() {
            messages.iter().for_each(|message| host::log("warn", &format!("{message}; the run goes on without it")));
            return Ok(living);
        }
        let failure = Failure::new("no-host", messages.join("\n"));
        Err(match failures.first().and_then(|failure| failure.help.clone()) {
            Some(help) => failure.with_help(help),
            None => failure,
        })
    }

    /// Whether a sandbox has its working directory for itself, if it has to.
    fn check_isolation(&self, spec: &SandboxSpec) -> Result<(), Failure> {
        let Settings { hosts, remote_dir, .. } = &self.settings;
        match remote_dir {
            Some(remote_dir) if spec.isolated && hosts.iter().any(|host| self.settings.slots_of(host) > 1) => {
                Err(Failure::new(
                    "not-isolated",
                    format!("these tests need a directory of their own in each sandbox, and {remote_dir} is one for all on a host"),
                )
                .with_help("remove remote_dir and bring the project by copy_dirs, or set slots = 1"))
            }
            _ => Ok(()),
        }
    }

    fn create_on(
        &self,
        client: &Client<'_>,
        host: &str,
        connection: Connection,
        spec: &SandboxSpec,
    ) -> Result<Sandbox, Failure> {
        let remote_dir = spec.cwd.as_deref().or(self.settings.remote_dir.as_deref());
        let line = client.line(host, Some(&connection), &remote::create(&spec.run_id, &spec.name, remote_dir));
        let line = script::explained(Some(&connection.log()), line);
        let command = client.started(Command::new(["sh".to_owned(), "-c".to_owned(), line]));
        let finished = process::capture(&command, environment::file(&spec.env).as_bytes())?;
        let Some((scratch, work)) = created(&finished.stdout) else {
            let said = in_one_line(&finished.complaint());
            if is_of_ssh(&finished) {
                return Err(unreachable(host, &said));
            }
            return Err(Failure::new("create-failed", format!("no sandbox could be made on {host}: {said}"))
                .with_help(format!("see whether `ssh {host} mktemp -d` works: its temporary directory must have room"))
                .retryable());
        };
        let stored = environment::digests(&spec.env);
        let sandbox = Sandbox { host: host.to_owned(), scratch, work, connection: Some(connection), stored };
        let copied = spec.copy_dirs.iter().try_for_each(|directory| copy_in(client, &sandbox, directory));
        match copied {
            Ok(()) => Ok(sandbox),
            Err(failure) => {
                // The host knows nothing of this sandbox yet, so that nobody else can clear it away.
                if let Err(left_behind) = destroy(client, &[sandbox]) {
                    host::log("warn", &left_behind.message);
                }
                Err(failure)
            }
        }
    }
}

fn open_connections(client: &Client<'_>) -> Result<String, Failure> {
    let finished = script::open(client).capture()?;
    match String::from_utf8_lossy(&finished.stdout).trim_end() {
        "" => Err(Failure::new(
            "prepare-failed",
            format!("no directory for the connections of this run could be made: {}", finished.complaint()),
        )
        .with_help("the temporary directory of this machine (TMPDIR, or /tmp) must be writable")),
        place => Ok(place.to_owned()),
    }
}

/// Takes the first of these seats that is free.
fn take_seat(place: &str, slot: u32, seats: &[Seat]) -> Result<Option<Seat>, Failure> {
    let finished = script::take_seat(place, slot, seats).capture()?;
    let taken = String::from_utf8_lossy(&finished.stdout);
    Ok(seats.iter().copied().find(|seat| seat.name() == taken.trim_end()))
}

/// The directories that `remote::create` printed; a login shell may have said something before.
fn created(stdout: &[u8]) -> Option<(String, String)> {
    let printed = String::from_utf8_lossy(stdout);
    let mut lines = printed.lines().skip_while(|line| *line != remote::CREATED).skip(1);
    Some((lines.next()?.to_owned(), lines.next()?.to_owned()))
}

fn copy_in(client: &Client<'_>, sandbox: &Sandbox, directory: &Transfer) -> Result<(), Failure> {
    let Transfer { local, remote } = directory;
    let connection = sandbox.connection.as_ref();
    let line = client.line(&sandbox.host, connection, &remote::unpack(sandbox, &sandbox.locate(remote)));
    let line = script::explained(connection.map(Connection::log).as_deref(), line);
    let finished = client.started(copying::send(local, &line)).capture()?;
    copying::outcome(&finished, local, remote, &sandbox.host, NEEDS_TAR)
}

/// Puts a file into the sandbox.
fn store(client: &Client<'_>, sandbox: &Sandbox, path: &str, contents: &[u8]) -> Result<(), Failure> {
    let finished = run_there(client, sandbox, &remote::store(path), contents)?;
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

/// Runs a line on the host of a sandbox; what ssh itself says is on its standard error.
fn run_there(client: &Client<'_>, sandbox: &Sandbox, line: &str, stdin: &[u8]) -> Result<Captured, Failure> {
    let connection = sandbox.connection.as_ref();
    let line = client.line(&sandbox.host, connection, line);
    let line = script::explained(connection.map(Connection::log).as_deref(), line);
    process::capture(&client.started(Command::new(["sh".to_owned(), "-c".to_owned(), line])), stdin)
}

/// ssh ended as it does when a connection breaks, or as what it ran did.
fn what_became_of(client: &Client<'_>, sandbox: &Sandbox, exec_id: &str) -> Result<Exit, Failure> {
    let before = match &sandbox.connection {
        Some(connection) => in_one_line(&String::from_utf8_lossy(&script::said(&connection.log()).capture()?.stdout)),
        None => String::new(),
    };
    let inquiry = run_there(client, sandbox, &remote::inquire(sandbox, exec_id), &[])?;
    let answer = String::from_utf8_lossy(&inquiry.stdout);
    let host = &sandbox.host;
    if answer.contains(remote::ENDED) {
        return Ok(Exit::Code(SSH_FAILED));
    }
    Err(if answer.contains(remote::CUT) {
        let why = if before.is_empty() { "ssh does not say why".to_owned() } else { before };
        Failure::new("connection-lost", format!("the connection to {host} broke while a command ran there: {why}"))
            .retryable()
    } else if inquiry.exit == Exit::Code(0) {
        Failure::new(
            "sandbox-lost",
            format!("{} is gone: somebody removed it, or {host} was started anew", sandbox.place()),
        )
    } else {
        let said = in_one_line(&inquiry.complaint());
        Failure::new("sandbox-lost", format!("{host} went away while a command ran there: {said}")).retryable()
    })
}

/// Destroys sandboxes, with one command for each host.
fn destroy(client: &Client<'_>, sandboxes: &[Sandbox]) -> Result<(), Failure> {
    let mut by_host: BTreeMap<&str, Vec<&Sandbox>> = BTreeMap::new();
    for sandbox in sandboxes {
        by_host.entry(&sandbox.host).or_default().push(sandbox);
    }
    let errands: Vec<_> = by_host
        .iter()
        .map(|(host, sandboxes)| {
            let connection = sandboxes.iter().find_map(|sandbox| sandbox.connection.clone());
            Errand { host, connection, line: remote::destroy(sandboxes) }
        })
        .collect();
    let answers = fleet::send(client, &errands)?;
    let failures: Vec<_> = by_host
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.code != 0)
        .map(|((host, sandboxes), answer)| {
            let left: Vec<_> = sandboxes.iter().map(|sandbox| sandbox.scratch.as_str()).collect();
            format!("{host} ({}), where {} is left", answer.complaint(), left.join(", "))
        })
        .collect();
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::new("destroy-failed", format!("sandboxes could not be removed from {}", failures.join("; from ")))
        .with_help("remove these directories there, and end what still runs in them")
        .retryable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_login_shell_says_first_is_skipped() {
        let printed = b"Welcome!\noffload-created\n/tmp/offload.r.ssh-1.abc\n/home/me/work\n";
        assert_eq!(created(printed), Some(("/tmp/offload.r.ssh-1.abc".to_owned(), "/home/me/work".to_owned())));
        assert_eq!(created(b"offload-created\n/tmp"), None);
        assert_eq!(created(b""), None);
    }
}

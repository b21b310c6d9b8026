//! Makes sandboxes.

use offload_plugin::copying;
use offload_plugin::prelude::*;

use crate::client::Client;
use crate::complaint::{in_one_line, is_of_ssh, unreachable};
use crate::hosts::Hosts;
use crate::sandbox::{Connection, Sandbox};
use crate::seats::{self, Seat};
use crate::settings::Settings;
use crate::{destruction, environment, remote, script};

const NEEDS_TAR: &str = "the host needs tar, and room in its temporary directory";

/// Makes a sandbox on the host whose turn it is, or where that one is away, on another that has room.
///
/// # Errors
/// Why it could not be made on the first one.
pub fn create(client: &Client<'_>, settings: &Settings, hosts: &Hosts, spec: &SandboxSpec) -> Result<Sandbox, Failure> {
    let slots: Vec<_> = hosts.living.iter().map(|host| settings.slots_of(host)).collect();
    let mut seats = seats::in_order_for(spec.slot, &slots);
    let mut first_failure = None;
    while let Some(seat) = take_seat(&hosts.connections, spec.slot, &seats)? {
        let host = &hosts.living[seat.host];
        match create_on(client, host, Connection::to(host, settings, &hosts.connections), settings, spec) {
            Ok(sandbox) => return Ok(sandbox),
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
        Failure::new("no-slot", "every slot of the hosts that answered has a sandbox")
            .with_help("raise slots, or lower max_parallel")
    }))
}

fn create_on(
    client: &Client<'_>,
    host: &str,
    connection: Connection,
    settings: &Settings,
    spec: &SandboxSpec,
) -> Result<Sandbox, Failure> {
    let remote_dir = spec.cwd.as_deref().or(settings.remote_dir.as_deref());
    let command = client.explained(host, Some(&connection), &remote::create(&spec.run_id, &spec.name, remote_dir));
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
            if let Err(left_behind) = destruction::destroy(client, &[sandbox]) {
                host::log("warn", &left_behind.message);
            }
            Err(failure)
        }
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

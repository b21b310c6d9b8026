//! Finds the hosts that answer.

use offload_plugin::prelude::*;

use crate::client::Client;
use crate::complaint::unreachable;
use crate::fleet::{self, Errand};
use crate::hosts::Hosts;
use crate::sandbox::Connection;
use crate::settings::Settings;
use crate::{remote, script};

/// Opens a connection to every host.
///
/// # Errors
/// None answers: what ssh says of each.
pub fn hosts(client: &Client<'_>, settings: &Settings) -> Result<Hosts, Failure> {
    let connections = open_connections(client)?;
    let living = living(client, settings, &connections)?;
    Ok(Hosts { connections, living })
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

/// The hosts that answer, with a connection of the run to each.
fn living(client: &Client<'_>, settings: &Settings, connections: &str) -> Result<Vec<String>, Failure> {
    let errands: Vec<_> = (settings.hosts.iter())
        .map(|host| Errand {
            host,
            connection: Some(Connection::to(host, settings, connections)),
            line: remote::greet(),
        })
        .collect();
    let answers = fleet::send(client, &errands)?;
    let mut living = Vec::new();
    let mut failures = Vec::new();
    for (host, answer) in settings.hosts.iter().zip(answers) {
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

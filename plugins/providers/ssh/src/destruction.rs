//! Removes sandboxes.

use std::collections::BTreeMap;

use offload_plugin::types::Failure;

use crate::client::Client;
use crate::fleet::{self, Errand};
use crate::remote;
use crate::sandbox::Sandbox;

/// Destroys sandboxes, with one command for each host.
///
/// # Errors
/// `destroy-failed`, with what is left and where.
pub fn destroy(client: &Client<'_>, sandboxes: &[Sandbox]) -> Result<(), Failure> {
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

//! What became of a command whose ssh ended as it does when a connection breaks.

use offload_plugin::prelude::*;

use crate::client::Client;
use crate::complaint::{SSH_FAILED, in_one_line};
use crate::sandbox::Sandbox;
use crate::{remote, script};

/// Asks the host, on another connection if need be: the command may have ended so by itself.
///
/// # Errors
/// `connection-lost` where the sandbox is still there, `sandbox-lost` where it is not or cannot be reached.
pub fn of(client: &Client<'_>, sandbox: &Sandbox, exec_id: &str) -> Result<Exit, Failure> {
    let before = match &sandbox.connection {
        Some(connection) => in_one_line(&String::from_utf8_lossy(&script::said(&connection.log()).capture()?.stdout)),
        None => String::new(),
    };
    let inquiry = client.run_there(sandbox, &remote::inquire(sandbox, exec_id), &[])?;
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

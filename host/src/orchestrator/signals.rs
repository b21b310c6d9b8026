//! SIGINT, SIGTERM and SIGHUP.

use std::future::pending;

use nix::sys::signal::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::process;

/// The signals that ask a run to leave.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Absent where offload was started by `nohup` or the like: then the run goes on when its terminal is closed.
    hang_up: Option<Signal>,
}

impl Signals {
    /// From here on the signals no longer end the process by themselves.
    pub(super) fn listen() -> std::io::Result<Self> {
        let survives_hang_up = process::ignores(Number::SIGHUP);
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: if survives_hang_up { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    /// Waits for the next signal and gives its number.
    pub(super) async fn next(&mut self) -> u8 {
        let hung_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
            _ = hung_up => 1,
        }
    }
}

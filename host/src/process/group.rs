//! Process groups, so that a command ends with all that it started.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Kills the group when it goes out of scope, which is also how a cancelled command ends.
pub(super) struct Group {
    leader: Option<Pid>,
}

impl Group {
    pub(super) fn of(child: &tokio::process::Child) -> Self {
        Self { leader: child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw) }
    }

    /// Leaves whatever still runs in the group alone.
    pub(super) fn release(mut self) {
        self.leader = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // An empty group is the normal case: everything in it has ended.
            let _ = killpg(leader, Signal::SIGKILL);
        }
    }
}

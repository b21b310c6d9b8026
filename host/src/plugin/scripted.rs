//! Who runs the commands of a component: this machine, or a script that answers in its place.

use std::fmt;
use std::sync::Arc;

use crate::model::{Failure, Stream};
use crate::process::{Captured, Command, Exit, Stdio};

/// Answers for processes that are not run.
pub trait Script: Send + Sync {
    /// What the command would have done with this on its standard input.
    ///
    /// # Errors
    /// The command could not be started.
    fn answer(&self, command: &Command, stdin: &[u8]) -> Result<Captured, Failure>;
}

impl<F: Fn(&Command, &[u8]) -> Result<Captured, Failure> + Send + Sync> Script for F {
    fn answer(&self, command: &Command, stdin: &[u8]) -> Result<Captured, Failure> {
        self(command, stdin)
    }
}

/// Who runs commands.
#[derive(Clone, Default)]
pub enum Processes {
    /// This machine.
    #[default]
    Real,
    Scripted(Arc<dyn Script>),
}

impl fmt::Debug for Processes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Real) { "Real" } else { "Scripted" })
    }
}

/// Answers a command whose streams are the host's.
pub(super) async fn answer(script: &dyn Script, command: &Command, stdio: &mut Stdio) -> Result<Exit, Failure> {
    let mut stdin = Vec::new();
    while let Some(bytes) = stdio.stdin.next(usize::MAX).await {
        stdin.extend(bytes);
    }
    let Captured { exit, stdout, stderr } = script.answer(command, &stdin)?;
    let unwritten = |error: std::io::Error| Failure::new("unwritable-log", error.to_string());
    stdio.stdout.write(Stream::Stdout, &stdout).await.map_err(unwritten)?;
    stdio.stderr.write(Stream::Stderr, &stderr).await.map_err(unwritten)?;
    Ok(exit)
}

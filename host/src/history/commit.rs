//! Which commit a run is about.

use std::path::Path;
use std::time::Duration;

use crate::process::{Command, Exit, capture};

/// Longer than this, nobody waits for git.
const PATIENCE: Duration = Duration::from_secs(5);

/// The commit that is checked out in this directory, if git knows one.
pub async fn commit_of(directory: &Path) -> Option<String> {
    let command = Command {
        argv: ["git", "rev-parse", "--verify", "HEAD"].map(str::to_owned).into(),
        cwd: Some(directory.to_owned()),
        ..Command::default()
    };
    let captured = tokio::time::timeout(PATIENCE, capture(&command, Vec::new())).await.ok()?.ok()?;
    let commit = String::from_utf8(captured.stdout).ok()?.trim().to_owned();
    (captured.exit == Exit::Code(0) && commit.chars().all(|c| c.is_ascii_hexdigit())).then_some(commit)
}

//! Where a command's output goes.

use std::fs::File;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use crate::model::{Failure, Stream};
use crate::process::{Capture, Output};

/// How much of a command's standard error is shown when there is nothing else to show.
const STDERR_TAIL: usize = 4 << 10;

/// What is told of output as it comes.
pub(super) type Tap = mpsc::Sender<(Stream, Vec<u8>)>;

/// Output that is kept in part, and written to the log as a whole.
pub(super) fn captured_to(log: &Path, stream: Stream, tap: Option<Tap>) -> Result<Output, Failure> {
    Ok(Output { capture: Capture::default(), log: Some(create_log(log, stream)?), tap })
}

/// The log of one stream; `stem` is its path without `.stdout` and `.stderr`.
pub(super) fn create_log(stem: &Path, stream: Stream) -> Result<File, Failure> {
    let mut path = stem.as_os_str().to_owned();
    path.push(".");
    path.push(stream.name());
    let path = PathBuf::from(path);
    File::create(&path).map_err(|error| {
        Failure::new("unwritable-log", format!("cannot write the log {}: {error}", path.display()))
            .with_help("make room, or change `output_dir`")
    })
}

/// The last that was written to standard error.
pub(super) fn tail(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(STDERR_TAIL)..]).trim().to_owned()
}

//! Where a command's output goes.

use std::fs::File;
use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::limits;
use crate::model::{Failure, Mask, Masked, Stream};
use crate::process::Output;

/// How much of a command's standard error is shown when there is nothing else to show.
const STDERR_TAIL: usize = 4 << 10;

/// What is told of output as it comes.
pub(super) type Tap = mpsc::Sender<(Stream, Vec<u8>)>;

/// Where the streams of a command are written as a whole.
#[derive(Clone, Debug)]
pub(super) struct Logs {
    /// Their paths without `.stdout` and `.stderr`.
    pub(super) stem: PathBuf,
    pub(super) mask: Mask,
}

impl Logs {
    /// Output that is kept in part, and written to the log as a whole.
    pub(super) fn captured(&self, stream: Stream, tap: Option<Tap>) -> Result<Output, Failure> {
        Ok(Output { log: Some(Box::new(self.create(stream)?)), tap, ..Output::default() })
    }

    /// The log of one stream.
    pub(super) fn create(&self, stream: Stream) -> Result<Masked<File>, Failure> {
        let mut path = self.stem.as_os_str().to_owned();
        path.push(".");
        path.push(stream.name());
        let path = PathBuf::from(path);
        let file = File::create(&path).map_err(|error| {
            let message = format!("cannot write the log {}: {error}", path.display());
            limits::explain(Failure::new("unwritable-log", message).with_help("make room, or change `output_dir`"))
        })?;
        Ok(self.mask.writer(file))
    }
}

/// The last that was written to standard error.
pub(super) fn tail(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(STDERR_TAIL)..]).trim().to_owned()
}

//! Files of a sandbox whose provider has no way of its own to bring them: a command prints each.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;

use super::sandbox::Sandbox;
use crate::model::Failure;
use crate::process::{Command, Exit, Output, Stdio};

/// The code by which a provider says that it leaves this to the host.
pub(super) const NO_DOWNLOAD: &str = "no-download";

/// What comes before the file, or in its place: anything before that is a greeting of the sandbox's own.
const PRESENT: &str = "offload-present";
const ABSENT: &str = "offload-absent";

/// Prints the file `$1` after the line `$2`, or the line `$3` if there is no such file.
const PRINT: &str = r#"if [ -f "$1" ]; then printf '%s\n' "$2" && cat <"$1"; else printf '%s\n' "$3"; fi"#;

/// Brings one file, unless it does not exist there.
pub(super) async fn fetch(sandbox: &Sandbox, exec_id: &str, remote: &str, local: &Path) -> Result<(), Failure> {
    let failed = |why: String| {
        let message = format!("reading {remote} in {} failed: {why}", sandbox.name());
        Failure { retryable: true, ..Failure::new("download-failed", message) }
    };
    let mut printed = local.as_os_str().to_owned();
    printed.push(".printed");
    let printed = Removed(printed.into());
    // Of an earlier attempt there is nothing to be had.
    let _ = fs::remove_file(local);
    let file = File::create(&printed.0).map_err(|error| failed(error.to_string()))?;
    let stdout = Output { log: Some(Box::new(file)), ..Output::default() };
    let stdio = Arc::new(Mutex::new(Stdio { stdout, ..Stdio::default() }));
    let argv = ["sh", "-c", PRINT, "offload", remote, PRESENT, ABSENT].map(str::to_owned).into();
    let command = Command { argv, ..Command::default() };
    let exit = sandbox.exec(exec_id, &command, stdio.clone()).await?;
    if exit != Exit::Code(0) {
        let said = std::mem::take(&mut stdio.lock().await.stderr.capture).into_bytes();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        return Err(failed(if said.is_empty() { format!("its command ended with {exit:?}") } else { said }));
    }
    let local = local.to_owned();
    let kept = tokio::task::spawn_blocking(move || keep(&printed.0, &local)).await;
    match kept.map_err(io::Error::from).flatten() {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed("what its command printed did not arrive".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Makes the file out of what was printed, if there is one; says whether it could be known.
fn keep(printed: &Path, local: &Path) -> io::Result<bool> {
    let mut printed = BufReader::new(File::open(printed)?);
    let mut line = Vec::new();
    while printed.read_until(b'\n', &mut line)? > 0 {
        let text = line.trim_ascii_end();
        if text.ends_with(ABSENT.as_bytes()) {
            return Ok(true);
        }
        if text.ends_with(PRESENT.as_bytes()) {
            io::copy(&mut printed, &mut File::create(local)?)?;
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}

/// A file that is gone when nobody needs it any more.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // What is left lies in the run's own directory, which is removed as a whole.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_printed_byte_by_byte() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("-it's\na $file");
        let print = || {
            let mut command = std::process::Command::new("sh");
            command.args(["-c", PRINT, "offload"]).arg(&path).args([PRESENT, ABSENT]);
            command.output().expect("a shell").stdout
        };
        assert_eq!(print(), b"offload-absent\n");
        fs::write(&path, b"\xff\\n\x01").expect("a file");
        assert_eq!(print(), b"offload-present\n\xff\\n\x01");
    }

    #[track_caller]
    fn check(printed: &[u8], known: bool, contents: Option<&[u8]>) {
        let directory = tempfile::tempdir().expect("a directory");
        let [from, to] = ["printed", "local"].map(|name| directory.path().join(name));
        fs::write(&from, printed).expect("a file");
        assert_eq!(keep(&from, &to).expect("read"), known);
        assert_eq!(fs::read(&to).ok().as_deref(), contents);
    }

    #[test]
    fn a_file_is_what_follows_the_mark() {
        check(b"offload-present\na\n\xff\nb", true, Some(b"a\n\xff\nb"));
        check(b"Welcome!\nno line end: offload-present\r\n", true, Some(b""));
        check(b"offload-present\noffload-absent\n", true, Some(b"offload-absent\n"));
        check(b"Welcome!\noffload-absent\n", true, None);
        check(b"", false, None);
        check(b"Welcome!\n", false, None);
    }
}

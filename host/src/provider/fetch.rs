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
const NO_FILE: &str = "offload-no-file";

/// The failure of bringing what is no file.
const NOT_A_FILE: &str = "not-a-file";

/// Prints the file `$1` after the line `$2`, the line `$3` if there is nothing, or the line `$4` if something else is there: a pipe that
/// nobody writes to would never end.
const PRINT: &str = r#"
if [ -f "$1" ]; then printf '%s\n' "$2" && cat <"$1"
elif [ -e "$1" ]; then printf '%s\n' "$4"
else printf '%s\n' "$3"; fi"#;

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
    let argv = ["sh", "-c", PRINT, "offload", remote, PRESENT, ABSENT, NO_FILE].map(str::to_owned).into();
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
        Ok(Some(Printed::All)) => Ok(()),
        Ok(Some(Printed::NoFile)) => {
            let message = format!("{remote} in {} is not a regular file", sandbox.name());
            Err(Failure::new(NOT_A_FILE, message))
        }
        Ok(None) => Err(failed("what its command printed did not arrive".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// What a sandbox printed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Printed {
    /// The file, or that there is none.
    All,
    /// Something else is there.
    NoFile,
}

/// Makes the file out of what was printed, if there is one; nothing if it could not be known.
fn keep(printed: &Path, local: &Path) -> io::Result<Option<Printed>> {
    let mut printed = BufReader::new(File::open(printed)?);
    let mut line = Vec::new();
    while printed.read_until(b'\n', &mut line)? > 0 {
        let text = line.trim_ascii_end();
        if text.ends_with(ABSENT.as_bytes()) {
            return Ok(Some(Printed::All));
        }
        if text.ends_with(NO_FILE.as_bytes()) {
            return Ok(Some(Printed::NoFile));
        }
        if text.ends_with(PRESENT.as_bytes()) {
            io::copy(&mut printed, &mut File::create(local)?)?;
            return Ok(Some(Printed::All));
        }
        line.clear();
    }
    Ok(None)
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
            command.args(["-c", PRINT, "offload"]).arg(&path).args([PRESENT, ABSENT, NO_FILE]);
            command.output().expect("a shell").stdout
        };
        assert_eq!(print(), b"offload-absent\n");
        fs::write(&path, b"\xff\\n\x01").expect("a file");
        assert_eq!(print(), b"offload-present\n\xff\\n\x01");
        fs::remove_file(&path).expect("it was there");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        assert_eq!(print(), b"offload-no-file\n");
    }

    #[track_caller]
    fn check(printed: &[u8], known: Option<Printed>, contents: Option<&[u8]>) {
        let directory = tempfile::tempdir().expect("a directory");
        let [from, to] = ["printed", "local"].map(|name| directory.path().join(name));
        fs::write(&from, printed).expect("a file");
        assert_eq!(keep(&from, &to).expect("read"), known);
        assert_eq!(fs::read(&to).ok().as_deref(), contents);
    }

    #[test]
    fn a_file_is_what_follows_the_mark() {
        let all = Some(Printed::All);
        check(b"offload-present\na\n\xff\nb", all, Some(b"a\n\xff\nb"));
        check(b"Welcome!\nno line end: offload-present\r\n", all, Some(b""));
        check(b"offload-present\noffload-absent\n", all, Some(b"offload-absent\n"));
        check(b"Welcome!\noffload-absent\n", all, None);
        check(b"Welcome!\noffload-no-file\n", Some(Printed::NoFile), None);
        check(b"", None, None);
        check(b"Welcome!\n", None, None);
    }
}

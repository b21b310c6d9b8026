//! POSIX command lines for sandboxes of Modal, where they are not those of every provider.

use offload_plugin::inside;
use offload_plugin::shell::quote;
use offload_plugin::types::{Command, Failure};

/// The exit code that says that there is no such file.
pub const MISSING: i32 = 44;

/// The longest line that is handed over as an argument: the SDK refuses 64 KiB.
pub const LONGEST: usize = 60 * 1024;

/// The command with its directory. Its variables go another way: they may be secrets, and a line is seen by whoever lists
/// processes.
///
/// # Errors
/// None that a command without variables has.
pub fn command(command: Command) -> Result<String, Failure> {
    inside::command(&Command { env: Vec::new(), ..command })
}

/// Makes our own directory in a sandbox, and prints its path.
pub fn make_scratch(name: &str) -> String {
    format!(
        "umask 077; d=\"${{TMPDIR:-/tmp}}\"/{} && mkdir -p \"$d\" && cd \"$d\" && pwd",
        quote(&format!("offload-{name}"))
    )
}

/// Prints a file, or ends with [`MISSING`]. A pipe that nobody writes to would never end.
pub fn print(path: &str) -> String {
    let path = quote(&if path.starts_with('/') { path.to_owned() } else { format!("./{path}") });
    format!("[ -f {path} ] || exit {MISSING}; exec cat {path}")
}

#[cfg(test)]
mod tests {
    use std::process::{Command as Process, Output};

    use super::*;

    fn sh(line: &str) -> Output {
        Process::new("sh").args(["-c", line]).env("TMPDIR", "/dev/null").output().expect("sh starts")
    }

    #[test]
    fn no_variable_is_on_the_line() {
        let secret = Command { env: vec![("TOKEN".into(), "secret".into())], ..Command::new(["echo", "a b"]) };
        let line = command(Command { cwd: Some("sub dir".into()), ..secret }).expect("a line");
        assert_eq!(line, "cd './sub dir' && exec echo 'a b'");
    }

    #[test]
    fn a_missing_file_is_told_from_one_that_cannot_be_read() {
        assert_eq!(sh(&print("/nowhere/it's")).status.code(), Some(MISSING));
        assert_eq!(sh(&print("-e")).status.code(), Some(MISSING));
        for no_file in ["/", "/dev/zero"] {
            assert_eq!(sh(&print(no_file)).status.code(), Some(MISSING), "{no_file}");
        }
        assert_eq!(sh(&print("/etc/passwd")).status.code(), Some(0));
    }

    #[test]
    fn the_scratch_directory_is_printed() {
        let place = tempfile::tempdir().expect("a directory");
        let printed = Process::new("sh").args(["-c", &make_scratch("it's 1")]).env("TMPDIR", place.path()).output();
        let path = String::from_utf8(printed.expect("sh starts").stdout).expect("UTF-8");
        assert_eq!(path.trim_end(), place.path().join("offload-it's 1").to_str().expect("UTF-8"));
        assert!(place.path().join("offload-it's 1").is_dir());
        assert_ne!(sh(&make_scratch("1")).status.code(), Some(0));
    }
}

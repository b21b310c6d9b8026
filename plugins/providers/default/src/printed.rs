//! What commands and scripts print, read back.

use crate::sandbox::Sandbox;

/// The last line that is not empty, without blanks around it: scripts say much before they say the id.
///
/// # Errors
/// A fragment that says why there is none.
pub fn last_line(stdout: &[u8]) -> Result<String, &'static str> {
    let line = stdout.split(|byte| *byte == b'\n').rev().map(<[u8]>::trim_ascii).find(|line| !line.is_empty());
    let line = line.ok_or("printed nothing on its standard output")?;
    String::from_utf8(line.to_vec()).map_err(|_| "printed a last line that is not UTF-8")
}

/// Fragments that say which sandboxes [`crate::script::destroy`] could not destroy, and why.
pub fn destruction_failures(printed: &[u8], sandboxes: &[Sandbox]) -> Vec<String> {
    let printed = String::from_utf8_lossy(printed);
    let failures = printed.split_terminator('\0').filter_map(|failure| {
        let mut parts = failure.splitn(3, ' ');
        let sandbox = sandboxes.get(parts.next()?.parse::<usize>().ok()?)?;
        let status = parts.next()?;
        let said = parts.next()?.trim();
        let separator = if said.is_empty() { "" } else { ": " };
        Some(format!("{} (exit code {status}){separator}{said}", sandbox.id))
    });
    failures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandboxes() -> [Sandbox; 2] {
        ["one", "two"].map(|id| Sandbox::new(id.to_owned(), "r1", id, None))
    }

    #[test]
    fn positions_become_what_they_stand_for() {
        let failures = destruction_failures(b"1 7 no such sandbox\nreally\x000 1 \0", &sandboxes());
        assert_eq!(failures, ["two (exit code 7): no such sandbox\nreally", "one (exit code 1)"]);
        assert!(destruction_failures(b"", &sandboxes()).is_empty());
    }

    #[test]
    fn takes_the_last_line_that_says_something() {
        assert_eq!(last_line(b"building\n sb-1 \r\n\n").as_deref(), Ok("sb-1"));
        assert_eq!(last_line(b"sb 1").as_deref(), Ok("sb 1"));
        assert!(last_line(b" \n\n").is_err());
        assert!(last_line(b"").is_err());
        assert!(last_line(b"\xff\n").is_err());
    }
}

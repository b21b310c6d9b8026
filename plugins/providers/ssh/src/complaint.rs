//! What ssh says when it cannot reach a host, and what a person can do about it.

use offload_plugin::types::{Captured, Exit, Failure};

/// The exit code of ssh when it could not do its part; what it runs may end with it, too.
pub const SSH_FAILED: i32 = 255;

/// What ssh says at the end of a page about a host whose key is another one than it was.
pub const CHANGED_KEY: &str = "has changed and you have requested strict checking";

/// What a person can do about words of ssh, where trying again does not help.
const LASTING: [(&str, &str); 7] = [
    (CHANGED_KEY, "if the host was set up anew, forget its old key with `ssh-keygen -R`, then connect once by hand"),
    (
        "Host key verification failed",
        "connect once by hand to accept its key, or set options = [\"StrictHostKeyChecking=accept-new\"]",
    ),
    (
        "Permission denied",
        "give it your key with `ssh-copy-id`, load the key with `ssh-add`, or name the right one with `identity`",
    ),
    (
        "Too many authentication failures",
        "name the right key with `identity`, and set options = [\"IdentitiesOnly=yes\"]",
    ),
    ("Name or service not known", "correct the name in hosts, or add it to the configuration of ssh"),
    ("Bad configuration option", "correct the configuration of ssh, or `options`"),
    ("Can't open user config file", "correct `config`, which starts from working_dir"),
];

/// What a person can do about what ssh said, where trying again does not help.
pub fn lasting_help(said: &str) -> Option<&'static str> {
    LASTING.iter().find(|(words, _)| said.contains(words)).map(|(_, help)| *help)
}

/// The failure of a host that could not be reached.
pub fn unreachable(host: &str, said: &str) -> Failure {
    let failure = Failure::new("host-unreachable", format!("{host} cannot be reached: {said}"));
    match lasting_help(said) {
        Some(help) => failure.with_help(help),
        None => {
            failure.with_help(format!("see whether `ssh {host} true` works, and whether sshd runs there")).retryable()
        }
    }
}

/// Whether ssh itself failed, and not what it ran.
pub fn is_of_ssh(finished: &Captured) -> bool {
    finished.exit != Exit::Code(0) && matches!(finished.exit, Exit::Code(SSH_FAILED) | Exit::Signal(_))
}

/// The end of what a program said, as one line.
pub fn in_one_line(said: &str) -> String {
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, retryable: bool, help: &str) {
        let failure = unreachable("build-1", said);
        assert_eq!(failure.retryable, retryable);
        assert!(failure.message.contains(said), "{}", failure.message);
        assert!(failure.help.as_deref().is_some_and(|text| text.contains(help)), "{:?}", failure.help);
    }

    #[test]
    fn what_passes_is_told_from_what_lasts() {
        check("ssh: connect to host build-1 port 22: Connection refused", true, "ssh build-1 true");
        check("ssh: connect to host build-1 port 22: Connection timed out", true, "sshd runs");
        check("kex_exchange_identification: read: Connection reset by peer", true, "sshd runs");
        check("Could not resolve hostname build-1: Temporary failure in name resolution", true, "sshd runs");
        check("ssh: Could not resolve hostname build-1: Name or service not known", false, "correct the name");
        check("me@build-1: Permission denied (publickey,password).", false, "ssh-copy-id");
        let changed =
            "Host key for build-1 has changed and you have requested strict checking.; Host key verification failed.";
        check(changed, false, "ssh-keygen -R");
        check("No ED25519 host key is known\nHost key verification failed.", false, "by hand");
    }

    #[test]
    fn the_end_of_what_was_said_is_a_line() {
        assert_eq!(in_one_line("a\r\nb\n\nc\r\nd\n"), "b; c; d");
        assert_eq!(in_one_line(""), "");
    }
}

//! What the engine's complaints mean: whether another try may help, and what a person can do.

use offload_plugin::prelude::*;

/// What an engine says, in small letters, and what it means.
struct Known {
    says: &'static [&'static str],
    retryable: bool,
    help: Option<&'static str>,
}

/// The first that fits counts. Both engines' words, of several versions.
const KNOWN: [Known; 7] = [
    Known {
        says: &["permission denied while trying to connect", "connect: permission denied"],
        retryable: false,
        help: Some("allow your user to use the engine's socket (the group docker), or set command = \"podman\""),
    },
    Known {
        says: &[
            "cannot connect to",
            "unable to connect to",
            "error during connect",
            "connection refused",
            "failed to connect to the docker api",
        ],
        retryable: true,
        help: Some("start the engine, or say where it is: DOCKER_HOST, `docker context use`"),
    },
    Known {
        says: &["no space left", "disk quota exceeded"],
        retryable: true,
        help: Some("make room: `docker system prune` removes what nothing uses"),
    },
    Known {
        says: &[
            "no such image",
            "image not known",
            "manifest unknown",
            "pull access denied",
            "repository does not exist",
            "short-name",
        ],
        retryable: false,
        help: Some("correct `image` in [provider], or pull or build it by hand"),
    },
    Known {
        says: &[
            "unknown flag",
            "unknown shorthand flag",
            "invalid argument",
            "invalid value",
            "flag needs an argument",
            "conflicting options",
        ],
        retryable: false,
        help: Some("correct [provider]: its keys and extra_args are handed to the engine's run command"),
    },
    Known {
        says: &["executable file not found", "no such file or directory: unknown", "container-init"],
        retryable: false,
        help: Some(
            "the image needs sh and sleep in its PATH; init = true needs the engine's init program (catatonit, tini)",
        ),
    },
    Known { says: &["permission denied", "operation not permitted"], retryable: false, help: None },
];

/// A failure of the engine's own, with its message. What nobody knows may go away by itself: tries are few.
pub fn failure(code: &str, what: impl AsRef<str>, finished: &Captured) -> Failure {
    let complaint = finished.complaint();
    let failure = Failure::new(code, format!("{}: {complaint}", what.as_ref()));
    let complaint = complaint.to_lowercase();
    let known = KNOWN.iter().find(|known| known.says.iter().any(|words| complaint.contains(words)));
    let failure = match known.and_then(|known| known.help) {
        Some(help) => failure.with_help(help),
        None => failure,
    };
    if known.is_none_or(|known| known.retryable) { failure.retryable() } else { failure }
}

/// Whether the engine says that there is no such container.
pub fn is_about_nothing(finished: &Captured) -> bool {
    let complaint = finished.complaint().to_lowercase();
    ["no such container", "no container with name", "no such object"].iter().any(|words| complaint.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(stderr: &str) -> Captured {
        Captured { exit: Exit::Code(125), stdout: Vec::new(), stderr: stderr.into() }
    }

    #[track_caller]
    fn check(stderr: &str, retryable: bool, help: Option<&str>) {
        let failure = failure("create-failed", "docker run failed", &said(stderr));
        assert_eq!(failure.message, format!("docker run failed: {stderr}"));
        assert_eq!(failure.retryable, retryable, "{stderr}");
        match help {
            Some(help) => assert!(failure.help.as_ref().is_some_and(|text| text.contains(help)), "{failure:?}"),
            None => assert_eq!(failure.help, None),
        }
    }

    #[test]
    fn complaints_are_told_apart() {
        check("Error: nosuch: image not known", false, Some("`image`"));
        check("docker: Error response from daemon: No such image: nosuch:latest", false, Some("`image`"));
        check("unknown flag: --memori", false, Some("extra_args"));
        check("docker: Error response from daemon: write /var/lib: no space left on device", true, Some("prune"));
        check(
            "Cannot connect to the Docker daemon at unix:///run/x.sock. Is the docker daemon running?",
            true,
            Some("DOCKER_HOST"),
        );
        check(
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            false,
            Some("group docker"),
        );
        check("error: context deadline exceeded", true, None);
        check("the name \"/offload-1\" is already in use by container 12ab", true, None);
    }

    #[test]
    fn what_is_gone_is_recognized() {
        assert!(is_about_nothing(&said("Error response from daemon: No such container: x")));
        assert!(is_about_nothing(&said("Error: no container with name or ID \"x\" found: no such container")));
        assert!(is_about_nothing(&said("Error: inspecting object: no such object: \"x\"")));
        assert!(!is_about_nothing(&said("Cannot connect to the Docker daemon")));
    }
}

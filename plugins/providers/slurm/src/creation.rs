//! A sandbox's creation: what is asked for, and what came of it.

use offload_plugin::prelude::*;
use offload_plugin::shell::{join, quote};
use offload_plugin::{copying, inside};

use crate::job::State;
use crate::sandbox::{Sandbox, place};
use crate::settings::Settings;
use crate::step::STEP;
use crate::{allocation, script, trouble};

const PASS_STDIN_ON: &str = "the nodes need tar, and srun has to pass standard input on";

/// Where a sandbox's commands run.
#[derive(Debug, PartialEq, Eq)]
enum Home {
    /// A directory that others use as well.
    Shared(String),
    /// A copy of one, since others would write the same files there.
    Copy(String),
    /// A directory with nothing but what is brought there.
    Empty,
}

impl Home {
    fn new(settings: &Settings, spec: &SandboxSpec) -> Self {
        let given = spec.cwd.as_ref().or(settings.remote_dir.as_ref());
        let brings_all = spec.copy_dirs.iter().any(|directory| !directory.remote.starts_with('/'));
        match given.or(settings.working_dir.as_ref().filter(|_| !brings_all)) {
            Some(directory) if spec.isolated => Self::Copy(directory.clone()),
            Some(directory) => Self::Shared(directory.clone()),
            None => Self::Empty,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Shared(_) => "shared",
            Self::Copy(_) => "copy",
            Self::Empty => "empty",
        }
    }

    fn original(&self) -> &str {
        match self {
            Self::Shared(directory) | Self::Copy(directory) => directory,
            Self::Empty => "",
        }
    }
}

/// Makes a sandbox.
///
/// # Errors
/// Why there is none. Nothing is left of it.
pub fn create(settings: &Settings, spec: &SandboxSpec) -> Result<Sandbox, Failure> {
    let home = Home::new(settings, spec);
    let name = allocation::job_name(&spec.run_id, &spec.name);
    let seconds = settings.queue_timeout_secs.to_string();
    let place = place(&spec.run_id, &spec.name);
    let base = settings.scratch.as_deref().unwrap_or_default();
    let copy = copy_in(&spec.copy_dirs);
    let salloc = allocation::arguments(settings, &name);
    let fixed = [&name, &seconds, base, &place, home.kind(), home.original(), &copy];
    let finished = script::create(fixed.into_iter().chain(salloc.iter().map(String::as_str))).capture()?;
    let (job, base) = outcome(&finished, settings, spec)?;
    let directory = match &home {
        Home::Shared(directory) => directory.clone(),
        Home::Copy(_) | Home::Empty => format!("{base}/{place}/work"),
    };
    let copied_from = if let Home::Copy(original) = home { Some(original) } else { None };
    Ok(Sandbox { job, base: Some(base), place, directory: Some(directory), copied_from })
}

/// The shell text that brings directories into `$OFFLOAD_WORK`; it says which one it is at.
fn copy_in(directories: &[Transfer]) -> String {
    let lines = directories.iter().enumerate().map(|(position, Transfer { local, remote })| {
        let unpack = format!("cd \"$1\" || exit 1; {}", inside::unpack(remote));
        let into = format!("{STEP} --quiet sh -c {} offload \"$OFFLOAD_WORK\"", quote(&unpack));
        format!("echo offload-copying {position}\n{} || exit 1\n", join(&copying::send(local, &into).argv))
    });
    lines.collect()
}

/// The job's number and the base of its directories.
fn outcome(finished: &Captured, settings: &Settings, spec: &SandboxSpec) -> Result<(u64, String), Failure> {
    let printed = String::from_utf8_lossy(&finished.stdout);
    if let Some((_, created)) = printed.rsplit_once("offload-created ") {
        let mut lines = created.lines();
        let number = lines.next().and_then(|number| number.parse().ok());
        // Whatever the node's shell says before is a greeting of its own.
        if let (Some(number), Some(base)) = (number, lines.last()) {
            return Ok((number, base.to_owned()));
        }
    }
    let said = trouble::words(finished);
    let failed = printed.lines().find_map(|line| line.strip_prefix("offload-failed "));
    Err(match failed {
        Some("queue") => {
            let reason = State::parse(&printed).map_or("None", |state| state.reason);
            trouble::still_queued(settings.queue_timeout_secs, reason)
        }
        Some("allocation") => trouble::no_allocation(&said),
        Some("directory") => Failure::new(
            "create-failed",
            format!("the allocation has no directory for the tests: {said}"),
        )
        .with_help(
            "share it with the nodes, set remote_dir in [provider], or bring the project along: copy_dirs = [\".:.\"]",
        ),
        Some("copying") => copy_failure(finished, &printed, spec),
        _ => Failure::new("create-failed", format!("the directories of {} could not be made: {said}", spec.name))
            .retryable(),
    })
}

fn copy_failure(finished: &Captured, printed: &str, spec: &SandboxSpec) -> Failure {
    let (position, printed) =
        printed.rsplit_once("offload-copying ").and_then(|(_, rest)| rest.split_once('\n')).unwrap_or_default();
    let directory = position.parse().ok().and_then(|position: usize| spec.copy_dirs.get(position));
    let finished = Captured { stdout: printed.as_bytes().to_vec(), ..finished.clone() };
    let failed = directory
        .map(|Transfer { local, remote }| copying::outcome(&finished, local, remote, &spec.name, PASS_STDIN_ON));
    match failed {
        Some(Err(failure)) => failure,
        _ => Failure::new("copy-failed", format!("directories could not be copied: {}", trouble::words(&finished))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> Settings {
        offload_plugin::settings::parse(json).expect("the table is valid")
    }

    fn spec(isolated: bool, remotes: &[&str]) -> SandboxSpec {
        let transfer = |remote: &&str| Transfer { local: "/src".to_owned(), remote: (*remote).to_owned() };
        SandboxSpec {
            name: "slurm-1".to_owned(),
            slot: 0,
            run_id: "r".to_owned(),
            image: None,
            env: Vec::new(),
            cwd: None,
            copy_dirs: remotes.iter().map(transfer).collect(),
            isolated,
        }
    }

    #[track_caller]
    fn check(json: &str, isolated: bool, remotes: &[&str], expected: (&str, &str)) {
        let home = Home::new(&settings(json), &spec(isolated, remotes));
        assert_eq!((home.kind(), home.original()), expected);
    }

    #[test]
    fn the_project_is_shared_unless_it_is_brought_along() {
        check(r#"{"working_dir": "/w"}"#, false, &[], ("shared", "/w"));
        check(r#"{"working_dir": "/w"}"#, false, &["/data"], ("shared", "/w"));
        check(r#"{"working_dir": "/w"}"#, true, &[], ("copy", "/w"));
        check(r#"{"working_dir": "/w"}"#, false, &["."], ("empty", ""));
        check(r#"{"working_dir": "/w"}"#, true, &["."], ("empty", ""));
        check(r#"{"working_dir": "/w", "remote_dir": "/r"}"#, false, &["."], ("shared", "/r"));
        check(r#"{"working_dir": "/w", "remote_dir": "/r"}"#, true, &[], ("copy", "/r"));
    }

    fn ended(stdout: &str, stderr: &str) -> Captured {
        Captured { exit: Exit::Code(0), stdout: stdout.into(), stderr: stderr.into() }
    }

    fn failure(stdout: &str, stderr: &str) -> Failure {
        outcome(&ended(stdout, stderr), &settings("{}"), &spec(false, &["a", "b"])).expect_err("it failed")
    }

    #[test]
    fn what_was_made_is_read_back() {
        let made = outcome(&ended("offload-created 12\nhello\n/tmp\n", ""), &settings("{}"), &spec(false, &[]));
        assert_eq!(made, Ok((12, "/tmp".to_owned())));
    }

    #[test]
    fn what_failed_says_why() {
        let queued =
            failure("JobId=7 JobState=CANCELLED Reason=Resources\noffload-failed queue\n", "salloc: pending\n");
        assert_eq!(queued.code, "no-capacity");
        assert!(queued.message.contains("Resources") && queued.retryable);
        let refused = failure("offload-failed allocation\n", "salloc: error: Invalid partition name specified\n");
        assert!(refused.message.contains("Invalid partition name specified") && !refused.retryable);
        let missing = failure("offload-failed directory\n", "there is no directory /w on n1\n");
        assert!(missing.message.contains("/w on n1") && missing.help.is_some());
        let copied = "offload-copying 0\noffload-copied\noffload-packed\noffload-copying 1\noffload-no-directory\noffload-failed copying\n";
        let copied = failure(copied, "");
        assert!(copied.code == "copy-failed" && copied.message.contains("/src is no directory"), "{}", copied.message);
        assert!(failure("", "killed\n").retryable);
    }
}

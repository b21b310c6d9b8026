//! What Slurm says of a job.

use offload_plugin::prelude::*;

use crate::{script, trouble};

/// The states of a job that goes on, or is about to.
const ALIVE: [&str; 4] = ["RUNNING", "CONFIGURING", "PENDING", "SUSPENDED"];

/// A job's state, and the reason that Slurm gives for it.
#[derive(Debug, PartialEq, Eq)]
pub struct State<'printed> {
    pub state: &'printed str,
    pub reason: &'printed str,
}

impl<'printed> State<'printed> {
    /// Reads what `scontrol --oneliner show job` printed; nothing, where it knows no such job.
    pub fn parse(printed: &'printed str) -> Option<Self> {
        let value = |key: &str| {
            let mut words = printed.split_ascii_whitespace();
            words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
        };
        Some(Self { state: value("JobState")?, reason: value("Reason").unwrap_or("None") })
    }

    fn is_alive(&self) -> bool {
        ALIVE.contains(&self.state)
    }

    /// As Slurm puts it.
    pub fn words(&self) -> String {
        format!("JobState={} Reason={}", self.state, self.reason)
    }
}

/// Why nothing can be run in an allocation any more; nothing, if it can.
///
/// # Errors
/// Slurm could not be asked.
pub fn end_of(job: u64) -> Result<Option<Failure>, Failure> {
    let shown = script::show(&job.to_string()).capture()?;
    Ok(end(job, &String::from_utf8_lossy(&shown.stdout)))
}

fn end(job: u64, shown: &str) -> Option<Failure> {
    let Some(state) = State::parse(shown) else {
        let code = if trouble::is_unreachable(shown) { trouble::UNREACHABLE } else { "sandbox-lost" };
        return Some(Failure::new(code, format!("job {job} cannot be looked at: {}", shown.trim())).retryable());
    };
    if state.is_alive() {
        return None;
    }
    // While it is being ended, only the reason says why.
    let code = match (state.state, state.reason) {
        ("TIMEOUT" | "PREEMPTED" | "NODE_FAIL" | "OUT_OF_MEMORY", _)
        | (_, "TimeLimit" | "Preempted" | "NodeDown" | "OutOfMemory") => "evicted",
        _ => "sandbox-lost",
    };
    let failure = Failure::new(code, format!("Slurm ended job {job}: {}", state.words())).retryable();
    Some(if state.reason == "TimeLimit" || state.state == "TIMEOUT" {
        failure.with_help("raise `time` in [provider]: it has to last for the whole run")
    } else {
        failure
    })
}

/// Why a step did not run to its end, although nobody of ours ended it.
pub fn why_aborted(job: u64) -> Failure {
    let looked = end_of(job).and_then(|end| match end {
        Some(end) => Ok(end),
        None => {
            let tried = script::try_step(&job.to_string()).capture()?;
            Ok(if tried.exit == Exit::Code(0) {
                Failure::new("step-aborted", format!("Slurm ended a command in job {job}, which goes on"))
            } else {
                let message = format!("job {job} takes no commands any more: {}", trouble::words(&tried));
                Failure::new("sandbox-lost", message)
            })
        }
    });
    looked.unwrap_or_else(|failure| failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(state: &str, reason: &str) -> String {
        format!(
            "JobId=7 JobName=offload:r:s UserId=root(0) JobState={state} Reason={reason} Dependency=(null) Requeue=1\n"
        )
    }

    #[track_caller]
    fn check(state: &str, reason: &str, code: Option<&str>) {
        let end = end(7, &shown(state, reason));
        assert_eq!(end.as_ref().map(|failure| failure.code.as_str()), code);
        if let Some(failure) = end {
            assert!(failure.message.contains(&format!("JobState={state} Reason={reason}")), "{}", failure.message);
        }
    }

    #[test]
    fn states_are_sorted() {
        check("RUNNING", "None", None);
        check("SUSPENDED", "None", None);
        check("CANCELLED", "None", Some("sandbox-lost"));
        check("COMPLETING", "None", Some("sandbox-lost"));
        check("COMPLETING", "TimeLimit", Some("evicted"));
        check("TIMEOUT", "TimeLimit", Some("evicted"));
        check("PREEMPTED", "None", Some("evicted"));
        check("NODE_FAIL", "NodeDown", Some("evicted"));
        check("OUT_OF_MEMORY", "OutOfMemory", Some("evicted"));
    }

    #[test]
    fn a_job_that_nobody_knows_is_lost() {
        let lost = end(7, "slurm_load_jobs error: Invalid job id specified\n").expect("it is gone");
        assert_eq!(lost.code, "sandbox-lost");
        assert!(lost.message.contains("Invalid job id specified"));
        let unreachable = end(7, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n");
        assert_eq!(unreachable.expect("nobody knows").code, "unreachable");
    }
}

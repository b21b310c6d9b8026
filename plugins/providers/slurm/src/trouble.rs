//! Slurm's own messages, sorted by what they mean for a run.

use offload_plugin::prelude::*;

/// The code of a failure by which nothing is known but that the controller did not answer.
pub const UNREACHABLE: &str = "unreachable";

/// The controller did not answer: it may the next time.
const SILENCE: [&str; 6] = [
    "Unable to contact slurm controller",
    "Socket timed out",
    "Connection refused",
    "Zero Bytes were transmitted",
    "Transport endpoint is not connected",
    "Communication connection failure",
];

/// The cluster, or what this user may have of it, is full: it need not stay so.
const NO_CAPACITY: [&str; 6] = [
    "Requested nodes are busy",
    "Job violates accounting/QOS policy",
    "Resource temporarily unavailable",
    "Connection timed out",
    "Slurm temporarily unable to accept job",
    "Requested node configuration is not available now",
];

/// Reasons to wait that no waiting ends.
const HOPELESS: [&str; 10] = [
    "PartitionTimeLimit",
    "PartitionNodeLimit",
    "PartitionConfig",
    "BadConstraints",
    "AccountNotAllowed",
    "InvalidAccount",
    "InvalidQOS",
    "QOSNotAllowed",
    "AssocMaxWallDurationPerJobLimit",
    "QOSMaxWallDurationPerJobLimit",
];

/// What said so little that it only gets in the way.
const NOISE: [&str; 3] =
    ["Pending job allocation", "queued and waiting for resources", "lacks support for cpu binding"];

pub fn is_unreachable(said: &str) -> bool {
    SILENCE.iter().any(|message| said.contains(message))
}

/// The words of one of Slurm's commands that say something.
pub fn words(finished: &Captured) -> String {
    let said = finished.complaint();
    let lines: Vec<_> = said.lines().filter(|line| !NOISE.iter().any(|noise| line.contains(noise))).collect();
    if lines.is_empty() { said } else { lines.join("\n") }
}

/// Why salloc gave nothing, by what it said.
pub fn no_allocation(said: &str) -> Failure {
    let message = format!("salloc made no allocation: {said}");
    if is_unreachable(said) {
        return Failure::new(UNREACHABLE, message).retryable();
    }
    if NO_CAPACITY.iter().any(|known| said.contains(known)) {
        return Failure::new("no-capacity", message).retryable();
    }
    Failure::new("create-failed", message).with_help(
        "correct partition, account, qos, time, cpus, memory, gres, constraint or extra_args in [provider]; `sinfo` shows what there is",
    )
}

/// Why there was nothing after so long, by the reason for which the job was waiting.
pub fn still_queued(seconds: u64, reason: &str) -> Failure {
    let message = format!("there was no allocation within {seconds} s: Slurm's Reason={reason}");
    if HOPELESS.contains(&reason) {
        return Failure::new("create-failed", message)
            .with_help("no waiting helps: correct partition, time, cpus, memory or qos in [provider]");
    }
    Failure::new("no-capacity", message)
        .with_help("lower max_parallel, or raise queue_timeout_secs in [provider]; `squeue` shows who is first")
        .retryable()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, code: &str, retryable: bool) {
        let failure = no_allocation(said);
        assert_eq!((failure.code.as_str(), failure.retryable), (code, retryable), "{said}");
        assert!(failure.message.contains(said));
    }

    #[test]
    fn salloc_is_understood() {
        check("salloc: error: Job submit/allocate failed: Invalid partition name specified", "create-failed", false);
        check("salloc: error: Invalid --mem specification", "create-failed", false);
        check(
            "salloc: error: Job submit/allocate failed: Requested node configuration is not available",
            "create-failed",
            false,
        );
        check(
            "salloc: error: Job submit/allocate failed: Unable to contact slurm controller (connect failure)",
            "unreachable",
            true,
        );
        check(
            "salloc: error: Job submit/allocate failed: Socket timed out on send/recv operation",
            "unreachable",
            true,
        );
        check("salloc: error: Unable to allocate resources: Requested nodes are busy", "no-capacity", true);
        check(
            "salloc: error: Job submit/allocate failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
            "no-capacity",
            true,
        );
    }

    #[test]
    fn waiting_is_worth_while_for_some() {
        assert!(still_queued(5, "Resources").retryable);
        assert!(still_queued(5, "Priority").retryable);
        assert!(!still_queued(5, "PartitionTimeLimit").retryable);
        assert_eq!(still_queued(5, "Resources").code, "no-capacity");
        assert!(still_queued(5, "PartitionTimeLimit").message.contains("PartitionTimeLimit"));
    }

    #[test]
    fn words_are_those_that_say_something() {
        let stderr =
            b"salloc: Pending job allocation 7\nsalloc: job 7 queued and waiting for resources\nsalloc: error: no\n";
        let finished = Captured { exit: Exit::Code(1), stdout: Vec::new(), stderr: stderr.to_vec() };
        assert_eq!(words(&finished), "salloc: error: no");
        let finished = Captured { exit: Exit::Code(1), stdout: Vec::new(), stderr: Vec::new() };
        assert_eq!(words(&finished), "exit code 1");
    }
}

//! Jobs of earlier runs.

use offload_plugin::prelude::*;

use crate::sandbox::{Sandbox, place};
use crate::{allocation, script, trouble};

/// # Errors
/// Slurm could not be asked.
pub fn leftovers() -> Result<Vec<Leftover>, Failure> {
    let finished = script::list().capture()?;
    if finished.exit != Exit::Code(0) {
        let message = format!("jobs could not be listed: {}", trouble::words(&finished));
        return Err(Failure::new("leftovers-failed", message).retryable());
    }
    Ok(String::from_utf8_lossy(&finished.stdout).lines().filter_map(leftover).collect())
}

/// A line with a job's number, when it was submitted, and its name.
fn leftover(line: &str) -> Option<Leftover> {
    let mut words = line.trim().splitn(3, ' ');
    let job: u64 = words.next()?.parse().ok()?;
    let created = words.next()?.parse().ok();
    let (run_id, name) = allocation::named(words.next()?.trim())?;
    let sandbox = Sandbox { job, base: None, place: place(run_id, name), directory: None, copied_from: None };
    Some(Leftover { sandbox: sandbox.id(), run_id: run_id.to_owned(), name: format!("job {job}"), created })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_jobs_are_left_over() {
        let found = leftover("12 1795520040 offload:20260101-120000-abcdef:slurm-1").expect("it is ours");
        assert_eq!((found.run_id.as_str(), found.name.as_str()), ("20260101-120000-abcdef", "job 12"));
        assert_eq!(found.created, Some(1_795_520_040));
        let sandbox = Sandbox::from_id(&found.sandbox).expect("it can be destroyed");
        assert_eq!((sandbox.job, sandbox.place.as_str()), (12, "offload-20260101-120000-abcdef/slurm-1"));
        assert!(leftover("13 1795520040 somebody's: own job").is_none());
        assert!(leftover("").is_none());
        assert_eq!(leftover("14 N/A offload:r:s").expect("it is ours").created, None);
    }
}

//! What this process may take of the machine: limits that a shell, a service manager or a container has set (`ulimit`).
//!
//! A process that runs into one is told by the system that something is not there. The message has to name the limit, and not the
//! program or plugin that happened to be under way.

use std::io;
use std::num::NonZero;

use nix::errno::Errno;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use nix::sys::signal::Signal;
use tokio::signal::unix::{SignalKind, signal};

use crate::model::Failure;

/// A limit above this was not set to forbid the few threads of ours.
const MANY_PROCESSES: u64 = 4096;

/// How many threads there are at the least: those that serve the run, those that wait for the disk and the clock of plugins.
const THREADS: usize = 8;

/// How many files have to be open at once: those of two sandboxes, their pipes, and ours.
const FILES: u64 = 64;

/// How many bytes of address space a run needs that has to compile its plugins first.
const ADDRESSES: u64 = 256 << 20;

/// A limit that an error has run into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Such as "this process may have 20 files open at once (ulimit -n)".
    pub limit: String,
    /// What to do about it.
    pub remedy: String,
}

/// The most bytes of address space that this process may have, if somebody has limited them.
pub fn address_space() -> Option<u64> {
    of(Resource::RLIMIT_AS)
}

/// The largest file that this process may write, if somebody has limited it.
pub fn file_size() -> Option<u64> {
    of(Resource::RLIMIT_FSIZE)
}

/// The limit that explains an error of the system, of which this is the text: the number of the error is in it. Nothing where the
/// error is another, or where no such limit is set.
pub fn reached(text: &str) -> Option<Reached> {
    let is = |errno: Errno| text.contains(&format!("(os error {})", errno as i32));
    if is(Errno::EMFILE) {
        let most = of(Resource::RLIMIT_NOFILE)?;
        return Some(named(format!("may have {most} files open at once"), "-n", "raise it, or lower max_parallel"));
    }
    if is(Errno::EFBIG) {
        let most = size(file_size()?);
        return Some(named(format!("may write files of {most} at the most"), "-f", "raise it"));
    }
    // For want of addresses there is no thread either, and the system says the same.
    if is(Errno::EAGAIN) && address_space().is_none() {
        let most = of_processes()?;
        let what = format!("may have {most} processes and threads of its user beside it");
        return Some(named(what, "-u", "raise it, or lower max_parallel"));
    }
    if is(Errno::ENOMEM) || is(Errno::EAGAIN) {
        let address_space = address_space().map(|most| (format!("may have {} of address space", size(most)), "-v"));
        let data = || of(Resource::RLIMIT_DATA).map(|most| (format!("may have {} of data", size(most)), "-d"));
        let (what, option) = address_space.or_else(data)?;
        return Some(named(what, option, "raise it, or remove it with `unlimited`"));
    }
    None
}

/// The failure with the limit that it has run into, if it has: then that is what is to be done about.
pub fn explain(failure: Failure) -> Failure {
    match reached(&failure.message) {
        Some(Reached { limit, remedy }) => {
            let message = format!("{}: {limit}", failure.message);
            Failure { code: "limited".to_owned(), message, help: Some(remedy), ..failure }
        }
        None => failure,
    }
}

/// Makes sure that there is what nothing works without: who runs out of it half-way can neither say so nor clear up.
///
/// # Errors
/// Not as much is allowed: the error that the system would give.
pub fn need_the_least() -> io::Result<()> {
    if of(Resource::RLIMIT_NOFILE).is_some_and(|most| most < FILES) {
        return Err(Errno::EMFILE.into());
    }
    if address_space().is_some_and(|most| most < ADDRESSES) {
        return Err(Errno::ENOMEM.into());
    }
    need_threads()
}

fn need_threads() -> io::Result<()> {
    if of_processes().is_none_or(|most| most > MANY_PROCESSES) && address_space().is_none() {
        return Ok(());
    }
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let started: io::Result<Vec<_>> = (0..THREADS + cores)
            .map(|_| {
                // It waits until all of them are there, one inside of the lock and the others for it.
                std::thread::Builder::new().spawn_scoped(scope, || {
                    let _ = wait.lock().map(|wait| wait.recv());
                })
            })
            .collect();
        drop(end);
        started.map(|_| ())
    })
}

/// Makes writing a file that grows too large an error of that write: the system would end this process by a signal instead.
pub fn outlive_large_files() {
    // Where it cannot be listened for, all is as before. Commands that are started find the signal as it was.
    let _ = signal(SignalKind::from_raw(Signal::SIGXFSZ as i32));
}

fn named(what: String, option: &str, remedy: &str) -> Reached {
    Reached {
        limit: format!("this process {what} (ulimit {option})"),
        remedy: format!(
            "{remedy}: `ulimit {option}` in the shell that starts offload, or what its service manager sets"
        ),
    }
}

fn of(resource: Resource) -> Option<u64> {
    getrlimit(resource).ok().map(|(soft, _)| soft).filter(|soft| *soft != RLIM_INFINITY)
}

fn of_processes() -> Option<u64> {
    of(Resource::RLIMIT_NPROC)
}

fn size(bytes: u64) -> String {
    if bytes < 10 << 20 { format!("{} KiB", bytes >> 10) } else { format!("{} MiB", bytes >> 20) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limit that everybody has.
    #[test]
    fn open_files_are_always_limited_and_named() {
        let text = io::Error::from(Errno::EMFILE).to_string();
        let reached = reached(&text).expect("it is limited");
        assert!(
            reached.limit.starts_with("this process may have ") && reached.limit.ends_with(" (ulimit -n)"),
            "{reached:?}"
        );
        assert!(reached.remedy.contains("max_parallel"), "{reached:?}");
    }

    #[test]
    fn a_failure_that_ran_into_a_limit_says_so() {
        let text = io::Error::from(Errno::EMFILE).to_string();
        let failure = explain(Failure::new("not-started", format!("cannot run `sh`: {text}")).with_help("install it"));
        assert_eq!(failure.code, "limited");
        assert!(failure.message.contains("files open at once (ulimit -n)"), "{failure}");
        assert!(!failure.to_string().contains("install it"), "{failure}");
        let other = Failure::new("not-started", "cannot run `sh`").with_help("install it");
        assert_eq!(explain(other.clone()), other);
    }

    #[test]
    fn other_errors_are_no_limits() {
        assert_eq!(reached("No such file or directory (os error 2)"), None);
        assert_eq!(reached("24"), None);
        assert_eq!(reached(""), None);
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!(size(600_000 << 10), "585 MiB");
        assert_eq!(size(10 << 10), "10 KiB");
        assert_eq!(named("may do it".into(), "-v", "raise it").limit, "this process may do it (ulimit -v)");
    }

    #[test]
    fn threads_can_be_started() {
        need_threads().expect("there is room for some threads");
    }
}

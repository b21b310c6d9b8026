//! How a process of pytest ended, and whether that says something that none of its tests explains.

use offload_plugin::types::{Exit, Outcome};

use crate::journal::Record;
use crate::results::RERUN;

/// What the session is called, here and in `python/verdict.py`.
const SESSION: &str = "pytest session";

/// How much of the last that was written to standard error is quoted.
const QUOTED: usize = 8 << 10;

/// What ends a process from outside: its sandbox, or the host (SIGKILL, SIGTERM).
const FROM_OUTSIDE: [i32; 2] = [9, 15];

/// The signal by which a process ends itself that Python cannot take apart in time (SIGALRM, see `python/ending.py`).
const OVERDUE: i32 = 14;

/// What is known of how a process ends.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    /// The test that has begun and not ended: then that is what the process ended in.
    under_way: Option<String>,
    has_run: bool,
    /// Whether the hooks at the end of the session have begun.
    has_begun: bool,
    /// The exit status that pytest gave.
    said: Option<i32>,
    /// Whether the process has said already why it ends as it does.
    is_explained: bool,
    errors: Vec<u8>,
}

impl Ending {
    pub(crate) fn saw(&mut self, record: &Record) {
        match record {
            Record::Started { id, .. } => (self.under_way, self.has_run) = (Some(id.clone()), true),
            Record::Finished(finished) if finished.status != RERUN => {
                self.under_way.take_if(|test| *test == finished.id);
            }
            Record::Ending { .. } => self.has_begun = true,
            Record::Exit { status, .. } => self.said = Some(*status),
            Record::Session(_) | Record::Gone {} | Record::Unusable { .. } => self.is_explained = true,
            _ => {}
        }
    }

    pub(crate) fn hear_errors(&mut self, bytes: &[u8]) {
        self.errors.extend_from_slice(&bytes[bytes.len().saturating_sub(QUOTED)..]);
        if self.errors.len() > 2 * QUOTED {
            self.errors.drain(..self.errors.len() - QUOTED);
        }
    }

    /// What is wrong with the session, if the process ended in a way that nothing it said explains.
    pub(crate) fn judge(&self, exit: Exit) -> Option<Outcome> {
        if self.is_explained || self.under_way.is_some() || exit == Exit::Code(0) {
            return None;
        }
        let when = match self.said {
            // The process may have gone through a shell, which knows of the last eight bits only.
            Some(said) if exit == Exit::Code(said & 0xff) || exit == Exit::Code(said) => return None,
            Some(_) if is_overdue(exit) => return None,
            Some(_) => "when Python ended",
            None if self.has_begun => "at the end of the session",
            None if self.has_run && !is_from_outside(exit) => "between two tests",
            None => return None,
        };
        let stderr = String::from_utf8_lossy(&self.errors[self.errors.len().saturating_sub(QUOTED)..]).into_owned();
        Some(Outcome {
            message: Some(format!("the process of pytest {} {when}", describe(exit))),
            stderr: (!stderr.is_empty()).then_some(stderr),
            ..Outcome::new(SESSION, "session-failed")
        })
    }

    /// What a person should know of how it ended.
    pub(crate) fn notice(&self, exit: Exit) -> Option<String> {
        (self.said.is_some() && is_overdue(exit)).then(|| {
            "the process of pytest had not ended some seconds after its tests, so it was ended: Python was still at taking \
             its objects apart"
                .to_owned()
        })
    }
}

fn is_overdue(exit: Exit) -> bool {
    signal(exit) == Some(OVERDUE)
}

fn is_from_outside(exit: Exit) -> bool {
    signal(exit).is_some_and(|signal| FROM_OUTSIDE.contains(&signal))
}

/// The signal that ended a process: a shell says 128 + n.
fn signal(exit: Exit) -> Option<i32> {
    match exit {
        Exit::Signal(signal) => Some(signal),
        Exit::Code(code) if (129..=160).contains(&code) => Some(code - 128),
        Exit::Code(_) => None,
    }
}

fn describe(exit: Exit) -> String {
    match (signal(exit), exit) {
        (Some(signal), _) => format!("was killed by signal {signal}{}", name(signal)),
        (None, Exit::Code(code) | Exit::Signal(code)) => format!("ended with exit code {code}"),
    }
}

fn name(signal: i32) -> &'static str {
    match signal {
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use offload_plugin::journal;

    use super::*;

    /// What a process that told this, and ended so, is held to have done.
    #[track_caller]
    fn check(told: &[&str], exit: Exit, expected: Option<&str>) {
        let mut ending = Ending::default();
        for record in told {
            let line = format!("[\"n\", {record}]\n");
            ending.saw(&journal::record(line.as_bytes(), "n").unwrap_or_else(|| panic!("no record: {record}")));
        }
        ending.hear_errors(b"the last it said");
        let verdict = ending.judge(exit);
        assert_eq!(verdict.as_ref().and_then(|it| it.message.as_deref()), expected);
        if let Some(verdict) = verdict {
            assert_eq!((verdict.id.as_str(), verdict.status.as_str()), (SESSION, "session-failed"));
            assert_eq!(verdict.stderr.as_deref(), Some("the last it said"));
        }
    }

    const STARTED: &str = r#"{"started": {"id": "a", "at": 1}}"#;
    const FINISHED: &str = r#"{"finished": {"id": "a", "at": 2, "status": "passed", "duration": 1}}"#;
    const RERUN: &str = r#"{"finished": {"id": "a", "at": 2, "status": "rerun", "duration": 1}}"#;
    const ENDING: &str = r#"{"ending": {"status": 1}}"#;
    const EXIT: &str = r#"{"exit": {"status": 1}}"#;
    const SAID: &str = r#"{"session": {"id": "pytest session", "message": "m", "details": null, "stop": false}}"#;

    #[test]
    fn a_process_that_ends_as_it_said_is_explained() {
        check(&[STARTED, FINISHED, ENDING, EXIT], Exit::Code(1), None);
        check(&[STARTED, FINISHED, ENDING, EXIT], Exit::Code(0), None);
        check(&[STARTED, FINISHED, ENDING, r#"{"exit": {"status": 256}}"#], Exit::Code(0), None);
        check(&[STARTED, FINISHED, ENDING, r#"{"exit": {"status": -1}}"#], Exit::Code(255), None);
    }

    #[test]
    fn a_process_that_dies_at_its_end_is_told() {
        let told = "the process of pytest was killed by signal 11 (SIGSEGV) when Python ended";
        check(&[STARTED, FINISHED, ENDING, EXIT], Exit::Signal(11), Some(told));
        check(&[STARTED, FINISHED, ENDING, EXIT], Exit::Code(139), Some(told));
        let told = "the process of pytest ended with exit code 3 when Python ended";
        check(&[STARTED, FINISHED, ENDING, EXIT], Exit::Code(3), Some(told));
        let told = "the process of pytest ended with exit code 3 at the end of the session";
        check(&[STARTED, FINISHED, ENDING], Exit::Code(3), Some(told));
        let told = "the process of pytest was killed by signal 6 (SIGABRT) between two tests";
        check(&[STARTED, FINISHED], Exit::Signal(6), Some(told));
    }

    #[test]
    fn what_is_explained_otherwise_is_not_told_again() {
        check(&[STARTED], Exit::Signal(11), None);
        check(&[STARTED, RERUN], Exit::Signal(11), None);
        check(&[STARTED, FINISHED], Exit::Signal(9), None);
        check(&[], Exit::Code(1), None);
        check(&[STARTED, FINISHED, r#"{"gone": {}}"#], Exit::Code(1), None);
        check(&[STARTED, FINISHED, ENDING, SAID], Exit::Code(1), None);
    }

    #[test]
    fn a_process_that_python_cannot_take_apart_is_a_warning() {
        let mut ending = Ending::default();
        ending.saw(&Record::Exit { status: 0, warnings: 0 });
        assert_eq!(ending.judge(Exit::Signal(OVERDUE)), None);
        assert!(ending.notice(Exit::Signal(OVERDUE)).is_some());
        assert!(ending.notice(Exit::Code(0)).is_none());
    }

    #[test]
    fn no_more_than_the_last_of_what_it_wrote_is_kept() {
        let mut ending = Ending::default();
        for _ in 0..100 {
            ending.hear_errors(&[b'x'; 4096]);
        }
        assert!(ending.errors.len() <= 2 * QUOTED);
    }
}

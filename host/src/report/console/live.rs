//! The run while it lasts: what was found, what goes wrong, how far it is.

use std::{collections::HashSet, time::Duration};

use super::{
    palette::Palette,
    phrases::{counted, duration, failure, label, test, verdict_of},
    screen::Screen,
};
use crate::{
    model::{Attempt, BatchEnd, Event, Failure, NoticeLevel, SandboxName, Test, Verdict},
    report::text::{block, one_line, shortened, without_ansi},
};

/// Between two lines of progress where there is no bar.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Tests that did not do well and are named as they come; the rest are named at the end.
const MOST_TESTS: usize = 50;

/// Lines on sandboxes and batches that broke: a hundred of one kind say no more than twenty.
const MOST_TROUBLES: usize = 20;

/// Errors that are said again at the end.
const MOST_ERRORS: usize = 20;

/// Characters of a test's message on its line.
const MESSAGE_WIDTH: usize = 160;

#[derive(Default)]
pub(super) struct Live {
    discovered: usize,
    judged: usize,
    bad: usize,
    flaky: usize,
    groups: usize,
    up: HashSet<SandboxName>,
    told_of_sandbox: bool,
    named_tests: usize,
    troubles: usize,
    errors: Vec<String>,
    last_progress: Duration,
}

impl Live {
    pub fn handle(&mut self, at: Duration, event: &Event, screen: &mut Screen, palette: Palette) {
        let mut talk = Talk { screen, palette };
        match event {
            Event::RunStarted { version, provider, max_parallel, run_id, .. } => talk.line(&format!(
                "{} {version}: provider {}, up to {}, run {}",
                palette.strong("offload"),
                one_line(provider),
                counted(*max_parallel, "sandbox"),
                one_line(run_id.as_str()),
            )),
            Event::DiscoveryStarted { .. } => self.groups += 1,
            Event::TestDiscovered { .. } => self.discovered += 1,
            Event::DiscoveryFinished { group, tests, problems, seconds } => {
                let problems = match problems {
                    0 => String::new(),
                    some => format!(" and {}", palette.warn(counted(*some, "problem"))),
                };
                let (found, name) = (counted(*tests, "test"), one_line(group.as_str()));
                talk.line(&format!("found {found}{problems} in group {name} ({})", duration(*seconds)));
            }
            Event::Sharded { group, shard, tests, .. } => {
                let (all, name) = (counted(*tests, "test"), one_line(group.as_str()));
                talk.line(&format!("shard {shard} of the {all} in group {name}"));
            }
            Event::DiscoveryFailed { group, failure } => {
                self.error(&mut talk, &format!("could not discover group {}", one_line(group.as_str())), failure);
            }
            Event::SandboxUp { sandbox, seconds } => {
                self.up.insert(sandbox.clone());
                // The rest are in the count of the progress line.
                if !self.told_of_sandbox {
                    self.told_of_sandbox = true;
                    let name = one_line(sandbox.as_str());
                    talk.line(&format!("first sandbox {name} is up ({})", duration(*seconds)));
                }
            }
            Event::SandboxFailed { sandbox, failure, replaced } => {
                self.up.remove(sandbox);
                let end = if *replaced { "another one takes its place" } else { "nothing takes its place" };
                self.trouble(&mut talk, &format!("sandbox {} failed, {end}", one_line(sandbox.as_str())), failure);
            }
            Event::BatchEnded { sandbox, end, returned, .. } => self.batch_ended(&mut talk, sandbox, end, *returned),
            Event::Attempted { test, attempt, retried } => self.attempted(&mut talk, test, attempt, *retried),
            Event::Judged { verdict, .. } => {
                self.judged += 1;
                self.bad += usize::from(verdict.is_bad());
                self.flaky += usize::from(*verdict == Verdict::Flaky);
            }
            Event::Notice { level, message } => self.notice(&mut talk, *level, message),
            Event::BatchStarted { .. }
            | Event::WorkerStarted { .. }
            | Event::TestStarted { .. }
            | Event::Warned { .. }
            | Event::ReliesOnOrder { .. }
            | Event::Output { .. }
            | Event::RunFinished { .. } => {}
        }
        self.progress(at, &mut talk);
    }

    /// Errors in the words in which they were told.
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    fn attempted(&mut self, talk: &mut Talk<'_>, of: &Test, attempt: &Attempt, retried: bool) {
        let status = attempt.outcome.status;
        let recovered = !status.is_failure() && attempt.number.get() > 1;
        if !status.is_failure() && !recovered {
            return;
        }
        self.named_tests += 1;
        if self.named_tests > MOST_TESTS {
            if self.named_tests == MOST_TESTS + 1 {
                talk.line(&talk.palette.dim("… further ones are named at the end").to_string());
            }
            return;
        }
        let verdict = if recovered { Verdict::Flaky } else { verdict_of(status) };
        let label = talk.palette.verdict(verdict, label(verdict));
        let attempt_text = match (recovered, retried) {
            (true, _) => format!(" (attempt {} {})", attempt.number, verdict_of(status)),
            (false, true) => format!(" (attempt {}, will be retried)", attempt.number),
            (false, false) if attempt.number.get() > 1 => format!(" (attempt {})", attempt.number),
            (false, false) => String::new(),
        };
        let message = attempt.outcome.message.as_deref().filter(|message| !recovered && !message.is_empty());
        let message = message.map(|message| format!(" - {}", headline(message))).unwrap_or_default();
        let name = test(of, self.groups > 1);
        talk.line(&format!("{label} {name}{}{}", talk.palette.dim(attempt_text), talk.palette.dim(message)));
    }

    fn batch_ended(&mut self, talk: &mut Talk<'_>, sandbox: &SandboxName, end: &BatchEnd, returned: usize) {
        let name = one_line(sandbox.as_str());
        let again = match returned {
            0 => String::new(),
            some => format!("; {} will be handed out again", counted(some, "test")),
        };
        match end {
            BatchEnd::Failed { failure } => {
                self.trouble(talk, &format!("a batch in sandbox {name} could not be done{again}"), failure);
            }
            BatchEnd::TimedOut => self.warn(talk, &format!("a batch in sandbox {name} overran its time{again}")),
            BatchEnd::Signalled { signal } if returned > 0 => {
                self.warn(talk, &format!("a batch in sandbox {name} was ended by signal {signal}{again}"));
            }
            BatchEnd::Exited { .. } | BatchEnd::Signalled { .. } | BatchEnd::Cancelled | BatchEnd::Split { .. } => {}
        }
    }

    fn notice(&mut self, talk: &mut Talk<'_>, level: NoticeLevel, message: &str) {
        let message = block(message);
        match level {
            NoticeLevel::Info => talk.line(&format!("note: {message}")),
            NoticeLevel::Warning => talk.line(&format!("{} {message}", talk.palette.warn("warning:"))),
            NoticeLevel::Error => self.keep_error(talk, message),
        }
    }

    fn error(&mut self, talk: &mut Talk<'_>, what: &str, why: &Failure) {
        self.keep_error(talk, format!("{what}: {}", failure(why)));
    }

    fn keep_error(&mut self, talk: &mut Talk<'_>, text: String) {
        talk.line(&format!("{} {text}", talk.palette.bad("error:")));
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(text);
        }
    }

    fn trouble(&mut self, talk: &mut Talk<'_>, what: &str, why: &Failure) {
        self.warn(talk, &format!("{what}: {}", failure(why)));
    }

    fn warn(&mut self, talk: &mut Talk<'_>, text: &str) {
        self.troubles += 1;
        if self.troubles <= MOST_TROUBLES {
            talk.line(&format!("{} {text}", talk.palette.warn("warning:")));
        } else if self.troubles == MOST_TROUBLES + 1 {
            talk.line(&talk.palette.dim("… further warnings of sandboxes and batches are in events.jsonl").to_string());
        }
    }

    fn progress(&mut self, at: Duration, talk: &mut Talk<'_>) {
        if talk.screen.has_bar() {
            talk.screen.progress(self.judged, self.discovered, || self.counts());
        } else if at.saturating_sub(self.last_progress) >= PROGRESS_EVERY {
            self.last_progress = at;
            let done = match self.discovered {
                0 => "still looking for tests".to_owned(),
                of => format!("{}/{of} tests", self.judged),
            };
            talk.line(&format!("{done}{}, {}", self.counts(), duration(at.as_secs_f64())));
        }
    }

    /// ", 3 failed, 1 flaky, 2 sandboxes".
    fn counts(&self) -> String {
        let mut counts = String::new();
        if self.bad > 0 {
            counts.push_str(&format!(", {} failed", self.bad));
        }
        if self.flaky > 0 {
            counts.push_str(&format!(", {} flaky", self.flaky));
        }
        counts + ", " + &counted(self.up.len(), "sandbox")
    }
}

/// The first line of a message, as far as there is room for it.
pub(super) fn headline(message: &str) -> String {
    let plain = without_ansi(message);
    let first = plain.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    shortened(&one_line(first.trim()), MESSAGE_WIDTH).into_owned()
}

struct Talk<'a> {
    screen: &'a mut Screen,
    palette: Palette,
}

impl Talk<'_> {
    fn line(&mut self, line: &str) {
        self.screen.line(line);
    }
}

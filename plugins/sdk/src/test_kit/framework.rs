//! A framework component under test.

use super::line::{Line, Loaded};
use super::ran::Ran;
use crate::framework::{Discovery, FinishedRun, RunPlan};
use crate::observer::Event;
use crate::types::{Context, Failure, Found, Outcome, Test};

/// A component that goes on asking for commands has lost its way.
const MOST_COMMANDS: usize = 100;

/// An observer gets what a command printed in pieces of so many bytes, since they may be cut anywhere; what is long would take
/// too long that way.
const PIECE: usize = 61;
const LARGE_PIECE: usize = 8191;

/// A framework's component, loaded into the host.
pub struct FrameworkComponent {
    line: Line,
    loaded: Loaded,
    attempts: u32,
}

impl FrameworkComponent {
    pub(super) fn of(line: Line, loaded: Loaded) -> Self {
        Self { line, loaded, attempts: 0 }
    }

    /// What it says of itself.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// What it logged so far: level and message.
    pub fn logged(&self) -> &[(String, String)] {
        self.line.logged()
    }

    /// A whole discovery by a new instance. `run` says what becomes of each command that it asks for.
    ///
    /// # Errors
    /// What the component says, or that it wants what it does not ask for among its requests.
    pub fn discover(&mut self, paths: &[&str], mut run: impl FnMut(&RunPlan) -> Ran) -> Result<Found, Failure> {
        let context = self.begin()?;
        let mut previous: Vec<FinishedRun> = Vec::new();
        while previous.len() < MOST_COMMANDS {
            match self.call("discover", (&context, paths, &previous))? {
                Discovery::Found(found) => return Ok(found),
                Discovery::Run(plan) => previous.push(run(&plan).finished(plan.result_files)?),
            }
        }
        Err(Failure::new("no-end", format!("it still asks for commands after {MOST_COMMANDS} of them")))
    }

    /// One attempt at these tests by a new instance: the outcomes that it tells, observed ones first.
    ///
    /// # Errors
    /// As of [`Self::discover`].
    pub fn run(&mut self, tests: &[Test], mut run: impl FnMut(&RunPlan) -> Ran) -> Result<Vec<Outcome>, Failure> {
        let context = self.begin()?;
        let plan: RunPlan = self.call("run-command", (&context, tests))?;
        let finished = run(&plan).finished(plan.result_files)?;
        let mut events: Vec<Event> = Vec::new();
        for (stream, bytes) in [("stdout", &finished.output.stdout), ("stderr", &finished.output.stderr)] {
            let piece = if bytes.len() > LARGE_PIECE { LARGE_PIECE } else { PIECE };
            for bytes in bytes.chunks(piece) {
                events.extend(self.call::<Vec<Event>>("observe", (stream, bytes))?);
            }
        }
        events.extend(self.call::<Vec<Event>>("ended", [finished.output.exit])?);
        let observed = |event| if let Event::Finished(outcome) = event { Some(outcome) } else { None };
        let mut outcomes: Vec<Outcome> = events.into_iter().filter_map(observed).collect();
        let told: Vec<Outcome> = self.call("parse-results", (&context, tests, &finished))?;
        // As in the host, the first word counts.
        for outcome in told {
            if outcomes.iter().all(|first| first.id != outcome.id) {
                outcomes.push(outcome);
            }
        }
        Ok(outcomes)
    }

    /// A new instance, and an attempt for it.
    fn begin(&mut self) -> Result<Context, Failure> {
        self.attempts += 1;
        self.call::<()>("new", ())?;
        let attempt = self.attempts;
        let scratch = format!("/scratch/attempt-{attempt}-");
        Ok(Context { scratch, nonce: format!("nonce{attempt}"), attempt, memo: None })
    }

    fn call<T: serde::de::DeserializeOwned>(
        &mut self,
        function: &str,
        parameters: impl serde::Serialize,
    ) -> Result<T, Failure> {
        // A framework runs nothing itself.
        self.line.call(function, parameters, &mut |_, _| Ran::missing())
    }
}

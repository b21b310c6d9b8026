//! The tests of one package, which one process runs, and what is known of them so far.

use std::collections::HashMap;

use offload_plugin::observer::Event;
use offload_plugin::types::{Outcome, Test};

use crate::compiler;
use crate::event::{self, Event as Told};
use crate::frame::{Frame, glued};
use crate::printed::Printed;
use crate::story;
use crate::test::{Ending, RunningTest, State, Status};
use crate::verdict;

#[derive(Default)]
pub struct Package {
    path: String,
    tests: Vec<RunningTest>,
    by_name: HashMap<String, usize>,
    /// What was printed outside of tests.
    printed: Printed,
    /// Whether test2json can tell what the testing package prints from what tests print.
    is_framed: bool,
    /// Whether the testing package said itself how all went: its process went through.
    is_through: bool,
    is_unbuilt: bool,
    /// What did not build, where go says that.
    failed_build: String,
    /// How go itself says that its process ended, by a line of its own. Before Go 1.20 the event at the end follows what was
    /// printed last.
    said: Option<bool>,
    /// Whether its process succeeded, once that has ended.
    succeeded: Option<bool>,
    /// The test that it died of, if it did and said nothing of it.
    died_of: Option<usize>,
    /// The last test that ended. It is told when another follows: if the process then fails by what follows the tests, such as
    /// a `TestMain` that looks for leaks, that is told with it.
    held: Option<usize>,
}

impl Package {
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }

    pub fn add(&mut self, name: &str, test: &Test, repeated: bool) {
        self.by_name.insert(name.to_owned(), self.tests.len());
        self.tests.push(RunningTest::new(test, repeated));
    }

    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.by_name.iter().collect();
        names.sort_by_key(|(_, index)| **index);
        names.into_iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Whether anything was heard of it.
    pub fn is_known(&self) -> bool {
        self.is_unbuilt || self.succeeded.is_some() || self.tests.iter().any(|test| test.state != State::Waiting)
    }

    /// Takes in the next event of this package.
    pub fn take(&mut self, told: Told) -> Vec<Event> {
        let Some(full) = told.test.as_deref() else { return self.take_own(told) };
        let (name, subtest) = match full.split_once('/') {
            Some((name, _)) => (name, Some(full)),
            None => (full, None),
        };
        let Some(&index) = self.by_name.get(name) else { return Vec::new() };
        match (told.action.as_str(), subtest) {
            ("output", _) => return self.print(index, subtest, &told.output),
            ("run", None) => return self.began(index),
            ("pause", None) => self.paused(index),
            ("cont", None) => return self.continued(index),
            (action, None) => {
                let Some(status) = Status::of(action) else { return Vec::new() };
                let test = &self.tests[index];
                if test.state == State::UnderWay && !test.is_reported {
                    // Of a process that exits in the middle of a test, test2json says what holds for the package of that test.
                    return self.process_ended(status != Status::Failed);
                }
                return self.ended(index, Ending { status, seconds: told.elapsed });
            }
            (action, Some(full)) => {
                if let Some(status) = Status::of(action) {
                    self.tests[index].subtest_ended(full, status == Status::Failed);
                }
            }
        }
        Vec::new()
    }

    fn take_own(&mut self, told: Told) -> Vec<Event> {
        match told.action.as_str() {
            // Both came with Go 1.20.
            "start" => self.is_framed = true,
            "output" => {
                self.is_unbuilt |= event::unbuilt(&told.output).is_some();
                self.is_through |= ["PASS\n", "FAIL\n"].contains(&told.output.as_str());
                self.said = event::verdict(&told.output, &self.path).or(self.said);
                self.printed.push(&told.output);
                if let Some(line) = self.printed.last_line().map(str::to_owned) {
                    return self.look_for_frame(&line);
                }
            }
            action => {
                if let Some(status) = Status::of(action) {
                    self.failed_build = told.failed_build;
                    return self.process_ended(status != Status::Failed);
                }
            }
        }
        Vec::new()
    }

    fn process_ended(&mut self, succeeded: bool) -> Vec<Event> {
        self.succeeded = Some(self.said.filter(|_| !self.is_framed).unwrap_or(succeeded));
        self.close().into_iter().map(Event::Finished).collect()
    }

    fn print(&mut self, index: usize, subtest: Option<&str>, text: &str) -> Vec<Event> {
        // A test that prints another's name takes over nothing by that.
        let owner = self.alone().filter(|_| !self.is_framed && self.tests[index].state != State::UnderWay);
        let (owner, subtest) = owner.map_or((index, subtest), |owner| (owner, None));
        let test = &mut self.tests[owner];
        if !test.is_parallel {
            test.unseen = None;
        }
        test.print(subtest, text).map_or_else(Vec::new, |line| self.look_for_frame(&line))
    }

    /// Where nothing marks what the testing package prints, it may stand behind what a test printed.
    fn look_for_frame(&mut self, line: &str) -> Vec<Event> {
        let frame = glued(line).filter(|_| !self.is_framed);
        let Some((&index, frame)) = frame.and_then(|(name, frame)| Some((self.by_name.get(name)?, frame))) else {
            return Vec::new();
        };
        match frame {
            Frame::Began => return self.began(index),
            Frame::Paused => self.paused(index),
            Frame::Continued => return self.continued(index),
            Frame::Ended(ending) => {
                if self.alone().is_none_or(|alone| alone == index) {
                    self.tests[index].unseen = Some(ending);
                }
            }
        }
        Vec::new()
    }

    /// The test that runs while no other does.
    fn alone(&self) -> Option<usize> {
        self.tests.iter().position(|test| test.state == State::UnderWay && !test.is_parallel)
    }

    /// Ends the test that ran alone, so that this one can go on: what is told of the way, and nothing if that one has not ended.
    fn takes_over(&mut self, index: usize) -> Option<Vec<Event>> {
        let Some(other) = self.alone().filter(|other| !self.is_framed && *other != index) else {
            return Some(Vec::new());
        };
        let ending = self.tests[other].unseen.take()?;
        Some(self.ended(other, ending))
    }

    fn began(&mut self, index: usize) -> Vec<Event> {
        // None begins before the one that runs alone has ended: it would be one that the other made up.
        let Some(mut events) = self.takes_over(index) else { return Vec::new() };
        events.extend(self.release());
        let test = &mut self.tests[index];
        let is_first = test.state == State::Waiting;
        test.begin();
        if is_first {
            events.push(Event::Started(test.id.clone()));
        }
        events
    }

    fn paused(&mut self, index: usize) {
        let test = &mut self.tests[index];
        if test.state == State::UnderWay {
            test.state = State::Paused;
            test.is_parallel = true;
        }
    }

    fn continued(&mut self, index: usize) -> Vec<Event> {
        if self.tests[index].state != State::Paused {
            return Vec::new();
        }
        let events = self.takes_over(index);
        if events.is_some() {
            self.tests[index].state = State::UnderWay;
        }
        events.unwrap_or_default()
    }

    fn ended(&mut self, index: usize, ending: Ending) -> Vec<Event> {
        let test = &mut self.tests[index];
        if test.told || !matches!(test.state, State::UnderWay | State::Ended) {
            return Vec::new();
        }
        // What test2json took for its report may only stand before that, on the same line.
        let unseen = test.unseen.take().filter(|_| !self.is_framed);
        test.end(ending);
        if let Some(unseen) = unseen {
            test.end(unseen);
        }
        // Beside others a test can make up how they end, unless that is marked: then all are heard first.
        if test.is_repeated || (test.is_parallel && !self.is_framed) || self.held == Some(index) {
            return Vec::new();
        }
        let events = self.release();
        self.held = Some(index);
        events.into_iter().collect()
    }

    /// Tells the test that was held back.
    fn release(&mut self) -> Option<Event> {
        let index = self.held.take()?;
        self.tell(index).map(Event::Finished)
    }

    fn tell(&mut self, index: usize) -> Option<Outcome> {
        // One that is run several times has passed only if no round of it is left.
        let is_over = |test: &RunningTest| matches!(test.state, State::Waiting | State::Ended);
        let all_rounds = self.is_through || (self.succeeded == Some(true) && self.tests.iter().all(is_over));
        let is_doubtful = self.is_doubtful(index);
        let test = &mut self.tests[index];
        let is_known = test.has_failed() || (test.state == State::Ended && (all_rounds || !test.is_repeated));
        let outcome = test.outcome().filter(|_| is_known && !test.told && !is_doubtful)?;
        test.told = true;
        test.told_failed = test.has_failed();
        Some(outcome)
    }

    /// Whether nobody knows which of several reports on a test is its own: beside others any of them may have printed one.
    /// Alone in its process it has that process's end.
    fn is_doubtful(&self, index: usize) -> bool {
        let test = &self.tests[index];
        !self.is_framed
            && self.succeeded == Some(false)
            && self.tests.len() > 1
            && test.is_parallel
            && test.is_contradicted
    }

    /// What is left to tell now that the process has ended.
    fn close(&mut self) -> Vec<Outcome> {
        if self.is_unbuilt {
            // What go says of that may come on standard error.
            return Vec::new();
        }
        let succeeded = self.succeeded.unwrap_or_default();
        self.end_unseen(succeeded);
        let mut outcomes = Vec::new();
        if !succeeded && self.tests.iter().all(|test| test.state == State::Waiting && test.ending().is_none()) {
            let text = self.printed.text();
            outcomes.extend(self.tests.iter_mut().map(|test| {
                test.told = true;
                verdict::failed_before(test, &self.path, text.clone())
            }));
            return outcomes;
        }
        outcomes.extend((0..self.tests.len()).filter_map(|index| self.tell(index)));
        if !succeeded && self.tests.iter().all(|test| self.explains_nothing(test)) {
            outcomes.push(verdict::failed_after(&self.path, self.printed.text()));
        }
        outcomes.extend(self.open());
        outcomes
    }

    /// Ends the tests whose end was told by no event.
    fn end_unseen(&mut self, succeeded: bool) {
        for test in &mut self.tests {
            if matches!(test.state, State::UnderWay | State::Paused) {
                // In a process that went through and succeeded, every test did.
                let fine = Ending { status: Status::Passed, seconds: 0.0 };
                let is_fine = self.is_through && succeeded && !self.is_framed;
                if let Some(ending) = test.unseen.take().or(is_fine.then_some(fine)) {
                    test.end(ending);
                }
            }
            if succeeded && !self.is_framed {
                test.believe_success();
            }
        }
    }

    /// Whether a process cannot have failed by this test: it was not begun, or has passed.
    fn explains_nothing(&self, test: &RunningTest) -> bool {
        let is_over = matches!(test.state, State::Waiting | State::Ended);
        // One that is still to be told is in doubt.
        is_over && !test.told_failed && (test.told || test.ending().is_none())
    }

    /// What became of those that did not end.
    fn open(&mut self) -> Vec<Outcome> {
        let printed = self.printed.text();
        // A test may print what looks like the end of all.
        let broke_off =
            || story::panic(&printed).is_some() || story::ending(&printed).is_some_and(|end| end != "exit status 1");
        if (!self.is_through || (!self.is_framed && broke_off()))
            && let Some(index) = verdict::culprit(&self.tests, &printed)
        {
            let outcome = verdict::panicked(&self.tests[index], &self.tests, &printed);
            self.tests[index].told = outcome.is_some();
            self.died_of = Some(index).filter(|_| outcome.is_none());
            return outcome.into_iter().collect();
        }
        let all_over = self.tests.iter().all(|test| matches!(test.state, State::Waiting | State::Ended));
        if self.succeeded != Some(true) || !all_over {
            return Vec::new();
        }
        let waiting = self.tests.iter_mut().filter(|test| test.state == State::Waiting && !test.told);
        waiting
            .map(|test| {
                test.told = true;
                verdict::passed_over(test, &self.path)
            })
            .collect()
    }

    /// The outcomes that were not told, now that the command has ended, where go said this besides.
    pub fn finish(&mut self, said: &str) -> Vec<Outcome> {
        if self.is_unbuilt {
            let open = self.tests.iter().filter(|test| !test.told);
            return open.map(|test| compiler::error(&test.id, &self.path, &self.failed_build, said)).collect();
        }
        // Before Go 1.20 a test may have printed that it ended, and go on: that shows when the next begins.
        let is_open = |index: &usize| self.succeeded.is_none() && !self.is_framed && self.held == Some(*index);
        let known: Vec<_> = (0..self.tests.len()).filter(|index| !is_open(index)).collect();
        known.into_iter().filter_map(|index| self.tell(index)).collect()
    }

    /// The test that was under way when the process ended, if there is one that can be made out.
    pub fn under_way(&self) -> Option<&str> {
        let index = match self.succeeded {
            Some(_) => self.died_of,
            None => verdict::culprit(&self.tests, ""),
        };
        index.map(|index| self.tests[index].id.as_str())
    }

    /// Whether its process has ended.
    pub fn is_over(&self) -> bool {
        self.succeeded.is_some()
    }
}

//! The tests of one command, and what is known of them so far.

use offload_plugin::observer::Event;
use offload_plugin::types::{Captured, Exit, Failure, Outcome, Test};

use crate::event;
use crate::lines::Lines;
use crate::name::TestName;
use crate::package::Package;
use crate::printed::Printed;
use crate::trouble;

#[derive(Default)]
pub struct Batch {
    /// In the order in which they are run, by their import paths.
    packages: Vec<(String, Package)>,
    lines: Lines,
    /// What newer versions of go say of builds among the events.
    builds: Printed,
    observed: bool,
}

impl Batch {
    /// # Errors
    /// An id that is none of this framework's.
    pub fn of(tests: &[Test], repeated: bool) -> Result<Self, Failure> {
        let mut batch = Self::default();
        for test in tests {
            let TestName { package, name } = TestName::of_id(&test.id).ok_or_else(|| {
                Failure::new("unknown-test", format!("`{}` is no id of a Go test", test.id))
                    .with_help("ids look like `example.com/shop/cart.TestTotal`; `offload collect` lists them")
            })?;
            batch.package(package).add(name, test, repeated);
        }
        Ok(batch)
    }

    /// Tests of one package mostly follow each other.
    fn package(&mut self, path: &str) -> &mut Package {
        let index = self.packages.iter().rposition(|(known, _)| known == path).unwrap_or_else(|| {
            self.packages.push((path.to_owned(), Package::new(path)));
            self.packages.len() - 1
        });
        &mut self.packages[index].1
    }

    /// Each package with its tests.
    pub fn names(&self) -> Vec<(&str, Vec<&str>)> {
        self.packages.iter().map(|(path, package)| (path.as_str(), package.names())).collect()
    }

    /// What the next bytes of go's standard output say.
    pub fn observe(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.observed = true;
        let mut events = Vec::new();
        for line in self.lines.push(bytes) {
            let Some(told) = event::read(&line) else { continue };
            if told.action == "build-output" {
                self.builds.push(&told.output);
            } else if let Some((_, package)) = self.packages.iter_mut().rfind(|(path, _)| *path == told.package) {
                events.extend(package.take(told));
            }
        }
        events
    }

    /// The outcomes that [`Self::observe`] has not given, now that the command has ended. Tests that were not begun have none,
    /// unless they cannot have any.
    ///
    /// # Errors
    /// go itself failed before the first test.
    pub fn finish(&mut self, output: &Captured) -> Result<Vec<Outcome>, Failure> {
        let mut outcomes = Vec::new();
        if !self.observed {
            let late = self.observe(&output.stdout);
            outcomes.extend(late.into_iter().filter_map(|event| match event {
                Event::Finished(outcome) => Some(outcome),
                _ => None,
            }));
        }
        let failed = matches!(output.exit, Exit::Code(code) if code != 0);
        if failed && !self.packages.iter().any(|(_, package)| package.is_known()) {
            return Err(trouble::explain(output, "go-failed"));
        }
        let said = format!("{}{}", self.builds.text(), String::from_utf8_lossy(&output.stderr));
        outcomes.extend(self.packages.iter_mut().flat_map(|(_, package)| package.finish(&said)));
        outcomes.extend(self.under_way(output.exit));
        Ok(outcomes)
    }

    /// One test that its process died of. If the command was ended from outside only the last process counts: what others
    /// died of is found when it is handed out again, since the host would take it for what took the time.
    fn under_way(&self, exit: Exit) -> Option<Outcome> {
        let was_ended = matches!(exit, Exit::Signal(_));
        let packages = self.packages.iter().filter(|(_, package)| !was_ended || !package.is_over());
        let mut running = packages.filter_map(|(_, package)| package.under_way());
        // Packages run side by side where `extra_args` says so.
        let first = running.next().filter(|_| !was_ended || running.next().is_none());
        first.map(|id| Outcome::new(id, "running"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn batch(ids: &[&str]) -> Batch {
        let tests: Vec<_> = ids.iter().map(|id| Test::new(*id)).collect();
        Batch::of(&tests, false).expect("the ids are ours")
    }

    /// What test2json says in a few words, a line each: `run TestA`, `pass TestA`, `TestA: printed`, `: printed`, `fail`.
    fn told(package: &str, lines: &[&str]) -> String {
        let event = |line: &&str| match line.split_once(": ") {
            Some(("", text)) => json!({"Action": "output", "Package": package, "Output": format!("{text}\n")}),
            Some((test, text)) if !test.contains(' ') => {
                json!({"Action": "output", "Package": package, "Test": test, "Output": format!("{text}\n")})
            }
            _ => match line.split_once(' ') {
                Some((action, test)) => json!({"Action": action, "Package": package, "Test": test, "Elapsed": 0.5}),
                None => json!({"Action": line, "Package": package}),
            },
        };
        lines.iter().map(|line| format!("{}\n", event(line))).collect()
    }

    /// As [`told`], for tests that begin and end as they should.
    fn ran(action: &str, test: &str) -> String {
        let report = format!("{test}: --- {}: {test} (0.50s)", action.to_uppercase());
        told("m", &[&format!("run {test}"), &report, &format!("{action} {test}")])
    }

    fn shown(outcome: &Outcome) -> String {
        let id = outcome.id.strip_prefix("m.").unwrap_or(&outcome.id);
        match &outcome.message {
            None => format!("{} {id}", outcome.status),
            Some(message) => format!("{} {id}: {message}", outcome.status),
        }
    }

    fn seen(events: &[Event]) -> Vec<String> {
        let seen = events.iter().map(|event| match event {
            Event::Started(id) => format!("started {}", id.strip_prefix("m.").unwrap_or(id)),
            Event::Finished(outcome) => shown(outcome),
            _ => "something else".to_owned(),
        });
        seen.collect()
    }

    fn captured(exit: Exit, stdout: &str, stderr: &str) -> Captured {
        Captured { exit, stdout: stdout.as_bytes().to_vec(), stderr: stderr.as_bytes().to_vec() }
    }

    /// What is told of TestA, TestB and TestC of the package `m` while the command runs, but that they begin, and at its end.
    #[track_caller]
    fn check(stdout: &str, exit: Exit, streamed: &[&str], at_the_end: &[&str]) {
        let mut batch = batch(&["m.TestA", "m.TestB", "m.TestC"]);
        let mut events = batch.observe(&stdout.as_bytes()[..stdout.len() / 2]);
        events.extend(batch.observe(&stdout.as_bytes()[stdout.len() / 2..]));
        events.retain(|event| !matches!(event, Event::Started(_)));
        assert_eq!(seen(&events), streamed);
        let outcomes = batch.finish(&captured(exit, stdout, "")).expect("the run can be judged");
        assert_eq!(outcomes.iter().map(shown).collect::<Vec<_>>(), at_the_end);
    }

    #[test]
    fn tests_are_told_when_the_next_begins() {
        let mut batch = batch(&["m.TestA", "m.TestB"]);
        assert_eq!(seen(&batch.observe(ran("pass", "TestA").as_bytes())), ["started TestA"]);
        assert_eq!(seen(&batch.observe(ran("pass", "TestOther").as_bytes())), [""; 0]);
        assert_eq!(seen(&batch.observe(ran("pass", "TestB").as_bytes())), ["passed TestA", "started TestB"]);
        assert_eq!(seen(&batch.observe(told("m", &[": PASS", "pass"]).as_bytes())), ["passed TestB"]);
        assert!(batch.finish(&captured(Exit::Code(0), "", "")).expect("it was fine").is_empty());
    }

    #[test]
    fn a_process_that_fails_without_a_test_is_an_error_of_its_own() {
        let text = [
            ran("pass", "TestA"),
            ran("pass", "TestB"),
            ran("skip", "TestC"),
            told("m", &[": PASS", ": a leak", "fail"]),
        ];
        let message = "session-failed m (process): the process of m failed after its tests had ended, of which none failed: a leak";
        check(&text.concat(), Exit::Code(1), &["passed TestA", "passed TestB", "skipped TestC", message], &[]);
        let text = [ran("pass", "TestA"), ran("fail", "TestB"), ran("pass", "TestC"), told("m", &[": FAIL", "fail"])];
        let failed = "failed TestB: it failed and said nothing";
        check(&text.concat(), Exit::Code(1), &["passed TestA", failed, "passed TestC"], &[]);
        let before = "the process of m failed before its first test: exit status 1";
        let all = ["TestA", "TestB", "TestC"].map(|test| format!("error {test}: {before}"));
        check(&told("m", &[": exit status 1", "fail"]), Exit::Code(1), &all.each_ref().map(String::as_str), &[]);
    }

    #[test]
    fn a_test_that_does_not_end_is_what_its_process_died_of() {
        let text = [ran("pass", "TestA"), told("m", &["run TestB", "TestB: x", "fail"])].concat();
        check(&text, Exit::Code(1), &["passed TestA"], &["running TestB"]);
        // Others may have run after it, when that is ended from outside.
        check(&text, Exit::Signal(9), &["passed TestA"], &[]);
        let text = [ran("pass", "TestA"), told("m", &["run TestB", "TestB: ok  \tm\t0.1s", "pass TestB"])].concat();
        check(&text, Exit::Code(0), &["passed TestA"], &["running TestB"]);
        let text = [ran("pass", "TestA"), told("m", &["run TestB", "TestB: panic: no", "TestB: ", "fail"])].concat();
        check(&text, Exit::Code(1), &["passed TestA", "failed TestB: panic: no"], &[]);
        let text = [ran("pass", "TestA"), told("m", &["run TestB"])].concat();
        check(&text, Exit::Signal(9), &["passed TestA"], &["running TestB"]);
    }

    #[test]
    fn of_parallel_tests_only_a_trace_tells_whom_to_blame() {
        let parallel = ["start", "run TestA", "pause TestA", "run TestB", "pause TestB", "cont TestA", "cont TestB"];
        let text = |more: &[&str]| told("m", &[&parallel, more].concat());
        check(&text(&["TestA: x", "fail"]), Exit::Code(1), &[], &[]);
        let trace = ["TestA: panic: no", "TestA: m.TestB.func1()", "fail"];
        check(&text(&trace), Exit::Code(1), &["failed TestB: panic: no"], &[]);
        let own = ["TestA: --- FAIL: TestA (0.00s)", "TestA: panic: no", "fail TestA", "fail"];
        check(&text(&own), Exit::Code(1), &["failed TestA: panic: no"], &[]);
    }

    #[test]
    fn before_go_1_20_frames_follow_what_has_no_end() {
        let text = told(
            "m",
            &[
                ": set up=== RUN   TestA",
                "TestA: no end--- PASS: TestA (0.25s)",
                "run TestB",
                "TestB: no end=== PAUSE TestB",
                "run TestC",
                "TestC: no end--- FAIL: TestC (0.00s)",
                "cont TestB",
                "TestB: b--- PASS: TestB (0.25s)",
                ": FAIL",
                "fail",
            ],
        );
        let failed = "failed TestC: no end";
        check(&text, Exit::Code(1), &["passed TestA", "passed TestB", failed], &[]);
    }

    #[test]
    fn names_that_a_test_prints_mean_nothing() {
        let lies =
            ["TestB: --- PASS: TestB (0.00s)", "pass TestB", "run TestB", "TestB: === RUN   TestB", "pass TestB"];
        let text = [
            told("m", &[&["run TestA"][..], &lies, &["TestA: --- PASS: TestA (0.00s)", "pass TestA"]].concat()),
            ran("fail", "TestB"),
            ran("pass", "TestC"),
            told("m", &[": FAIL", "fail"]),
        ];
        check(
            &text.concat(),
            Exit::Code(1),
            &["passed TestA", "failed TestB: it failed and said nothing", "passed TestC"],
            &[],
        );
    }

    /// A test of something that reads the output of tests, before Go 1.20.
    #[test]
    fn of_reports_on_a_test_the_last_is_its_own() {
        let shows = |shown: &str, is: &str| {
            let [shown, is] = [shown, is].map(|status| {
                [format!("TestA: --- {}: TestA (0.00s)", status.to_uppercase()), format!("{status} TestA")]
            });
            told("m", &["run TestA", &shown[0], &shown[1], ": FAIL", &is[0], &is[1]])
        };
        let end = told("m", &[": FAIL", "fail"]);
        let rest = [ran("fail", "TestB"), ran("pass", "TestC"), end].concat();
        let others = ["failed TestB: it failed and said nothing", "passed TestC"];
        let text = [shows("fail", "pass"), rest.clone()].concat();
        check(&text, Exit::Code(1), &["passed TestA", others[0], others[1]], &[]);
        let text = [shows("pass", "fail"), rest].concat();
        check(&text, Exit::Code(1), &["failed TestA: it failed and said nothing", others[0], others[1]], &[]);
    }

    #[test]
    fn what_beside_others_has_two_ends_is_run_again() {
        let begin = ["run TestA", "pause TestA", "run TestB", "pause TestB", "cont TestB", "cont TestA"];
        let ends = ["TestB: --- FAIL: TestB (0.00s)", "fail TestB", "TestB: --- PASS: TestB (0.00s)", "pass TestB"];
        let text = |a: &str, end: &[&str]| {
            let report = format!("TestA: --- {}: TestA (0.00s)", a.to_uppercase());
            let beside = told("m", &[&begin[..], &ends, &[&report, &format!("{a} TestA")], end].concat());
            [ran("pass", "TestC"), beside].concat()
        };
        let failed = "failed TestA: it failed and said nothing";
        check(&text("fail", &[": FAIL", "fail"]), Exit::Code(1), &["passed TestC", failed], &[]);
        let end = [": PASS", ": ok  \tm\t0.1s", "pass"];
        check(&text("pass", &end), Exit::Code(0), &["passed TestC", "passed TestA", "passed TestB"], &[]);
    }

    #[test]
    fn a_report_on_another_test_tells_nothing_of_this_one() {
        let text = [
            ran("pass", "TestA"),
            told("m", &["run TestB", "TestB: --- FAIL: TestB (0.00s)", "fail TestB", "TestA: --- SKIP: TestA (0.00s)"]),
            told("m", &["skip TestA", "TestB: --- PASS: TestB (0.00s)", "pass TestB"]),
            told("m", &["run TestC", "TestC: --- FAIL: TestC (0.00s)--- PASS: TestC (0.00s)", "fail TestC", ": PASS"]),
            told("m", &[": ok  \tm\t0.1s", "pass"]),
        ];
        check(&text.concat(), Exit::Code(0), &["passed TestA", "passed TestB", "passed TestC"], &[]);
    }

    /// What a test printed last decides the event at the end.
    #[test]
    fn the_last_word_on_a_package_is_that_of_go() {
        let text = [ran("pass", "TestA"), told("m", &[": PASS", ": FAIL", ": ok  \tm\t0.1s", "fail"])].concat();
        let mut batch = batch(&["m.TestA"]);
        assert_eq!(seen(&batch.observe(text.as_bytes())), ["started TestA", "passed TestA"]);
        let text = [ran("pass", "TestA"), told("m", &[": ok  \tm\t0.1s", ": FAIL\tm\t0.1s", "pass"])].concat();
        let mut batch = self::batch(&["m.TestA"]);
        let events = seen(&batch.observe(text.as_bytes()));
        assert!(events.last().is_some_and(|last| last.starts_with("session-failed")), "{events:?}");
    }

    #[test]
    fn a_success_without_the_tests_is_none() {
        let mut batch = batch(&["m.TestA"]);
        let events = seen(&batch.observe(told("m", &[": ok  \tm\t0.1s", "pass"]).as_bytes()));
        assert!(events[0].starts_with("error TestA: the process of m succeeded without running it"), "{events:?}");
    }

    #[test]
    fn what_could_not_be_built_is_an_error_of_each_test() {
        let mut batch = batch(&["m.TestA", "n.TestA"]);
        let stdout = format!(
            "FAIL\tm [build failed]\n{}",
            told("n", &["run TestA", "TestA: --- PASS: TestA (0s)", "pass TestA", "pass"])
        );
        let outcomes =
            batch.finish(&captured(Exit::Code(1), &stdout, "# m\nm.go:1: bad\n")).expect("one package was built");
        assert_eq!(
            outcomes.iter().map(shown).collect::<Vec<_>>(),
            ["passed n.TestA", "error TestA: m could not be built: m.go:1: bad"]
        );
    }

    #[test]
    fn a_go_that_fails_is_a_failure_of_its_own() {
        let failure =
            batch(&["m.TestA"]).finish(&captured(Exit::Code(1), "", "no module")).expect_err("nothing was run");
        assert_eq!(failure.code, "go-failed");
        assert!(batch(&["m.TestA"]).finish(&captured(Exit::Signal(9), "", "")).expect("it was ended").is_empty());
        let foreign = Batch::of(&[Test::new("nothing")], false).err().expect("it is no id");
        assert_eq!(foreign.code, "unknown-test");
    }

    #[test]
    fn of_tests_that_are_repeated_the_worst_counts() {
        let mut batch = Batch::of(&[Test::new("m.TestA"), Test::new("m.TestB")], true).expect("the ids are ours");
        let round = |action| [ran(action, "TestA"), ran("pass", "TestB")].concat();
        let text = [round("pass"), round("fail"), round("pass"), told("m", &[": FAIL", "fail"])].concat();
        let mut events = batch.observe(text.as_bytes());
        events.retain(|event| !matches!(event, Event::Started(_)));
        assert_eq!(seen(&events), ["failed TestA: it failed and said nothing", "passed TestB"]);
    }

    /// A test that dies or hangs in a later round has not passed, nor has another whose rounds were not all run.
    #[test]
    fn a_round_that_does_not_end_is_no_success() {
        let text = [ran("pass", "TestA"), ran("pass", "TestB"), told("m", &["run TestA"])].concat();
        for (end, exit) in [(told("m", &["fail"]), Exit::Code(1)), (String::new(), Exit::Signal(9))] {
            let mut batch = Batch::of(&[Test::new("m.TestA"), Test::new("m.TestB")], true).expect("the ids are ours");
            let stdout = text.clone() + &end;
            let mut events = batch.observe(stdout.as_bytes());
            events.retain(|event| !matches!(event, Event::Started(_)));
            assert!(seen(&events).is_empty(), "{:?}", seen(&events));
            let outcomes = batch.finish(&captured(exit, &stdout, "")).expect("tests were run");
            assert_eq!(outcomes.iter().map(shown).collect::<Vec<_>>(), ["running TestA"]);
        }
    }
}

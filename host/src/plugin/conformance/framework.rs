//! A framework: what it makes of tests and output that nobody planned for.

use std::collections::HashSet;
use std::sync::Arc;

use super::finding::Findings;
use super::hostile::{context, outputs, run, test, tests};
use crate::model::Failure;
use crate::plugin::FrameworkComponent;
use crate::plugin::bindings::contract::{Command, Context, Discovery, Exit, FinishedRun, Outcome, RunPlan, Test};
use crate::plugin::component::Linked;
use crate::plugin::framework_component::FrameworkInstance;
use crate::plugin::inspection::Inspection;
use crate::plugin::locator::{Kind, locate};
use crate::plugin::rights::shown;
use crate::plugin::settings::Settings;
use crate::plugin::source::Source;

const DISCOVER: &str = "discover";
const RUN_COMMAND: &str = "run-command";
const PARSE_RESULTS: &str = "parse-results";

/// Commands that discovery may ask for with the same output each: real ones need a few.
const ROUNDS: usize = 10;

/// Tests of one large batch, and how many bytes of arguments it may take: Linux takes 2 MiB of them all, and 128 KiB of one.
const MANY: usize = 20_000;
const MOST_ARGUMENTS: usize = 1 << 20;

/// What a framework may say of a test.
const STATUSES: [&str; 9] =
    ["passed", "failed", "error", "skipped", "xfailed", "xpassed", "running", "rerun", "session-failed"];

pub(super) async fn check(
    source: &Source,
    settings: Settings,
    inspection: &Inspection,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let located = locate(source).map_err(|kind| crate::plugin::component::unloaded(source, kind))?;
    let linked = Linked::of(Kind::Framework, source, &located, settings, Arc::new(|_, _| ()))?.on_trial();
    let mut trial = Trial { component: FrameworkComponent::of(linked)?, context: context(), inspection, findings };
    trial.needs().await?;
    trial.discover().await?;
    trial.run_command().await?;
    trial.parse_results().await?;
    if inspection.shape.exports("observer") {
        trial.observe().await?;
    }
    if inspection.shape.exports("worker") {
        trial.work().await?;
    }
    Ok(())
}

struct Trial<'a> {
    component: FrameworkComponent,
    context: Context,
    inspection: &'a Inspection,
    findings: &'a mut Findings,
}

impl Trial<'_> {
    async fn instance(&mut self) -> Result<FrameworkInstance, Failure> {
        self.findings.instance(self.component.instantiate()).await
    }

    async fn needs(&mut self) -> Result<(), Failure> {
        let mut instance = self.instance().await?;
        let needs = self.findings.call("needs", "nothing", async { Ok(instance.needs().await?) }).await;
        if let Some(Ok(needs)) = needs {
            match needs.iter().find(|need| *need != "private-directory") {
                Some(unknown) => {
                    self.findings.odd("needs", format!("needs {unknown:?}, of which this offload knows nothing"))
                }
                None if needs.is_empty() => self.findings.good("needs", "nothing of a sandbox"),
                None => self.findings.good("needs", needs.join(", ")),
            }
        }
        Ok(())
    }

    /// Discovery with every kind of output, to its end or for some rounds.
    async fn discover(&mut self) -> Result<(), Failure> {
        let mut asks = None;
        for (given, exit, output) in outputs() {
            for with_files in [true, false] {
                let mut instance = self.instance().await?;
                let mut previous = Vec::new();
                while previous.len() <= ROUNDS {
                    let call = instance.discover(&self.context, &[], &previous);
                    match self.findings.call(DISCOVER, given, call).await {
                        Some(Ok(Discovery::Run(plan))) => {
                            self.command(DISCOVER, &plan.command);
                            asks.get_or_insert_with(|| plan.command.argv.clone());
                            previous.push(run(exit, &output, &plan.result_files, with_files));
                        }
                        Some(Ok(Discovery::Found(found))) => {
                            self.ids(given, &found.tests);
                            break;
                        }
                        Some(Err(_)) | None => break,
                    }
                }
                self.findings.memory(instance.memory());
                if previous.len() > ROUNDS && self.findings.is_clean(DISCOVER) {
                    self.findings
                        .odd(DISCOVER, format!("given {given}, it still asked for commands after {ROUNDS} of them"));
                }
            }
        }
        self.repeat().await?;
        let asks = asks.map_or_else(|| "asks for no command".to_owned(), |argv| format!("asks for `{}`", shown(&argv)));
        self.findings.good_if_clean(DISCOVER, asks);
        Ok(())
    }

    /// The same bytes always give the same answer.
    async fn repeat(&mut self) -> Result<(), Failure> {
        let mut answers = Vec::new();
        for _ in 0..2 {
            let mut instance = self.instance().await?;
            let call = instance.discover(&self.context, &[], &[]);
            let answer = self.findings.call(DISCOVER, "nothing", call).await;
            answers.push(format!("{answer:?}"));
        }
        if answers[0] != answers[1] && self.findings.is_clean(DISCOVER) {
            self.findings.bad(DISCOVER, "the same call gives another answer the second time");
        }
        Ok(())
    }

    fn ids(&mut self, given: &str, tests: &[Test]) {
        let mut seen = HashSet::new();
        let wrong = tests.iter().find(|test| test.id.is_empty() || test.id.contains('\0') || !seen.insert(&test.id));
        if let Some(test) = wrong.filter(|_| self.findings.is_clean(DISCOVER)) {
            let id = &test.id;
            self.findings.bad(
                DISCOVER,
                format!("given {given}, it finds {id:?}, which is empty, has NUL in it or is there twice"),
            );
        }
    }

    /// A command that it names has a program, and one that it asks for.
    fn command(&mut self, function: &'static str, command: &Command) {
        if !self.findings.is_clean(function) {
            return;
        }
        let Some(program) = command.argv.first() else {
            self.findings.bad(function, "it names a command without a program");
            return;
        };
        let asked = |argv: &[String]| command.argv.starts_with(argv);
        let requests = self.inspection.requests.iter().filter_map(|request| request.as_ref().ok());
        let mut requests = requests.filter(|request| request.kind() == "run");
        if !requests.any(|request| request.what().is_none() || request.run().is_some_and(asked)) {
            self.findings.odd(
                function,
                format!("it runs `{program}` and does not ask for that: nobody can grant it before `run:{program}` is among its requests"),
            );
        }
    }

    async fn run_command(&mut self) -> Result<(), Failure> {
        let many: Vec<_> =
            (0..MANY).map(|number| test(&format!("tests/test_file.ext::a test of usual length[{number}]"))).collect();
        for (given, tests) in
            [("ids that a shell would trip over", tests()), ("one test", vec![test("plain")]), ("20,000 tests", many)]
        {
            let mut instance = self.instance().await?;
            let call = instance.run_command(&self.context, &tests);
            let answer = self.findings.call(RUN_COMMAND, given, call).await;
            self.findings.memory(instance.memory());
            let Some(Ok(RunPlan { command, .. })) = answer else { continue };
            self.command(RUN_COMMAND, &command);
            let bytes: usize = command.argv.iter().map(|argument| argument.len() + 1).sum();
            if bytes > MOST_ARGUMENTS && self.findings.is_clean(RUN_COMMAND) {
                let why = format!(
                    "given {given}, it makes {bytes} bytes of arguments: the place for long lists is standard input"
                );
                self.findings.odd(RUN_COMMAND, why);
            }
        }
        self.findings.good_if_clean(RUN_COMMAND, "takes any ids, and many of them");
        Ok(())
    }

    async fn parse_results(&mut self) -> Result<(), Failure> {
        let tests = tests();
        for (given, exit, output) in outputs() {
            for with_files in [true, false] {
                let mut instance = self.instance().await?;
                let plan = self.findings.call(RUN_COMMAND, "ids", instance.run_command(&self.context, &tests)).await;
                let files = plan.and_then(Result::ok).map(|plan| plan.result_files).unwrap_or_default();
                let finished: FinishedRun = run(exit, &output, &files, with_files);
                let call = instance.parse_results(&self.context, &tests, &finished);
                let answer = self.findings.call(PARSE_RESULTS, given, call).await;
                self.findings.memory(instance.memory());
                if let Some(Ok(outcomes)) = answer {
                    self.outcomes(given, &tests, exit, &outcomes);
                }
            }
        }
        self.findings.good_if_clean(PARSE_RESULTS, "makes sense of any output, or says why not");
        Ok(())
    }

    fn outcomes(&mut self, given: &str, tests: &[Test], exit: Exit, outcomes: &[Outcome]) {
        if !self.findings.is_clean(PARSE_RESULTS) {
            return;
        }
        let is_of_test = |outcome: &&Outcome| outcome.status != "session-failed";
        let unasked = outcomes.iter().filter(is_of_test).find(|outcome| tests.iter().all(|test| test.id != outcome.id));
        let unknown = outcomes.iter().find(|outcome| !STATUSES.contains(&outcome.status.as_str()));
        let green = outcomes.iter().find(|outcome| outcome.status == "passed");
        if let Some(outcome) = unasked {
            self.findings.odd(
                PARSE_RESULTS,
                format!("given {given}, it has a result for {:?}, which was not asked for", outcome.id),
            );
        } else if let Some(outcome) = unknown {
            self.findings
                .odd(PARSE_RESULTS, format!("given {given}, it says {:?}, which counts as error", outcome.status));
        } else if let Some(outcome) = green.filter(|_| !matches!(exit, Exit::Code(0))) {
            self.findings.bad(PARSE_RESULTS, format!("given {given}, it says that {:?} passed", outcome.id));
        }
    }

    async fn observe(&mut self) -> Result<(), Failure> {
        for (given, exit, output) in outputs() {
            // Cut anywhere; the largest would take long byte by byte.
            let pieces = if output.len() > 4096 { 4093 } else { 1 };
            let mut instance = self.instance().await?;
            let _ = self.findings.call(RUN_COMMAND, "ids", instance.run_command(&self.context, &tests())).await;
            let mut alive = true;
            for piece in output.chunks(pieces) {
                let call = async { Ok(instance.observe("stdout", piece).await?) };
                alive = self.findings.call("observe", given, call).await.is_some();
                if !alive {
                    break;
                }
            }
            if alive {
                self.findings.call("ended", given, async { Ok(instance.ended(exit).await?) }).await;
            }
            self.findings.memory(instance.memory());
        }
        self.findings.good_if_clean("observe", "takes any output, cut anywhere");
        self.findings.good_if_clean("ended", "takes any end");
        Ok(())
    }

    async fn work(&mut self) -> Result<(), Failure> {
        for discover in [false, true] {
            let mut instance = self.instance().await?;
            let given = if discover { "discovery to do" } else { "tests to come" };
            match self.findings.call("start", given, instance.start(&self.context, discover)).await {
                Some(Ok(launch)) => self.command("start", &launch.command),
                Some(Err(_)) => {}
                None => continue,
            }
            let tests = tests();
            let ids: Vec<_> = tests.iter().map(|test| test.id.clone()).collect();
            let assigned = self.findings.call("assign", "any ids", async { Ok(instance.assign(&tests).await?) }).await;
            if assigned.is_some() {
                self.findings.call("withdraw", "any ids", async { Ok(instance.withdraw(&ids).await?) }).await;
                self.findings.call("finish", "nothing", async { Ok(instance.finish().await?) }).await;
            }
            self.findings.memory(instance.memory());
        }
        for function in ["start", "assign", "withdraw", "finish"] {
            self.findings.good_if_clean(function, "takes any ids");
        }
        Ok(())
    }
}

//! A framework component. An instance serves one discovery or one attempt: what it observes of a command and what it
//! reads from the results afterwards belong together.

use std::sync::Arc;

use super::bindings::contract::{Context, Discovery, Exit, FinishedRun, Launch, Observed, Outcome, RunPlan, Test};
use super::bindings::exports::{framework, observer, worker};
use super::component::{Info, Linked, Live, LogSink, failed, objection};
use super::error::PluginError;
use super::locator::Kind;
use super::rights::Rights;
use super::settings::Settings;
use super::source::Source;
use super::store::{begin_call, on_time};
use crate::model;

#[derive(Clone)]
pub struct FrameworkComponent {
    linked: Linked,
    framework: Arc<framework::GuestIndices>,
    observer: Option<Arc<observer::GuestIndices>>,
    worker: Option<Arc<worker::GuestIndices>>,
}

pub struct FrameworkInstance {
    live: Live,
    framework: framework::Guest,
    observer: Option<observer::Guest>,
    worker: Option<worker::Guest>,
}

impl FrameworkComponent {
    /// # Errors
    /// No such framework, or its component cannot be compiled or linked.
    pub fn load(source: &Source, settings: Settings, log: LogSink) -> Result<Self, PluginError> {
        Self::of(Linked::load(Kind::Framework, source, settings, log)?)
    }

    pub(super) fn of(linked: Linked) -> Result<Self, PluginError> {
        let framework = Arc::new(linked.export(framework::GuestIndices::new)?);
        let observer = observer::GuestIndices::new(&linked.pre).ok().map(Arc::new);
        // A worker that nobody observes would tell nobody anything.
        let worker = worker::GuestIndices::new(&linked.pre).ok().filter(|_| observer.is_some()).map(Arc::new);
        Ok(Self { linked, framework, observer, worker })
    }

    /// Whether it has warm workers.
    pub fn has_workers(&self) -> bool {
        self.worker.is_some()
    }

    pub async fn describe(&self) -> Result<Info, model::Failure> {
        self.linked.describe().await
    }

    /// Whether its settings can work, as far as it says so by itself.
    ///
    /// # Errors
    /// What it has against them.
    pub async fn check_settings(&self) -> Result<(), model::Failure> {
        let nowhere = Context { scratch: "/".into(), nonce: String::new(), attempt: 1, memo: None };
        // A plan, of which nothing is carried out.
        let trial = Self { linked: self.linked.clone().without_rights(), ..self.clone() };
        objection(trial.instantiate().await?.discover(&nowhere, &[], &[]).await)
    }

    pub async fn instantiate(&self) -> Result<FrameworkInstance, model::Failure> {
        let mut live = self.linked.instantiate().await?;
        let framework = self.framework.load(&mut live.store, &live.instance);
        let framework = framework.map_err(|error| failed("instantiate", &live.store, &error))?;
        let observer = match &self.observer {
            None => None,
            Some(indices) => {
                let observer = indices.load(&mut live.store, &live.instance);
                Some(observer.map_err(|error| failed("instantiate", &live.store, &error))?)
            }
        };
        let worker = match &self.worker {
            None => None,
            Some(indices) => {
                let worker = indices.load(&mut live.store, &live.instance);
                Some(worker.map_err(|error| failed("instantiate", &live.store, &error))?)
            }
        };
        Ok(FrameworkInstance { live, framework, observer, worker })
    }
}

/// One call on the instance, and every way in which it can trap as a [`PluginError`].
macro_rules! call {
    ($self:ident, $function:literal, |$store:ident| $call:expr) => {{
        begin_call(&mut $self.live.store);
        let limits = $self.live.store.data().limits;
        let $store = &mut $self.live.store;
        let result = on_time(limits, $call).await;
        result.map_err(|error| failed($function, &$self.live.store, &error))
    }};
}

impl FrameworkInstance {
    /// The most bytes of memory that it has had.
    pub(super) fn memory(&self) -> usize {
        self.live.store.data().memory()
    }

    /// What its commands may do on this machine.
    pub fn rights(&self) -> &Arc<Rights> {
        &self.live.store.data().rights
    }

    pub async fn needs(&mut self) -> Result<Vec<String>, PluginError> {
        call!(self, "needs", |store| self.framework.call_needs(store))
    }

    pub async fn discover(
        &mut self,
        context: &Context,
        paths: &[String],
        previous: &[FinishedRun],
    ) -> Result<Discovery, model::Failure> {
        let result = call!(self, "discover", |store| self.framework.call_discover(store, context, paths, previous))?;
        let discovery = result.map_err(model::Failure::from)?;
        if let Discovery::Run(plan) = &discovery {
            self.rights().check(&plan.command)?;
        }
        Ok(discovery)
    }

    pub async fn run_command(&mut self, context: &Context, tests: &[Test]) -> Result<RunPlan, model::Failure> {
        let result = call!(self, "run-command", |store| self.framework.call_run_command(store, context, tests))?;
        let plan = result.map_err(model::Failure::from)?;
        self.rights().check(&plan.command)?;
        self.rights().check_results(&plan.result_files, &context.scratch)?;
        Ok(plan)
    }

    pub async fn parse_results(
        &mut self,
        context: &Context,
        tests: &[Test],
        run: &FinishedRun,
    ) -> Result<Vec<Outcome>, model::Failure> {
        let result =
            call!(self, "parse-results", |store| self.framework.call_parse_results(store, context, tests, run))?;
        result.map_err(model::Failure::from)
    }

    /// Whether this framework tells results while its command runs.
    pub fn observes(&self) -> bool {
        self.observer.is_some()
    }

    /// Hands over the next bytes of a stream; nothing for a framework that does not observe.
    pub async fn observe(&mut self, source: &str, bytes: &[u8]) -> Result<Vec<Observed>, PluginError> {
        match &self.observer {
            None => Ok(Vec::new()),
            Some(observer) => call!(self, "observe", |store| observer.call_observe(store, source, bytes)),
        }
    }

    /// Says that the observed command has ended.
    pub async fn ended(&mut self, exit: Exit) -> Result<Vec<Observed>, PluginError> {
        match &self.observer {
            None => Ok(Vec::new()),
            Some(observer) => call!(self, "ended", |store| observer.call_ended(store, exit)),
        }
    }

    /// Becomes the voice of a new worker.
    pub async fn start(&mut self, context: &Context, discover: bool) -> Result<Launch, model::Failure> {
        let Some(worker) = &self.worker else {
            return Err(model::Failure::new("no-workers", "this framework has no workers"));
        };
        let result = call!(self, "start", |store| worker.call_start(store, context, discover))?;
        let launch = result.map_err(model::Failure::from)?;
        self.rights().check(&launch.command)?;
        Ok(launch)
    }

    /// The bytes that hand over these tests; none from a framework without workers.
    pub async fn assign(&mut self, tests: &[Test]) -> Result<Vec<u8>, PluginError> {
        match &self.worker {
            None => Ok(Vec::new()),
            Some(worker) => call!(self, "assign", |store| worker.call_assign(store, tests)),
        }
    }

    /// The bytes that ask for these tests back.
    pub async fn withdraw(&mut self, tests: &[String]) -> Result<Vec<u8>, PluginError> {
        match &self.worker {
            None => Ok(Vec::new()),
            Some(worker) => call!(self, "withdraw", |store| worker.call_withdraw(store, tests)),
        }
    }

    /// The bytes that ask the worker to come to its end.
    pub async fn finish(&mut self) -> Result<Vec<u8>, PluginError> {
        match &self.worker {
            None => Ok(Vec::new()),
            Some(worker) => call!(self, "finish", |store| worker.call_finish(store)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::time::Duration;

    use super::super::bindings::contract::{Captured, ResultFile};
    use super::super::store::Limits;
    use super::*;

    /// What the framework `default` says of a large JUnit file within these limits.
    async fn parse(limits: Limits) -> Result<usize, model::Failure> {
        let settings = r#"{"discover_command": "true", "run_command": "true {tests}", "result_file": "junit.xml"}"#;
        let mut component = FrameworkComponent::load(
            &Source::built_in(Kind::Framework, "default"),
            settings.into(),
            Arc::new(|_, _| ()),
        )?;
        component.linked = component.linked.with_limits(limits);
        let mut junit = String::from("<testsuite>");
        let tests: Vec<_> = (0..40_000)
            .map(|number| {
                let id = format!("test {number}");
                write!(junit, r#"<testcase name="{id}"><system-out>{}</system-out></testcase>"#, "text ".repeat(40))
                    .expect("writing to a string");
                Test {
                    id,
                    unit: None,
                    file: None,
                    line: None,
                    name: None,
                    classname: None,
                    tags: Vec::new(),
                    skipped: false,
                    stage: 0,
                }
            })
            .collect();
        junit.push_str("</testsuite>");
        let context = Context { scratch: "scratch-".into(), nonce: "nonce".into(), attempt: 1, memo: None };
        let run = FinishedRun {
            output: Captured { exit: Exit::Code(0), stdout: Vec::new(), stderr: Vec::new() },
            files: vec![ResultFile { path: "junit.xml".into(), contents: Some(junit.into_bytes()) }],
        };
        let outcomes = component.instantiate().await?.parse_results(&context, &tests, &run).await?;
        Ok(outcomes.len())
    }

    #[tokio::test]
    async fn a_guest_within_its_limits_does_its_work() {
        assert_eq!(parse(Limits::default()).await, Ok(40_000));
    }

    #[tokio::test]
    async fn a_guest_that_takes_too_much_memory_is_ended_and_named() {
        let failure = parse(Limits { memory: 4 << 20, ..Limits::default() }).await.unwrap_err();
        assert_eq!(
            failure.to_string(),
            "plugin `default` failed in `parse-results`: it wanted more memory than the 4 MiB that it may use\n  \
             help: report it to its author as a defect; `memory_mb` in [plugins.default] is the limit of one that does not \
             come with offload"
        );
    }

    #[tokio::test]
    async fn a_guest_that_computes_for_too_long_is_ended_and_named() {
        let failure = parse(Limits { compute: Duration::from_millis(20), ..Limits::default() }).await.unwrap_err();
        assert_eq!(failure.code, "plugin-too-slow");
        assert!(failure.message.starts_with("plugin `default` failed in `parse-results`"), "{failure}");
    }
}

//! The plugin: each call hands over to a pure function.

use offload_plugin::prelude::*;

use crate::settings::Settings;
use crate::worker::Conversation;
use crate::{command, discovery, results};

/// One discovery, one batch or one worker.
pub struct Vitest {
    settings: Settings,
    /// Present in the instance that serves a worker.
    conversation: Option<Conversation>,
}

impl Plugin for Vitest {
    type Settings = Settings;

    const NAME: &'static str = "vitest";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "JavaScript and TypeScript tests through vitest 3 or newer";
    const REQUESTS: &'static [&'static str] = &["run:sh"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self { settings, conversation: None })
    }
}

impl Framework for Vitest {
    fn discover(
        &mut self,
        context: &Context,
        paths: &[String],
        previous: &[FinishedRun],
    ) -> Result<Discovery, Failure> {
        match previous.last() {
            None => command::discovery(&self.settings, context, paths).map(Discovery::Run),
            Some(run) => {
                let (found, notices) = discovery::read(&self.settings, context, run)?;
                warn(notices);
                Ok(Discovery::Found(found))
            }
        }
    }

    fn run_command(&mut self, context: &Context, tests: &[Test]) -> Result<RunPlan, Failure> {
        command::run(&self.settings, context, tests)
    }

    fn parse_results(&mut self, context: &Context, tests: &[Test], run: &FinishedRun) -> Result<Vec<Outcome>, Failure> {
        results::read(&self.settings, context, tests, run)
    }
}

fn warn(notices: Vec<String>) {
    notices.iter().for_each(|notice| host::log("warn", notice));
}

impl Observer for Vitest {
    fn observe(&mut self, source: &str, bytes: Vec<u8>) -> Vec<Event> {
        match &mut self.conversation {
            Some(conversation) if source == "stdout" => {
                let events = conversation.hear(&bytes);
                warn(conversation.notices());
                events
            }
            Some(conversation) => conversation.overhear(bytes),
            // A batch tells everything in its journal.
            None => Vec::new(),
        }
    }

    fn ended(&mut self, exit: Exit) -> Vec<Event> {
        self.conversation.as_mut().map(|conversation| conversation.ended(exit)).unwrap_or_default()
    }
}

impl Worker for Vitest {
    fn start(&mut self, context: &Context, discover: bool) -> Result<Launch, Failure> {
        let launch = command::work(&self.settings, context, discover)?;
        self.conversation = Some(Conversation::new(&context.nonce));
        Ok(launch)
    }

    fn assign(&mut self, tests: &[Test]) -> Vec<u8> {
        self.conversation.as_mut().map(|conversation| conversation.assign(tests)).unwrap_or_default()
    }

    fn withdraw(&mut self, tests: &[String]) -> Vec<u8> {
        Conversation::withdraw(tests)
    }

    fn finish(&mut self) -> Vec<u8> {
        self.conversation.as_mut().map(Conversation::finish).unwrap_or_default()
    }
}

offload_plugin::export!(Vitest: Framework + Observer + Worker);

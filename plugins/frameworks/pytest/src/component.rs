//! The exports of the component: each call reads the settings and hands over to a pure function.

use std::cell::RefCell;

use offload_plugin::host;
use offload_plugin::types::{Context, Exit, Failure, Outcome, Test};

use crate::bindings::exports::offload::plugin::framework::{Discovery, Guest as Framework};
use crate::bindings::exports::offload::plugin::metadata::{Guest as Metadata, Info};
use crate::bindings::exports::offload::plugin::observer::Guest as Observer;
use crate::bindings::exports::offload::plugin::worker::{Guest as Worker, Launch};
use crate::settings::{SCHEMA, Settings};
use crate::worker::{self, Listener};
use crate::{Event, FinishedRun, RunPlan, command, discovery, results};

thread_local! {
    /// The worker that this instance serves, if it is one's.
    static LISTENER: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

/// The component.
pub(crate) struct Pytest;

impl Metadata for Pytest {
    fn describe() -> Info {
        Info {
            name: "pytest".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            description: "Python tests through pytest 7 or newer".into(),
            settings_schema: SCHEMA.into(),
            requests: Vec::new(),
        }
    }
}

impl Framework for Pytest {
    fn needs() -> Vec<String> {
        Vec::new()
    }

    fn discover(context: Context, paths: Vec<String>, previous: Vec<FinishedRun>) -> Result<Discovery, Failure> {
        let settings = Settings::parse(&host::settings())?;
        match previous.last() {
            None => Ok(Discovery::Run(command::discovery(&settings, &context, &paths)?)),
            Some(run) => Ok(Discovery::Found(discovery::read(&settings, &context, &paths, run)?)),
        }
    }

    fn run_command(context: Context, tests: Vec<Test>) -> Result<RunPlan, Failure> {
        command::run(&Settings::parse(&host::settings())?, &context, &tests)
    }

    fn parse_results(context: Context, _tests: Vec<Test>, run: FinishedRun) -> Result<Vec<Outcome>, Failure> {
        results::read(&Settings::parse(&host::settings())?, &context, &run)
    }
}

impl Observer for Pytest {
    fn observe(source: String, bytes: Vec<u8>) -> Vec<Event> {
        LISTENER.with_borrow_mut(|listener| match listener {
            Some(listener) if source == "stdout" => listener.hear(&bytes),
            Some(_) => vec![Event::Output(bytes)],
            // A batch tells everything in its journal.
            None => Vec::new(),
        })
    }

    fn ended(_: Exit) -> Vec<Event> {
        LISTENER.with_borrow_mut(|listener| listener.as_mut().map(Listener::ended).unwrap_or_default())
    }
}

impl Worker for Pytest {
    fn start(context: Context, discover: bool) -> Result<Launch, Failure> {
        let command = command::work(&Settings::parse(&host::settings())?, &context, discover)?;
        LISTENER.set(Some(Listener::new(&context.nonce)));
        Ok(Launch { command, greeting: worker::greeting(&context.nonce) })
    }

    fn assign(tests: Vec<Test>) -> Vec<u8> {
        worker::assign(&tests)
    }

    fn withdraw(tests: Vec<String>) -> Vec<u8> {
        worker::withdraw(&tests)
    }

    fn finish() -> Vec<u8> {
        worker::finish()
    }
}

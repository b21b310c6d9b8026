//! A component that is called from outside, function by function: for the tests of those who write it. It is the real
//! component in the real host, with the rights that it asks for; what it runs is answered by a script.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;

use super::bindings::contract::Captured;
use super::component::{Linked, LogSink, unloaded};
use super::framework_component::{FrameworkComponent, FrameworkInstance};
use super::inspection::{Inspection, inspect};
use super::locator::{Kind, locate};
use super::provider_component::ProviderComponent;
use super::rights::{Granted, Rights};
use super::scripted::{Processes, Script};
use super::source::Source;
use crate::config::check_table;
use crate::model::Failure;
use crate::process::{self, Stdio};

/// A loaded component.
pub struct Driver {
    driven: Driven,
}

enum Driven {
    Framework { component: FrameworkComponent, instance: Option<Box<FrameworkInstance>> },
    Provider(ProviderComponent),
}

impl Driver {
    /// Loads a component with this table of settings, which its schema has to take.
    ///
    /// # Errors
    /// It cannot be loaded, or its settings are wrong.
    pub async fn load(
        source: &Source,
        settings: &Value,
        script: Arc<dyn Script>,
        log: LogSink,
    ) -> Result<(Self, Inspection), Failure> {
        let inspection = inspect(source).await?;
        hold_against_schema(&inspection, settings)?;
        let located = locate(source).map_err(|kind| unloaded(source, kind))?;
        let linked = Linked::of(inspection.kind, source, &located, settings.to_string().into(), log)?;
        let linked = linked.with_processes(Processes::Scripted(script)).with_rights(rights_of(source, &inspection)?);
        let driven = match inspection.kind {
            Kind::Framework => Driven::Framework { component: FrameworkComponent::of(linked)?, instance: None },
            Kind::Provider => Driven::Provider(ProviderComponent::of(linked)?),
        };
        Ok((Self { driven }, inspection))
    }

    /// Calls a function of the contract by its name, with its parameters in a list. Of a framework all calls are those of one
    /// instance, until one of `new` begins another.
    ///
    /// # Errors
    /// What the component says, what became of it, or what is wrong with the call.
    pub async fn call(&mut self, function: &str, parameters: Value) -> Result<Value, Failure> {
        match &mut self.driven {
            Driven::Framework { instance, .. } if function == "new" => {
                *instance = None;
                Ok(Value::Null)
            }
            Driven::Framework { component, instance } => {
                if instance.is_none() {
                    *instance = Some(Box::new(component.instantiate().await?));
                }
                match instance {
                    Some(instance) => of_framework(instance, function, parameters).await,
                    None => Err(unknown(function)),
                }
            }
            Driven::Provider(component) => of_provider(component, function, parameters).await,
        }
    }
}

async fn of_framework(instance: &mut FrameworkInstance, function: &str, given: Value) -> Result<Value, Failure> {
    match function {
        "needs" => answer(instance.needs().await?),
        "discover" => {
            let (context, paths, previous): (_, Vec<_>, Vec<_>) = parameters(function, given)?;
            answer(instance.discover(&context, &paths, &previous).await?)
        }
        "run-command" => {
            let (context, tests): (_, Vec<_>) = parameters(function, given)?;
            answer(instance.run_command(&context, &tests).await?)
        }
        "parse-results" => {
            let (context, tests, run): (_, Vec<_>, _) = parameters(function, given)?;
            answer(instance.parse_results(&context, &tests, &run).await?)
        }
        "observe" => {
            let (stream, bytes): (String, Vec<u8>) = parameters(function, given)?;
            answer(instance.observe(&stream, &bytes).await?)
        }
        "ended" => {
            let (exit,) = parameters(function, given)?;
            answer(instance.ended(exit).await?)
        }
        "start" => {
            let (context, discover) = parameters(function, given)?;
            answer(instance.start(&context, discover).await?)
        }
        "assign" => {
            let (tests,): (Vec<_>,) = parameters(function, given)?;
            answer(instance.assign(&tests).await?)
        }
        "withdraw" => {
            let (tests,): (Vec<_>,) = parameters(function, given)?;
            answer(instance.withdraw(&tests).await?)
        }
        "finish" => answer(instance.finish().await?),
        _ => Err(unknown(function)),
    }
}

async fn of_provider(component: &ProviderComponent, function: &str, given: Value) -> Result<Value, Failure> {
    match function {
        "prepare" => {
            let (spec,) = parameters(function, given)?;
            answer(component.prepare(&spec).await?)
        }
        "create" => {
            let (spec,) = parameters(function, given)?;
            answer(component.create(&spec).await?)
        }
        "exec" => {
            let (sandbox, exec_id, command, stdin): (String, String, _, Vec<u8>) = parameters(function, given)?;
            let stdio = Arc::new(Mutex::new(Stdio { stdin: stdin.into(), ..Stdio::default() }));
            let exit = component.exec(&sandbox, &exec_id, &command, stdio.clone()).await?;
            let mut stdio = stdio.lock().await;
            let Stdio { stdout, stderr, .. } = std::mem::take(&mut *stdio);
            answer(Captured { exit, stdout: stdout.capture.into_bytes(), stderr: stderr.capture.into_bytes() })
        }
        "cancel" => {
            let (sandbox, exec_id): (String, String) = parameters(function, given)?;
            answer(component.cancel(&sandbox, &exec_id).await?)
        }
        "download" => {
            let (sandbox, files): (String, Vec<_>) = parameters(function, given)?;
            answer(component.download(&sandbox, &files).await?)
        }
        "destroy" => {
            let (sandboxes,): (Vec<_>,) = parameters(function, given)?;
            answer(component.destroy(&sandboxes).await?)
        }
        "leftovers" => answer(component.leftovers().await?.ok_or_else(|| unknown(function))?),
        "examine" => answer(component.examine().await?.ok_or_else(|| unknown(function))?),
        _ => Err(unknown(function)),
    }
}

/// A script whose answers come from outside as well: as the contract says them, in JSON.
///
/// # Errors
/// It is none.
pub fn answered(answer: Value) -> Result<process::Captured, Failure> {
    let captured: Captured = serde_json::from_value(answer)
        .map_err(|error| Failure::new("bad-call", format!("what became of a command cannot be read: {error}")))?;
    Ok(captured.into())
}

fn parameters<T: DeserializeOwned>(function: &str, given: Value) -> Result<T, Failure> {
    serde_json::from_value(given)
        .map_err(|error| Failure::new("bad-call", format!("the parameters of `{function}` cannot be read: {error}")))
}

fn answer(value: impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::new("bad-answer", error.to_string()))
}

fn unknown(function: &str) -> Failure {
    Failure::new("bad-call", format!("a component of this kind has no function `{function}`"))
}

fn hold_against_schema(inspection: &Inspection, settings: &Value) -> Result<(), Failure> {
    let bad = |why: String| Failure::new("bad-settings", why);
    let schema = serde_json::from_str(&inspection.info.settings_schema)
        .map_err(|error| bad(format!("the settings schema is no JSON: {error}")))?;
    check_table(settings, &schema).map_err(|error| bad(error.to_string()))
}

/// All that it asks for, and nothing else.
fn rights_of(source: &Source, inspection: &Inspection) -> Result<Rights, Failure> {
    let requests: Result<Vec<_>, _> = inspection.requests.iter().cloned().collect();
    let requests = requests.map_err(|why| Failure::new("bad-request", format!("the plugin {why}")))?;
    let root = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    Ok(Rights::Granted(Box::new(Granted::as_asked(source.shared_name(), root, requests))))
}

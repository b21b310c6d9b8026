//! A provider: what it makes of programs that fail, and of ids that it never gave. No program is run.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use super::finding::Findings;
use super::hostile::{IDS, outputs};
use crate::model::Failure;
use crate::plugin::ProviderComponent;
use crate::plugin::bindings::contract::{Command, ImageSpec, SandboxSpec, Transfer};
use crate::plugin::component::Linked;
use crate::plugin::inspection::Inspection;
use crate::plugin::locator::{Kind, locate};
use crate::plugin::scripted::Processes;
use crate::plugin::settings::Settings;
use crate::plugin::source::Source;
use crate::process::{self, Captured, Stdio};

/// The programs that were started.
type Programs = Arc<Mutex<BTreeSet<Vec<String>>>>;

pub(super) async fn check(
    source: &Source,
    settings: Settings,
    inspection: &Inspection,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let located = locate(source).map_err(|kind| crate::plugin::component::unloaded(source, kind))?;
    let linked = Linked::of(Kind::Provider, source, &located, settings, Arc::new(|_, _| ()))?.on_trial();
    let programs = Programs::default();
    let mut functions = vec!["prepare", "create", "exec", "cancel", "download", "destroy"];
    functions.extend(ProviderComponent::of(linked.clone())?.optional_functions());
    let endings = outputs().into_iter().map(|(given, exit, output)| (given, Some((exit, output))));
    for (given, ending) in endings.chain([("programs that are not there", None)]) {
        let script = scripted(ending, programs.clone());
        let component = ProviderComponent::of(linked.clone().with_processes(Processes::Scripted(script)))?;
        live(&component, given, findings).await;
    }
    for function in functions {
        findings.good_if_clean(function, "does its work or says why not, whatever its programs do");
    }
    asked(inspection, &programs.lock().unwrap_or_else(PoisonError::into_inner), findings);
    Ok(())
}

fn scripted(
    ending: Option<(crate::plugin::contract::Exit, Vec<u8>)>,
    programs: Programs,
) -> Arc<dyn crate::plugin::Script> {
    Arc::new(move |command: &process::Command, _: &[u8]| {
        programs.lock().unwrap_or_else(PoisonError::into_inner).insert(command.argv.clone());
        match &ending {
            None => Err(Failure::new("not-started", "cannot run it: there is no such program")),
            Some((exit, output)) => Ok(Captured {
                exit: (*exit).into(),
                stdout: output.clone(),
                stderr: output[..output.len().min(4096)].to_vec(),
            }),
        }
    })
}

/// The life of a sandbox, and calls for sandboxes that never were.
async fn live(component: &ProviderComponent, given: &str, findings: &mut Findings) {
    let copy_dirs = vec![Transfer { local: "/project/src".to_owned(), remote: "/app/src".to_owned() }];
    let spec = ImageSpec {
        run_id: "20260101-000000-abcdef".to_owned(),
        sandboxes: 2,
        copy_dirs: copy_dirs.clone(),
        rebuild: false,
    };
    findings.call("prepare", given, component.prepare(&spec)).await;
    let spec = SandboxSpec {
        name: "check-1".to_owned(),
        slot: 0,
        run_id: "20260101-000000-abcdef".to_owned(),
        image: None,
        env: vec![("NAME".to_owned(), "a value with 'quotes' and $HOME".to_owned())],
        cwd: Some("/project".to_owned()),
        copy_dirs,
        isolated: true,
    };
    let created = findings.call("create", given, component.create(&spec)).await;
    let created = created.and_then(Result::ok).map(|created| created.sandbox);
    let command = Command {
        argv: ["printf", "%s", "it's $HOME `id`"].map(str::to_owned).into(),
        env: vec![("A".to_owned(), "b c".to_owned())],
        cwd: None,
    };
    let files = [Transfer { remote: "junit.xml".to_owned(), local: "/tmp/offload-check/junit.xml".to_owned() }];
    for sandbox in created.iter().map(String::as_str).chain(IDS) {
        let stdio = Arc::new(AsyncMutex::new(Stdio::default()));
        findings.call("exec", given, component.exec(sandbox, "check-exec", &command, stdio)).await;
        findings.call("cancel", given, component.cancel(sandbox, "check-exec")).await;
        findings.call("download", given, component.download(sandbox, &files)).await;
        findings.call("destroy", given, component.destroy(&[sandbox.to_owned()])).await;
    }
    findings.call("destroy", "no sandboxes", component.destroy(&[])).await;
    findings.call("leftovers", given, component.leftovers()).await;
    findings.call("examine", given, component.examine()).await;
}

/// Whatever it starts is among its requests.
fn asked(inspection: &Inspection, programs: &BTreeSet<Vec<String>>, findings: &mut Findings) {
    let requests = || inspection.requests.iter().filter_map(|request| request.as_ref().ok());
    let asked = |argv: &[String]| {
        requests().any(|request| request.is_any("run") || request.run().is_some_and(|words| argv.starts_with(words)))
    };
    let name = |argv: &Vec<String>| argv.first().cloned().unwrap_or_default();
    let unasked: BTreeSet<_> = programs.iter().filter(|argv| !asked(argv)).map(name).collect();
    let all: BTreeSet<_> = programs.iter().map(name).collect();
    let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(", ");
    if unasked.is_empty() {
        let runs = if all.is_empty() { "nothing".to_owned() } else { list(all) };
        findings.good("programs", format!("runs {runs}, as it says"));
    } else {
        findings.bad("programs", format!("runs {} and does not ask for that: it would be denied", list(unasked)));
    }
}

//! The component's exports: what is asked of the helper for each.

use offload_plugin::inside;
use offload_plugin::prelude::*;
use serde_json::{Value, json};

use crate::helper::Helper;
use crate::lines;
use crate::sandbox::Sandbox;
use crate::settings::Settings;

pub struct Modal {
    settings: Settings,
}

impl Plugin for Modal {
    type Settings = Settings;

    const NAME: &'static str = "modal";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "runs tests in sandboxes of Modal";
    const REQUESTS: &'static [&'static str] = &["run:*", "env:*"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        settings.check()?;
        Ok(Self { settings })
    }
}

/// What the helper says of an image.
#[derive(Deserialize)]
struct Built {
    image: String,
}

/// What it says of a sandbox that it made.
#[derive(Deserialize)]
struct Made {
    id: String,
    scratch: String,
}

/// How a short command ended.
#[derive(Deserialize)]
struct Ran {
    code: i32,
    complaint: String,
}

#[derive(Deserialize)]
struct Fetched {
    missing: Vec<String>,
}

/// A sandbox that was found again.
#[derive(Deserialize)]
struct Found {
    id: String,
    run: String,
    name: String,
    created: Option<u64>,
}

/// What the helper found out, as a [`Finding`].
#[derive(Deserialize)]
struct Examined {
    subject: String,
    problem: bool,
    message: String,
    remedy: Option<String>,
}

impl Provider for Modal {
    fn prepare(&self, spec: ImageSpec) -> Result<Prepared, Failure> {
        let Settings { app_name, dockerfile, image, context, .. } = &self.settings;
        let asked = json!({
            "app": app_name, "dockerfile": dockerfile, "image": image, "context": context, "rebuild": spec.rebuild,
        });
        let Built { image } = self.ask("prepare", &asked)?;
        Ok(Prepared { image: Some(image), max_sandboxes: None })
    }

    fn create(&self, spec: SandboxSpec) -> Result<Created, Failure> {
        let Settings { app_name, timeout_secs, cpu, memory, region, secrets, remote_dir, .. } = &self.settings;
        let directory = spec.cwd.or_else(|| remote_dir.clone());
        let env: serde_json::Map<_, _> = spec.env.into_iter().map(|(name, value)| (name, value.into())).collect();
        let asked = json!({
            "app": app_name, "image": spec.image, "run": spec.run_id, "name": spec.name, "lifetime": timeout_secs,
            "cpu": cpu, "memory": memory, "region": region, "secrets": secrets, "env": env, "directory": directory,
            "scratch": lines::make_scratch(&spec.name),
            "copies": spec.copy_dirs.iter().map(copy).collect::<Vec<_>>(),
        });
        let Made { id, scratch } = self.ask("create", &asked)?;
        let sandbox = Sandbox { id, run: spec.run_id, app: app_name.clone(), scratch, directory };
        Ok(Created { sandbox: sandbox.to_json(), scratch_root: sandbox.scratch })
    }

    fn exec(&self, sandbox: &str, exec_id: &str, command: Command, stdio: &Stdio) -> Result<Exit, Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        let helper = Helper::open(&self.settings)?;
        let env: serde_json::Map<_, _> =
            command.env.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let mut line = lines::command(command)?;
        if line.len() > lines::LONGEST {
            let path = format!("{}/command-{exec_id}", sandbox.scratch);
            store(&helper, &sandbox, &path, &line)?;
            line = inside::run_stored(&path);
        }
        let asked = json!({ "sandbox": sandbox, "line": line, "env": env, "directory": sandbox.directory });
        helper.exec(&asked, stdio)
    }

    fn cancel(&self, sandbox: &str, exec_id: &str) -> Result<(), Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        let asked = json!({ "sandbox": sandbox, "line": inside::kill(exec_id) });
        match self.ask("run", &asked) {
            Ok(Ran { code: 0, .. }) => Ok(()),
            Ok(Ran { complaint, .. }) => Err(Failure::new(
                "cancel-failed",
                format!("the processes of a command in {} could not be ended: {complaint}", sandbox.id),
            )),
            // Nothing runs in what is gone.
            Err(failure) if ["sandbox-lost", "evicted"].contains(&failure.code.as_str()) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    fn download(&self, sandbox: &str, files: Vec<Transfer>) -> Result<Vec<String>, Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        let files: Vec<_> = files
            .into_iter()
            .map(
                |Transfer { local, remote }| json!({ "local": local, "line": lines::print(&remote), "remote": remote }),
            )
            .collect();
        let asked = json!({
            "sandbox": sandbox, "directory": sandbox.directory, "files": files, "missing": lines::MISSING,
        });
        let Fetched { missing } = self.ask("download", &asked)?;
        Ok(missing)
    }

    fn destroy(&self, sandboxes: &[String]) -> Result<(), Failure> {
        let sandboxes = sandboxes.iter().map(|json| Sandbox::from_json(json)).collect::<Result<Vec<_>, _>>()?;
        self.ask::<Value>("destroy", &json!({ "sandboxes": sandboxes })).map(drop)
    }
}

impl Reaper for Modal {
    fn leftovers(&self) -> Result<Vec<Leftover>, Failure> {
        let app = &self.settings.app_name;
        let found: Vec<Found> = self.ask("leftovers", &json!({ "app": app }))?;
        let leftovers = found.into_iter().map(|Found { id, run, name, created }| {
            let sandbox =
                Sandbox { id: id.clone(), run: run.clone(), app: app.clone(), scratch: String::new(), directory: None };
            Leftover { sandbox: sandbox.to_json(), run_id: run, name: format!("{name} ({id})"), created }
        });
        Ok(leftovers.collect())
    }
}

impl Doctor for Modal {
    fn examine(&self) -> Vec<Finding> {
        let asked = json!({ "dockerfile": self.settings.dockerfile });
        let examined: Vec<Examined> = match self.ask("examine", &asked) {
            Ok(examined) => examined,
            Err(failure) => {
                let finding = Finding::problem("modal SDK", failure.message);
                return vec![Finding { remedy: failure.help, ..finding }];
            }
        };
        let findings = examined.into_iter().map(|Examined { subject, problem, message, remedy }| {
            let finding = if problem { Finding::problem(subject, message) } else { Finding::ok(subject, message) };
            Finding { remedy, ..finding }
        });
        findings.collect()
    }
}

offload_plugin::export!(Modal: Provider + Reaper + Doctor);

impl Modal {
    fn ask<T: serde::de::DeserializeOwned>(&self, method: &str, params: &Value) -> Result<T, Failure> {
        Helper::open(&self.settings)?.ask(method, params)
    }
}

/// How a directory gets into a sandbox.
fn copy(Transfer { local, remote }: &Transfer) -> Value {
    json!({
        "local": local, "remote": remote, "line": inside::unpack(remote), "greeting": inside::GREETING,
        "done": inside::COPIED,
    })
}

/// Puts a file into the sandbox.
fn store(helper: &Helper, sandbox: &Sandbox, path: &str, contents: &str) -> Result<(), Failure> {
    let asked = json!({ "sandbox": sandbox, "line": inside::store(path), "stdin": contents });
    let Ran { code, complaint } = helper.ask("run", &asked)?;
    if code == 0 {
        return Ok(());
    }
    let message = format!("a command too long for an argument could not be put into {}: {complaint}", sandbox.id);
    Err(Failure::new("copy-failed", message))
}

//! The provider's functions as requests to the service.

use std::collections::BTreeMap;

use offload_plugin::prelude::*;
use wstd::http::Method;
use wstd::runtime::block_on;

use crate::exec;
use crate::service::Service;

/// Sandboxes of a service.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the service answers: "https://sandboxes.example.com".
    #[schemars(regex(pattern = r"^https?://[^/]+"))]
    pub url: String,
    /// How many sandboxes the service has room for.
    #[schemars(range(min = 1))]
    pub max_sandboxes: Option<u32>,
    /// Variables for every command in the sandboxes.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Where the commands run.
    pub working_dir: Option<String>,
}

/// Speaks to the service of its settings.
pub struct HttpSandboxes {
    settings: Settings,
    service: Service,
}

#[derive(Serialize)]
struct Wanted<'a> {
    name: &'a str,
    run_id: &'a str,
    slot: u32,
    env: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
    scratch: String,
}

impl Plugin for HttpSandboxes {
    type Settings = Settings;

    const NAME: &'static str = "http-sandboxes";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "Sandboxes of an HTTP service";
    const REQUESTS: &'static [&'static str] = &["net:*", "env:SANDBOXES_TOKEN"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        let service = Service::new(&settings.url, std::env::var("SANDBOXES_TOKEN").ok());
        Ok(Self { settings, service })
    }
}

impl Provider for HttpSandboxes {
    fn prepare(&self, spec: ImageSpec) -> Result<Prepared, Failure> {
        if let Some(directory) = spec.copy_dirs.first() {
            let message = format!("the service takes no directories, so {} cannot be copied", directory.local);
            return Err(Failure::new("copy-failed", message).with_help("leave copy_dirs and --copy-dir out"));
        }
        Ok(Prepared { image: None, max_sandboxes: self.settings.max_sandboxes })
    }

    fn create(&self, spec: SandboxSpec) -> Result<Created, Failure> {
        let SandboxSpec { name, slot, run_id, env, .. } = &spec;
        let wanted = Wanted { name, run_id, slot: *slot, env: env.iter().cloned().collect() };
        let Made { id, scratch } = block_on(async {
            let mut answer = self.service.send(Method::POST, &["sandboxes"], Some(&wanted)).await?;
            self.service.read(&mut answer).await
        })?;
        Ok(Created { sandbox: id, scratch_root: scratch })
    }

    fn exec(&self, sandbox: &str, exec_id: &str, command: Command, stdio: &Stdio) -> Result<Exit, Failure> {
        let cwd = command.cwd.or_else(|| self.settings.working_dir.clone());
        let configured = self.settings.env.iter().map(|(name, value)| (name.clone(), value.clone()));
        let env = configured.chain(command.env).collect();
        block_on(exec::run(&self.service, &["sandboxes", sandbox, "execs", exec_id], command.argv, env, cwd, stdio))
    }

    fn cancel(&self, sandbox: &str, exec_id: &str) -> Result<(), Failure> {
        self.delete(&["sandboxes", sandbox, "execs", exec_id])
    }

    fn destroy(&self, sandboxes: &[String]) -> Result<(), Failure> {
        let left: Vec<_> = sandboxes
            .iter()
            .filter_map(|sandbox| {
                let failure = self.delete(&["sandboxes", sandbox]).err()?;
                Some(format!("{sandbox}: {}", failure.message))
            })
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(Failure::new("destroy-failed", format!("still at {}: {}", self.settings.url, left.join("; "))).retryable())
    }
}

impl HttpSandboxes {
    /// Has something ended that may be gone already.
    fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        match block_on(self.service.send(Method::DELETE, path, None::<&()>)) {
            Err(failure) if failure.code != "sandbox-lost" => Err(failure),
            _ => Ok(()),
        }
    }
}

offload_plugin::export!(HttpSandboxes: Provider);

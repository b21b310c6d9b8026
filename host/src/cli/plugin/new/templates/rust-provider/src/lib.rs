//! Where tests run: `@NAME@`, for offload.
//!
//! Offload calls `prepare` once, then makes sandboxes with `create`, runs commands in them with `exec`, fetches what these wrote
//! with `download`, and ends with `destroy`. The plugin itself has no files and no network: it starts programs of this machine,
//! those that it asks for and is granted.

#![forbid(unsafe_code)]

mod sandbox;
mod script;

use std::collections::BTreeMap;

use offload_plugin::prelude::*;
use offload_plugin::printed::at_positions;

use sandbox::{PREFIX, Sandbox};

/// Sandboxes that are directories of this machine.
// The type of the settings is also their schema: offload holds [provider] in offload.toml against it before anything runs, and
// shows these comments below whatever is wrong there. Those that are here are what offload itself acts on.
#[derive(Deserialize, JsonSchema)]
pub struct Settings {
    /// Directory of which each sandbox has a copy; relative to the working directory of `[offload]`, and by default the same.
    // Offload makes it absolute, and says it also where nobody has set it.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
    /// Directories to bring into each sandbox besides, as local:remote.
    // They come with each sandbox's specification.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^.+:.+$")))]
    pub copy_dirs: Vec<String>,
    /// Environment variables of the tests.
    // They come with every command.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How long making, copying and removing may take, in seconds.
    // Offload watches this.
    #[schemars(range(min = 1))]
    pub timeout_secs: Option<u64>,
}

/// One call: each has an instance of its own.
pub struct @PASCAL@Provider {
    settings: Settings,
}

impl Plugin for @PASCAL@Provider {
    type Settings = Settings;

    const NAME: &'static str = "@NAME@";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "runs tests in directories of this machine";
    // What it does not ask for, nobody can grant.
    const REQUESTS: &'static [&'static str] = &["run:sh"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self { settings })
    }
}

impl Provider for @PASCAL@Provider {
    /// The place to build an image that all sandboxes are made of; `create` is told its name in `spec.image`. Directories need
    /// none.
    fn prepare(&self, _: ImageSpec) -> Result<Prepared, Failure> {
        Ok(Prepared { image: None, max_sandboxes: None })
    }

    fn create(&self, spec: SandboxSpec) -> Result<Created, Failure> {
        let project = self.settings.working_dir.as_deref().unwrap_or(".");
        let finished = script::create(PREFIX, project, &spec.copy_dirs).capture()?;
        if finished.exit != Exit::Code(0) {
            let message = format!("the directory of {} could not be made: {}", spec.name, finished.complaint());
            // Another try may succeed: files come and go while they are copied.
            return Err(Failure::new("create-failed", message).retryable());
        }
        let sandbox = Sandbox::from_id(&String::from_utf8_lossy(&finished.stdout))?;
        Ok(Created { sandbox: sandbox.id().to_owned(), scratch_root: sandbox.scratch() })
    }

    /// The command's streams go through offload: the plugin never sees them.
    fn exec(&self, sandbox: &str, _exec_id: &str, command: Command, stdio: &Stdio) -> Result<Exit, Failure> {
        let directory = Sandbox::from_id(sandbox)?.locate(command.cwd.as_deref().unwrap_or("."));
        process::run(&script::exec(&directory, &command), stdio)
    }

    /// The processes are this machine's, where offload has ended them. Elsewhere this is the place to do it.
    fn cancel(&self, sandbox: &str, _exec_id: &str) -> Result<(), Failure> {
        Sandbox::from_id(sandbox).map(drop)
    }

    fn download(&self, sandbox: &str, files: Vec<Transfer>) -> Result<Vec<String>, Failure> {
        let sandbox = Sandbox::from_id(sandbox)?;
        let remotes: Vec<_> = files.iter().map(|file| file.remote.clone()).collect();
        let sources: Vec<_> = remotes.iter().map(|remote| sandbox.locate(remote)).collect();
        let pairs = sources.iter().map(String::as_str).zip(files.iter().map(|file| file.local.as_str()));
        let finished = script::copy_files(pairs).capture()?;
        if finished.exit != Exit::Code(0) {
            let message = format!("files of {} could not be copied: {}", sandbox.id(), finished.complaint());
            return Err(Failure::new("download-failed", message));
        }
        // A file that does not exist is no failure: the test may have ended before it wrote one.
        Ok(at_positions(&finished.stdout, &remotes))
    }

    fn destroy(&self, sandboxes: &[String]) -> Result<(), Failure> {
        let sandboxes = sandboxes.iter().map(|id| Sandbox::from_id(id)).collect::<Result<Vec<_>, _>>()?;
        let finished = script::remove(sandboxes.iter().map(Sandbox::id)).capture()?;
        if finished.exit == Exit::Code(0) {
            return Ok(());
        }
        Err(Failure::new("destroy-failed", format!("directories could not be removed: {}", finished.complaint())))
    }
}

// This line makes the crate a component.
offload_plugin::export!(@PASCAL@Provider: Provider);

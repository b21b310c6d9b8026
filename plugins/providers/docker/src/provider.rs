//! The component's exports: what the engine is asked is made by the other modules, and asked by the host.

use offload_plugin::prelude::*;
use offload_plugin::{copying, inside, shell};

use crate::engine::Engine;
use crate::sandbox::Sandbox;
use crate::settings::Settings;
use crate::{container, doctor, exec, image, leftovers, removal, state, trouble};

const NEEDS_TAR: &str = "the image needs sh and tar to have directories brought into it";

pub struct Docker {
    settings: Settings,
    engine: Engine,
}

impl Plugin for Docker {
    type Settings = Settings;

    const NAME: &'static str = "docker";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "runs tests in containers of docker or podman";
    const REQUESTS: &'static [&'static str] = &["run:docker", "run:podman", "run:sh", "env:*"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        settings.check()?;
        Ok(Self { engine: Engine::of(&settings)?, settings })
    }
}

impl Provider for Docker {
    fn prepare(&self, spec: ImageSpec) -> Result<Prepared, Failure> {
        let image = image::provide(&self.settings, &self.engine, spec.rebuild)?;
        Ok(Prepared { image: Some(image), max_sandboxes: None })
    }

    fn create(&self, spec: SandboxSpec) -> Result<Created, Failure> {
        let image = match spec.image.as_deref().or(self.settings.image.as_deref()) {
            Some(image) => image,
            None => return Err(Failure::new("no-image", "no image was prepared to make a container of")),
        };
        let workdir = spec.cwd.as_deref().or(self.settings.workdir.as_deref());
        let sandbox = Sandbox::new(&spec.run_id, &spec.name, workdir);
        let run = container::run(&self.settings, &sandbox, &spec, image)?;
        let started = self.start(&sandbox, run).and_then(|()| self.furnish(&sandbox, &spec.copy_dirs));
        match started {
            Ok(()) => Ok(Created { sandbox: sandbox.to_json(), scratch_root: sandbox.scratch }),
            Err(failure) => {
                // The host knows no id of this container yet, so that nobody else can clear it away. Engines leave one behind that
                // they made and could not start.
                if let Err(left_behind) = removal::remove(&self.engine, &[sandbox.name]) {
                    host::log("warn", &left_behind.message);
                }
                Err(failure)
            }
        }
    }

    fn exec(&self, sandbox: &str, exec_id: &str, command: Command, stdio: &Stdio) -> Result<Exit, Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        let line = exec::line(&self.engine, &sandbox, exec_id, command)?;
        let exit = process::run(&exec::of_test(&self.engine, &sandbox, exec_id, &line), stdio)?;
        if let Exit::Signal(signal) = exit {
            // Somebody ended the engine's client, and with it nothing in the container.
            self.end(&sandbox, exec_id)?;
            let message = format!("`{} exec` was ended by signal {signal}", self.engine.shown());
            return Err(Failure::new("sandbox-lost", message).retryable());
        }
        state::concluded(&self.engine, &sandbox, exit)
    }

    fn cancel(&self, sandbox: &str, exec_id: &str) -> Result<(), Failure> {
        self.end(&Sandbox::from_json(sandbox)?, exec_id)
    }

    fn destroy(&self, sandboxes: &[String]) -> Result<(), Failure> {
        let names = sandboxes.iter().map(|json| Ok(Sandbox::from_json(json)?.name)).collect::<Result<Vec<_>, _>>()?;
        removal::remove(&self.engine, &names)
    }
}

impl Reaper for Docker {
    fn leftovers(&self) -> Result<Vec<Leftover>, Failure> {
        leftovers::find(&self.engine)
    }
}

impl Doctor for Docker {
    fn examine(&self) -> Vec<Finding> {
        doctor::examine(&self.settings, &self.engine)
    }
}

offload_plugin::export!(Docker: Provider + Reaper + Doctor);

impl Docker {
    fn start(&self, sandbox: &Sandbox, run: Vec<String>) -> Result<(), Failure> {
        let finished = self.engine.command(run).capture()?;
        if finished.exit == Exit::Code(0) {
            return Ok(());
        }
        let what = format!("starting the container {} failed", sandbox.name);
        Err(trouble::failure("create-failed", what, &finished))
    }

    /// Makes the container's own directories and brings others in. Each is an exec; the first one makes the directories, too.
    fn furnish(&self, sandbox: &Sandbox, directories: &[Transfer]) -> Result<(), Failure> {
        let scratch = inside::make_directory(&sandbox.scratch);
        // Docker would make the working directory, and podman would refuse to start.
        let own = match &sandbox.workdir {
            Some(workdir) => format!("({scratch}) && mkdir -p {}", shell::quote(workdir)),
            None => format!("({scratch})"),
        };
        let Some((first, others)) = directories.split_first() else {
            return self.make_directories(sandbox, &own);
        };
        self.copy_in(sandbox, first, Some(&own))?;
        others.iter().try_for_each(|other| self.copy_in(sandbox, other, None))
    }

    fn make_directories(&self, sandbox: &Sandbox, line: &str) -> Result<(), Failure> {
        let finished = exec::own(&self.engine, sandbox, line).capture()?;
        if finished.exit == Exit::Code(0) {
            return Ok(());
        }
        let what = format!("making directories in the container {} failed", sandbox.name);
        Err(trouble::failure("create-failed", what, &finished))
    }

    fn copy_in(&self, sandbox: &Sandbox, directory: &Transfer, before: Option<&str>) -> Result<(), Failure> {
        let Transfer { local, remote } = directory;
        let unpack = inside::unpack(&sandbox.locate(remote));
        // Whoever ends with its input unread takes what it said with it, where podman passes that on: what is left is read.
        let line = format!("{} && {{ {unpack}; }} || {{ cat >/dev/null; exit 1; }}", before.unwrap_or("true"));
        let receiver = shell::join(exec::own(&self.engine, sandbox, &line).argv);
        let finished = self.engine.around(copying::send(local, &receiver)).capture()?;
        copying::outcome(&finished, local, remote, &sandbox.name, NEEDS_TAR)
    }

    /// Ends a command with all its processes. Where the container is gone, so are they.
    fn end(&self, sandbox: &Sandbox, exec_id: &str) -> Result<(), Failure> {
        let finished = exec::own(&self.engine, sandbox, &inside::kill(exec_id)).capture()?;
        if finished.exit == Exit::Code(0) || !state::is_running(&self.engine, sandbox)? {
            return Ok(());
        }
        let what = format!("the processes of a command in {} could not be ended", sandbox.name);
        Err(trouble::failure("cancel-failed", what, &finished))
    }
}

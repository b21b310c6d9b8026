//! How a container is started: the arguments of the engine's `run`.

use offload_plugin::prelude::*;

use crate::mounts;
use crate::sandbox::Sandbox;
use crate::settings::Settings;

/// The label with the run's id, by which containers are found again.
pub const RUN_LABEL: &str = "offload.run-id";
/// The label with the sandbox's name.
pub const SANDBOX_LABEL: &str = "offload.sandbox";

/// How long the main process sleeps: 68 years, which every `sleep` takes, also one that knows no "infinity".
const FOR_EVER: &str = "2147483647";

/// Starts a container that does nothing, for commands to be run in.
///
/// # Errors
/// A setting that no engine can be told.
pub fn run(settings: &Settings, sandbox: &Sandbox, spec: &SandboxSpec, image: &str) -> Result<Vec<String>, Failure> {
    let mut arguments = Arguments::default();
    arguments.flag("run").flag("--detach");
    arguments.option("--name", &sandbox.name);
    arguments.option("--label", format!("{RUN_LABEL}={}", spec.run_id));
    arguments.option("--label", format!("{SANDBOX_LABEL}={}", spec.name));
    // What is to be fetched was fetched once, before the first container.
    arguments.option("--pull", "never");
    // Nobody wants to wait for it to end in its own time.
    arguments.option("--stop-signal", "KILL");
    if settings.init {
        arguments.flag("--init");
    }
    if let Some(cpus) = settings.cpus {
        arguments.option("--cpus", cpus.to_string());
    }
    arguments.optional("--memory", settings.memory.as_deref());
    arguments.optional("--network", settings.network.as_deref());
    arguments.optional("--user", settings.user.as_deref());
    for mount in &settings.mounts {
        arguments.option("--volume", mounts::resolve(mount, settings.working_dir.as_deref())?);
    }
    let Arguments(mut words) = arguments;
    words.extend(settings.extra_args.iter().cloned());
    words.extend(["--entrypoint=sleep", image, FOR_EVER].map(str::to_owned));
    Ok(words)
}

/// Words of a command line; values are joined to their options, so that none is taken for an option itself.
#[derive(Default)]
struct Arguments(Vec<String>);

impl Arguments {
    fn flag(&mut self, word: &str) -> &mut Self {
        self.0.push(word.to_owned());
        self
    }

    fn option(&mut self, name: &str, value: impl AsRef<str>) {
        self.0.push(format!("{name}={}", value.as_ref()));
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.option(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> SandboxSpec {
        SandboxSpec {
            name: "docker-1".to_owned(),
            slot: 0,
            run_id: "r1".to_owned(),
            image: None,
            env: vec![("TOKEN".to_owned(), "secret".to_owned())],
            cwd: None,
            copy_dirs: Vec::new(),
            isolated: false,
        }
    }

    fn words(table: &str) -> String {
        let settings: Settings = offload_plugin::settings::parse(table).expect("the table is complete");
        run(&settings, &Sandbox::new("r1", "docker-1", None), &spec(), "sha256:12").expect("it can be told").join(" ")
    }

    #[test]
    fn containers_sleep_and_can_be_found_again() {
        assert_eq!(
            words(r#"{"image": "a", "init": false}"#),
            "run --detach --name=offload-r1-docker-1 --label=offload.run-id=r1 --label=offload.sandbox=docker-1 --pull=never \
             --stop-signal=KILL --entrypoint=sleep sha256:12 2147483647"
        );
    }

    #[test]
    fn every_setting_has_its_option() {
        let table = r#"{
            "image": "a", "cpus": 1.5, "memory": "2g", "network": "none", "user": "1000:1000",
            "mounts": ["./src:/app/src:ro", "cache:/cache"], "extra_args": ["--shm-size=1g"], "working_dir": "/project"
        }"#;
        let words = words(table);
        let options = "--init --cpus=1.5 --memory=2g --network=none --user=1000:1000 \
                       --volume=/project/src:/app/src:ro --volume=cache:/cache --shm-size=1g --entrypoint=sleep";
        assert!(words.contains(options), "{words}");
    }

    #[test]
    fn nobody_reads_the_environment_from_a_command_line() {
        assert!(!words(r#"{"image": "a"}"#).contains("secret"));
    }
}

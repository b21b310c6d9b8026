//! The component's exports: lines are made by the other modules, and run by the host.

use offload_plugin::excerpt::last_words;
use offload_plugin::prelude::*;
use offload_plugin::printed::at_positions;
use offload_plugin::{copying, inside};

use crate::printed::{destruction_failures, last_line};
use crate::sandbox::Sandbox;
use crate::settings::Settings;
use crate::{doctor, lifecycle, script};

/// The longest line that is handed to `exec_command` as an argument. Linux takes 128 KiB (`MAX_ARG_STRLEN`), and a script
/// may quote it once more for the next shell.
const LONGEST_LINE: usize = 64 * 1024;

/// What is quoted of a command of the person's own that failed.
const LAST_WORDS: usize = 2048;

const PASS_STDIN_ON: &str =
    "exec_command must pass its standard input on (docker exec -i, ssh without -n), and the sandbox needs tar";

pub struct ShellCommands {
    settings: Settings,
}

impl Plugin for ShellCommands {
    type Settings = Settings;

    const NAME: &'static str = "default";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "runs tests wherever shell commands of your own reach";
    const REQUESTS: &'static [&'static str] = &["run:sh", "env:*"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        settings.check()?;
        Ok(Self { settings })
    }
}

impl Provider for ShellCommands {
    fn prepare(&self, _spec: ImageSpec) -> Result<Prepared, Failure> {
        let Some(prepare_command) = &self.settings.prepare_command else {
            return Ok(Prepared { image: None, max_sandboxes: None });
        };
        let finished = script::line(&self.settings, prepare_command.clone()).capture()?;
        let image = printed_id("prepare_command", "the image's id", &finished)
            .map_err(|message| Failure::new("prepare-failed", message))?;
        Ok(Prepared { image: Some(image), max_sandboxes: None })
    }

    fn create(&self, spec: SandboxSpec) -> Result<Created, Failure> {
        let mut command = script::line(&self.settings, lifecycle::create(&self.settings, spec.image.as_deref()));
        command.env.extend(spec.env);
        command.env.extend([
            ("OFFLOAD_RUN_ID".to_owned(), spec.run_id.clone()),
            ("OFFLOAD_SANDBOX_NAME".to_owned(), spec.name.clone()),
            ("OFFLOAD_SLOT".to_owned(), spec.slot.to_string()),
        ]);
        let finished = command.capture()?;
        let id = printed_id("create_command", "the sandbox's id", &finished)
            .map_err(|message| Failure::new("create-failed", message).retryable())?;
        let sandbox = Sandbox::new(id, &spec.run_id, &spec.name, spec.cwd);
        match furnish(&self.settings, &sandbox, &spec.copy_dirs) {
            Ok(()) => Ok(Created { sandbox: sandbox.to_json(), scratch_root: sandbox.scratch }),
            Err(failure) => {
                // The host knows no id of this sandbox yet, so that nobody else can clear it away.
                if let Err(left_behind) = destroy(&self.settings, &[sandbox]) {
                    host::log("warn", &left_behind.message);
                }
                Err(failure)
            }
        }
    }

    fn exec(&self, sandbox: &str, exec_id: &str, command: Command, stdio: &Stdio) -> Result<Exit, Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        let cwd = command.cwd.as_deref().map(|cwd| sandbox.locate(cwd)).or_else(|| sandbox.cwd.clone());
        let mut line = inside::command(&Command { cwd, ..command })?;
        if lifecycle::exec(&self.settings, &sandbox, &line).len() > LONGEST_LINE {
            let path = format!("{}/command-{exec_id}", sandbox.scratch);
            store(&self.settings, &sandbox, &path, line.as_bytes())?;
            line = inside::run_stored(&path);
        }
        process::run(&script::line(&self.settings, lifecycle::exec(&self.settings, &sandbox, &line)), stdio)
    }

    fn cancel(&self, sandbox: &str, exec_id: &str) -> Result<(), Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        let finished = run_inside(&self.settings, &sandbox, &inside::kill(exec_id), &[])?;
        match finished.exit {
            Exit::Code(0) => Ok(()),
            _ => Err(Failure::new(
                "cancel-failed",
                format!("the processes of a command in {} could not be ended: {}", sandbox.id, finished.complaint()),
            )),
        }
    }

    fn download(&self, sandbox: &str, files: Vec<Transfer>) -> Result<Vec<String>, Failure> {
        let sandbox = Sandbox::from_json(sandbox)?;
        match &self.settings.download_command {
            _ if files.is_empty() => Ok(Vec::new()),
            Some(download_command) => download_at_once(&self.settings, download_command, &sandbox, files),
            None => Err(Failure::new("no-download", "there is no download_command")),
        }
    }

    fn destroy(&self, sandboxes: &[String]) -> Result<(), Failure> {
        let sandboxes = sandboxes.iter().map(|json| Sandbox::from_json(json)).collect::<Result<Vec<_>, _>>()?;
        destroy(&self.settings, &sandboxes)
    }
}

impl Doctor for ShellCommands {
    fn examine(&self) -> Vec<Finding> {
        doctor::examine(&self.settings)
    }
}

offload_plugin::export!(ShellCommands: Provider + Doctor);

fn run_inside(settings: &Settings, sandbox: &Sandbox, line: &str, stdin: &[u8]) -> Result<Captured, Failure> {
    process::capture(&script::line(settings, lifecycle::exec(settings, sandbox, line)), stdin)
}

/// What a command printed at its end, or why that is of no use.
fn printed_id(key: &str, meaning: &str, finished: &Captured) -> Result<String, String> {
    let said = || match last_words(&finished.stdout, &finished.stderr, LAST_WORDS) {
        said if said.is_empty() => "it said nothing".to_owned(),
        said => said,
    };
    match finished.exit {
        Exit::Code(0) => last_line(&finished.stdout)
            .map_err(|why| format!("{key} {why}, where {meaning} was expected; it said: {}", finished.complaint())),
        Exit::Code(code) => Err(format!("{key} ended with exit code {code}: {}", said())),
        Exit::Signal(signal) => Err(format!("{key} was ended by signal {signal}: {}", said())),
    }
}

/// Makes the sandbox's scratch directory and brings its directories in.
fn furnish(settings: &Settings, sandbox: &Sandbox, directories: &[Transfer]) -> Result<(), Failure> {
    let finished = run_inside(settings, sandbox, &inside::make_directory(&sandbox.scratch), &[])?;
    if finished.exit != Exit::Code(0) {
        return Err(Failure::new(
            "exec-failed",
            format!("exec_command could not make {} in {}: {}", sandbox.scratch, sandbox.id, finished.complaint()),
        )
        .with_help("exec_command must run {command} in a POSIX shell in the sandbox, as sh -c does")
        .retryable());
    }
    directories.iter().try_for_each(|directory| copy_in(settings, sandbox, directory))
}

fn copy_in(settings: &Settings, sandbox: &Sandbox, directory: &Transfer) -> Result<(), Failure> {
    let Transfer { local, remote } = directory;
    let exec_line = lifecycle::exec(settings, sandbox, &inside::unpack(&sandbox.locate(remote)));
    let finished = script::started(settings, copying::send(local, &exec_line)).capture()?;
    copying::outcome(&finished, local, remote, &sandbox.id, PASS_STDIN_ON)
}

/// Puts a file into the sandbox.
fn store(settings: &Settings, sandbox: &Sandbox, path: &str, contents: &[u8]) -> Result<(), Failure> {
    let finished = run_inside(settings, sandbox, &inside::store(path), contents)?;
    if String::from_utf8_lossy(&finished.stdout).contains(inside::COPIED) {
        return Ok(());
    }
    Err(Failure::new(
        "copy-failed",
        format!("a command too long for an argument could not be put into {}: {}", sandbox.id, finished.complaint()),
    )
    .with_help(PASS_STDIN_ON))
}

/// Brings all files with one `download_command`; returns those that are not there afterwards.
fn download_at_once(
    settings: &Settings,
    download_command: &str,
    sandbox: &Sandbox,
    files: Vec<Transfer>,
) -> Result<Vec<String>, Failure> {
    let pairs: Vec<_> = files.iter().map(|file| (sandbox.locate(&file.remote), file.local.clone())).collect();
    let line = lifecycle::download(download_command, sandbox, &pairs);
    let finished = script::download(settings, &line, pairs.iter().map(|(_, local)| local.as_str())).capture()?;
    let missing = at_positions(&finished.stdout, &files.into_iter().map(|file| file.remote).collect::<Vec<_>>());
    if finished.exit != Exit::Code(0) {
        let message = format!("download_command failed for {}: {}", sandbox.id, finished.complaint());
        if missing.is_empty() {
            return Err(Failure::new("download-failed", message).retryable());
        }
        answers(settings, sandbox).map_err(|complaint| {
            let message = format!("{message}; and exec_command fails there: {complaint}");
            Failure::new("sandbox-lost", message).retryable()
        })?;
        // Most tools fail on a file that does not exist, which is no failure of ours.
        host::log("warn", &message);
    }
    Ok(missing)
}

/// Whether commands still run in the sandbox, or what is said instead.
fn answers(settings: &Settings, sandbox: &Sandbox) -> Result<(), String> {
    const HERE: &str = "offload-is-here";
    let finished = run_inside(settings, sandbox, &format!("echo {HERE}"), &[]).map_err(|failure| failure.message)?;
    let answer = String::from_utf8_lossy(&finished.stdout);
    if answer.lines().any(|line| line.trim() == HERE) { Ok(()) } else { Err(finished.complaint()) }
}

fn destroy(settings: &Settings, sandboxes: &[Sandbox]) -> Result<(), Failure> {
    let lines: Vec<_> = sandboxes
        .iter()
        .map(|sandbox| {
            let tidying = lifecycle::exec(settings, sandbox, &inside::remove_scratch(&sandbox.scratch));
            (tidying, lifecycle::destroy(settings, sandbox))
        })
        .collect();
    let finished = script::destroy(settings, &lines).capture()?;
    let mut failures = destruction_failures(&finished.stdout, sandboxes);
    if failures.is_empty() && finished.exit != Exit::Code(0) {
        failures.push(finished.complaint());
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::new("destroy-failed", format!("destroy_command failed for {}", failures.join("; for ")))
        .with_help("remove what is left by hand; destroy_command must succeed if a sandbox is already gone")
        .retryable())
}

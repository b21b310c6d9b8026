//! The component's exports: plans are made by the other modules, and carried out by the host.

use offload_plugin::prelude::*;
use offload_plugin::{inside, printed};

use crate::limits::Limits;
use crate::sandbox::{OWN_TMP, Sandbox, is_component, tmp_in};
use crate::settings::Settings;
use crate::{cgroup, exec, script};

/// How a command ends that the kernel ends.
const KILLED: Exit = Exit::Signal(9);

/// The exit code by which a script tells the one condition that has a message of its own.
const CONDITION: Exit = Exit::Code(3);

/// The exit code by which a script tells that something else is in the place of a file.
const NO_FILE: Exit = Exit::Code(4);

/// The variable that names a directory which the run's sandboxes share.
const RUN_TMP: &str = "OFFLOAD_RUN_TMP";

pub struct Local {
    settings: Settings,
}

impl Plugin for Local {
    type Settings = Settings;

    const NAME: &'static str = "local";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "runs tests as processes of this machine";
    const REQUESTS: &'static [&'static str] = &["run:*", "env:*"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self { settings })
    }
}

impl Provider for Local {
    fn prepare(&self, spec: ImageSpec) -> Result<Prepared, Failure> {
        for transfer in &spec.copy_dirs {
            if is_absolute(&transfer.remote) || self.settings.isolation.shares_working_dir() {
                copy_directory(transfer, self.settings.working_dir.as_deref())?;
            }
        }
        Ok(Prepared { image: None, max_sandboxes: None })
    }

    fn create(&self, spec: SandboxSpec) -> Result<Created, Failure> {
        let copies = self.settings.isolation.private_copy(spec.isolated, spec.slot)?;
        let tmp = self.settings.private_tmp.then(|| private_tmp(&spec));
        let working_dir = spec.cwd.or_else(|| self.settings.working_dir.clone());
        let original = copies.then(|| working_dir.clone().unwrap_or_else(|| ".".to_owned()));
        let scratch = make_scratch(&spec.run_id, &spec.name, original.as_deref(), tmp.as_deref())?;
        let mut sandbox = Sandbox {
            working_dir: if copies { Some(format!("{scratch}/work")) } else { working_dir },
            copied_from: original,
            orphan: false,
            tmp: tmp.map(|tmp| if is_absolute(&tmp) { tmp } else { format!("{scratch}/{tmp}") }),
            scratch,
            run_id: spec.run_id,
            name: spec.name,
            group: None,
        };
        if let Some(limits) = &self.settings.limits {
            match make_group(&sandbox, limits) {
                Ok(group) => sandbox.group = Some(group),
                Err(failure) => {
                    // The host knows no id of this sandbox yet, so that nobody else can clear it away.
                    remove(&[&sandbox])?;
                    return Err(failure);
                }
            }
        }
        if let Some(original) = &sandbox.copied_from {
            // What is to be said once is said by whoever comes first.
            if spec.slot == 0 {
                host::log("info", &format!("each sandbox works in a private copy of {original}"));
            }
            if !self.settings.isolation.shares_working_dir() {
                let copied = spec
                    .copy_dirs
                    .iter()
                    .filter(|transfer| !is_absolute(&transfer.remote))
                    .try_for_each(|transfer| copy_directory(transfer, sandbox.working_dir.as_deref()));
                if let Err(failure) = copied {
                    // The host knows no id of this sandbox yet, so that nobody else can clear it away.
                    remove(&[&sandbox])?;
                    return Err(failure);
                }
            }
        }
        Ok(Created { sandbox: sandbox.id(), scratch_root: sandbox.scratch })
    }

    fn exec(&self, sandbox: &str, _exec_id: &str, command: Command, stdio: &Stdio) -> Result<Exit, Failure> {
        let sandbox = Sandbox::from_id(sandbox)?;
        let command = exec::in_shell(&self.settings.shell, &sandbox, command);
        if let Some(cwd) = command.cwd.as_deref().filter(|cwd| !sandbox.keeps_private(cwd)) {
            host::log("warn", &format!("{cwd} is shared by all sandboxes: only the provider's working_dir is copied"));
        }
        let limit = self.settings.limits.as_ref().and_then(|limits| limits.memory.as_deref());
        let is_own =
            sandbox.copied_from.is_some() && command.cwd.as_deref().is_some_and(|cwd| sandbox.keeps_private(cwd));
        let run = || match process::run(&command, stdio) {
            // It was there when the sandbox was made.
            Err(failure) if is_own && failure.code == "no-directory" => Err(gone(&sandbox)),
            // Whatever ended badly may have done so for want of its files.
            Ok(exit) if is_own && exit != Exit::Code(0) && !has_directory(&sandbox)? => Err(gone(&sandbox)),
            ended => ended,
        };
        let (Some(limit), Some(group)) = (limit, &sandbox.group) else { return run() };
        let before = killed(group)?;
        match run()? {
            KILLED if killed(group)? > before => Err(Failure::new(
                "out-of-memory",
                format!("{} had more memory than its {limit}, so that a process of it was killed", sandbox.name),
            )
            .with_help("raise memory in [provider.limits], or lower max_parallel in [offload]")),
            exit => Ok(exit),
        }
    }

    fn cancel(&self, _sandbox: &str, _exec_id: &str) -> Result<(), Failure> {
        // The command's processes are the host's own, which has ended them.
        Ok(())
    }

    fn download(&self, sandbox: &str, files: Vec<Transfer>) -> Result<Vec<String>, Failure> {
        let sandbox = Sandbox::from_id(sandbox)?;
        let (remotes, locals): (Vec<String>, Vec<String>) =
            files.into_iter().map(|file| (file.remote, file.local)).unzip();
        let sources: Vec<String> = remotes.iter().map(|remote| sandbox.locate(remote)).collect();
        let pairs = sources.iter().map(String::as_str).zip(locals.iter().map(String::as_str));
        let finished = script::copy_files(&sandbox.scratch, pairs).capture()?;
        if finished.exit == CONDITION {
            return Err(gone(&sandbox));
        }
        if finished.exit != Exit::Code(0) {
            let message = format!("copying result files of {} failed: {}", sandbox.name, finished.complaint());
            // A test put it there, and the sandbox is as good as it was.
            let code = if finished.exit == NO_FILE { "not-a-file" } else { "download-failed" };
            return Err(Failure::new(code, message));
        }
        Ok(printed::at_positions(&finished.stdout, &remotes))
    }

    fn destroy(&self, sandboxes: &[String]) -> Result<(), Failure> {
        let sandboxes = sandboxes.iter().map(|id| Sandbox::from_id(id)).collect::<Result<Vec<_>, _>>()?;
        let orphans = sandboxes.iter().filter(|sandbox| sandbox.orphan);
        let lines: Vec<_> = orphans.map(|orphan| inside::kill_all(&orphan.run_id, &orphan.name)).collect();
        if !lines.is_empty() {
            script::end(lines.iter().map(String::as_str)).capture()?;
        }
        remove(&sandboxes.iter().collect::<Vec<_>>())
    }
}

impl Reaper for Local {
    fn leftovers(&self) -> Result<Vec<Leftover>, Failure> {
        let finished = script::leftovers().capture()?;
        if finished.exit != Exit::Code(0) {
            let message = format!("the temporary directory could not be searched: {}", finished.complaint());
            return Err(Failure::new("leftovers-failed", message));
        }
        let printed = String::from_utf8_lossy(&finished.stdout);
        let words: Vec<&str> = printed.split_terminator('\0').collect();
        let (of_each, _) = words.as_chunks::<5>();
        Ok(of_each.iter().map(|of_one| leftover(*of_one)).collect())
    }
}

impl Doctor for Local {
    fn examine(&self) -> Vec<Finding> {
        let Settings { shell, working_dir, .. } = &self.settings;
        let usable = match script::examine(shell, working_dir.as_deref()).capture() {
            Ok(finished) => String::from_utf8_lossy(&finished.stdout).into_owned(),
            Err(failure) => return vec![Finding::problem("sh", failure.message)],
        };
        let working_dir = working_dir.as_deref().unwrap_or(".");
        [
            ("shell", shell.as_str(), "install it, or set `shell` in [provider]"),
            ("working-dir", working_dir, "create it, or correct `working_dir` in [provider]"),
            ("temporary", "the temporary directory", "set TMPDIR to a directory that you may write to"),
        ]
        .into_iter()
        .map(|(word, what, remedy)| {
            if usable.lines().any(|line| line == word) {
                Finding::ok(word, what)
            } else {
                Finding::problem(word, format!("{what} cannot be used")).mended_by(remedy)
            }
        })
        .collect()
    }
}

offload_plugin::export!(Local: Provider + Reaper + Doctor);

fn leftover([scratch, run_id, name, created, group]: [&str; 5]) -> Leftover {
    let sandbox = Sandbox {
        scratch: scratch.to_owned(),
        run_id: run_id.to_owned(),
        name: name.to_owned(),
        working_dir: None,
        orphan: true,
        copied_from: None,
        // It lies in what the run's sandboxes shared, which whoever removes leftovers removes as a whole.
        tmp: None,
        group: (!group.is_empty()).then(|| group.to_owned()),
    };
    let created = created.parse().ok();
    Leftover { sandbox: sandbox.id(), run_id: run_id.to_owned(), name: scratch.to_owned(), created }
}

fn has_directory(sandbox: &Sandbox) -> Result<bool, Failure> {
    let directory = sandbox.working_dir.as_deref().unwrap_or(&sandbox.scratch);
    Ok(script::is_directory(directory).capture()?.exit == Exit::Code(0))
}

/// Somebody has removed it behind the run's back.
fn gone(sandbox: &Sandbox) -> Failure {
    let Sandbox { name, scratch, .. } = sandbox;
    Failure { retryable: true, ..Failure::new("sandbox-lost", format!("the directory of {name}, {scratch}, is gone")) }
        .with_help("have nobody clear the temporary directory (TMPDIR, or /tmp) while tests run")
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/')
}

/// Where a sandbox's own temporary directory is to be made: in the one that the run's sandboxes share, since its path is short.
fn private_tmp(spec: &SandboxSpec) -> String {
    let shared = spec.env.iter().rev().find(|(name, value)| name == RUN_TMP && is_absolute(value));
    shared.map_or_else(|| OWN_TMP.to_owned(), |(_, shared)| tmp_in(shared, &spec.name))
}

fn make_scratch(run_id: &str, name: &str, original: Option<&str>, tmp: Option<&str>) -> Result<String, Failure> {
    if !is_component(run_id) || !is_component(name) {
        return Err(Failure::new(
            "create-failed",
            format!("{run_id:?} and {name:?} cannot both be names of directories"),
        ));
    }
    let finished = script::create(run_id, name, original, tmp).capture()?;
    match (finished.exit, original) {
        (Exit::Code(0), _) => String::from_utf8(finished.stdout)
            .map_err(|_| Failure::new("create-failed", "the temporary directory has a path that is not UTF-8")),
        (CONDITION, Some(original)) => Err(Failure::new(
            "not-isolated",
            format!("{original} cannot be copied for {name}, since the temporary directory is inside of it"),
        )
        .with_help("set TMPDIR to a directory outside of it, or set isolation = \"none\" and max_parallel = 1")),
        _ => Err(Failure::new(
            "create-failed",
            format!("the directory of {name} could not be made: {}", finished.complaint()),
        )
        .with_help(
            "the temporary directory (TMPDIR, or /tmp) must be writable and have room for each sandbox's files",
        )),
    }
}

/// Copies one directory on this machine; a relative target starts from `base`, or the host's own directory.
fn copy_directory(transfer: &Transfer, base: Option<&str>) -> Result<(), Failure> {
    let Transfer { local, remote } = transfer;
    let target = match base {
        Some(base) if !is_absolute(remote) => format!("{}/{remote}", base.trim_end_matches('/')),
        _ => remote.clone(),
    };
    let finished = script::copy_directory(local, &target).capture()?;
    match finished.exit {
        Exit::Code(0) => Ok(()),
        CONDITION => {
            Err(Failure::new("copy-failed", format!("{local} is no directory, so it cannot be copied to {target}"))
                .with_help("name an existing directory in --copy-dir LOCAL:REMOTE"))
        }
        _ => Err(Failure::new("copy-failed", format!("copying {local} to {target} failed: {}", finished.complaint()))),
    }
}

/// Makes the control group that limits a sandbox; gives its directory.
fn make_group(sandbox: &Sandbox, limits: &Limits) -> Result<String, Failure> {
    let finished = cgroup::make(&sandbox.group_name(), &limits.controllers(), &limits.files()?).capture()?;
    let printed = String::from_utf8_lossy(&finished.stdout).trim().to_owned();
    if finished.exit == Exit::Code(0) {
        return Ok(printed);
    }
    let why = if printed.is_empty() { finished.complaint() } else { printed };
    Err(Failure::new("not-limited", format!("[provider.limits] cannot be kept here: {why}")).with_help(
        "start offload by `systemd-run --user --scope offload run`, which has control groups of its own, or remove [provider.limits]",
    ))
}

/// How many processes of the group were ended so far for having too much memory.
fn killed(group: &str) -> Result<u64, Failure> {
    let finished = cgroup::killed(group).capture()?;
    let printed = String::from_utf8_lossy(&finished.stdout);
    printed.trim().parse().map_err(|_| {
        Failure::new("sandbox-lost", format!("the control group {group} cannot be read: {}", finished.complaint()))
    })
}

fn remove(sandboxes: &[&Sandbox]) -> Result<(), Failure> {
    let groups: Vec<_> = sandboxes.iter().filter_map(|sandbox| sandbox.group.as_deref()).collect();
    if !groups.is_empty() {
        let finished = cgroup::remove(groups).capture()?;
        if finished.exit != Exit::Code(0) {
            let message = format!("control groups could not all be removed: {}", finished.complaint());
            return Err(Failure::new("destroy-failed", message));
        }
    }
    // What tells `offload clean` of a sandbox goes last.
    let tmps = sandboxes.iter().filter_map(|sandbox| sandbox.tmp.as_deref());
    let directories = tmps.chain(sandboxes.iter().map(|sandbox| sandbox.scratch.as_str()));
    let finished = script::remove(directories).capture()?;
    if finished.exit == Exit::Code(0) {
        return Ok(());
    }
    let message = format!("the directories of sandboxes could not all be removed: {}", finished.complaint());
    Err(Failure::new("destroy-failed", message))
}

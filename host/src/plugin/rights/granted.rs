//! What one component of a stranger may do: the least of what it asks for and what it is granted.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Place;
use super::denial::{Denial, quoted, shown, table_of};
use crate::config::{Allow, Endpoint};
use crate::foreign_file;
use crate::plugin::bindings::contract::Command;
use crate::plugin::request::{Request, covers};
use crate::plugin::steering;
use crate::process::Environment;

/// How the names of offload's own variables begin. They steer offload itself, so only offload sets them.
const OWN: &str = "OFFLOAD_";

/// Those that offload itself reads. A provider sets others, such as what offload tells the tests of a sandbox.
const READ_BY_OFFLOAD: [&str; 4] =
    ["OFFLOAD_CACHE_DIR", "OFFLOAD_FEW_ARENAS", "OFFLOAD_LOG", "OFFLOAD_PREBUILT_PLUGINS"];

/// What the processes of a component that does not come with offload find in their environment without a grant.
const BASE_ENVIRONMENT: [&str; 5] = ["PATH", "HOME", "USER", "LANG", "TMPDIR"];

/// The rights of a component that does not come with offload.
#[derive(Debug)]
pub struct Granted {
    pub(super) plugin: Arc<str>,
    /// Where relative paths start from.
    root: PathBuf,
    pub(super) allow: Allow,
    requests: Vec<Request>,
    /// Whether all that it asks for is granted, also where a request stands for any program, variable or host.
    all_granted: bool,
}

impl Granted {
    pub(in crate::plugin) fn new(plugin: Arc<str>, root: PathBuf, allow: Allow, requests: Vec<Request>) -> Self {
        Self { plugin, root, allow, requests, all_granted: false }
    }

    /// All that it asks for, and nothing else.
    pub(in crate::plugin) fn as_asked(plugin: Arc<str>, root: PathBuf, requests: Vec<Request>) -> Self {
        let of = |kind: &str| {
            let named = requests.iter().filter(|request| request.kind() == kind).filter_map(Request::what);
            named.map(str::to_owned).collect()
        };
        let allow = Allow {
            run: of("run"),
            env: of("env"),
            set_env: of("set-env"),
            net: of("net"),
            read: of("read"),
            write: of("write"),
        };
        Self { plugin, root, allow, requests, all_granted: true }
    }

    /// Program, arguments and variables of a command.
    pub(super) fn check(&self, command: &Command, place: Place) -> Result<(), Denial> {
        let begins = |grant: &[String]| command.argv.starts_with(grant);
        let wanted = || format!("run `{}`", shown(&command.argv));
        let program = command.argv.first().map_or("", String::as_str);
        if !self.requests.iter().any(|request| request.run().is_some_and(begins) || request.is_any("run")) {
            return Err(self.unasked(wanted(), &format!("run:{program}")));
        }
        let granted = |text: &String| shell_words::split(text).is_ok_and(|words| !words.is_empty() && begins(&words));
        if !self.all_granted && !self.allow.run.iter().any(granted) {
            return Err(self.denial(wanted(), "run", &self.allow.run, &shell_words::quote(program)));
        }
        command.env.iter().try_for_each(|(name, _)| self.check_variable(name, command, place))
    }

    /// A grant of a variable is one to see it, and to set what steers no program.
    fn check_variable(&self, name: &str, command: &Command, place: Place) -> Result<(), Denial> {
        let wanted = format!("set {name} for `{}`", shown(&command.argv));
        let is_own = name.to_ascii_uppercase().starts_with(OWN);
        if is_own && place == Place::Machine && !READ_BY_OFFLOAD.contains(&name.to_ascii_uppercase().as_str()) {
            return Ok(());
        }
        if is_own {
            let help = format!("variables that begin with {OWN} are for offload itself to set");
            return Err(Denial { plugin: self.plugin.clone(), wanted, help });
        }
        let (kind, key, list) = if steering::steers(name) {
            ("set-env", "set_env", &self.allow.set_env)
        } else {
            ("env", "env", &self.allow.env)
        };
        let also = |kind: &str| self.requests.iter().any(|request| request.is(kind, name));
        if !also(kind) && !also("set-env") {
            return Err(self.unasked(wanted, &format!("{kind}:{name}")));
        }
        if !self.all_granted && !list.iter().chain(&self.allow.set_env).any(|granted| granted == name) {
            return Err(self.denial(wanted, key, list, name));
        }
        Ok(())
    }

    /// A program does different things in different places: `git status` runs what the configuration there says.
    pub(super) fn check_directory(&self, command: &Command) -> Result<(), Denial> {
        let Some(cwd) = &command.cwd else { return Ok(()) };
        self.may_work_in(&self.root.join(cwd), &[&self.root])
            .map_err(|_| self.denial(format!("run `{}` in {cwd}", shown(&command.argv)), "read", &self.allow.read, cwd))
    }

    /// A framework's command runs in the directory that is configured, or below it; where that is is not known here.
    pub(super) fn check_place(&self, command: &Command) -> Result<(), Denial> {
        let Some(cwd) = &command.cwd else { return Ok(()) };
        let path = Path::new(cwd);
        let climbs = path.components().any(|step| matches!(step, Component::ParentDir));
        let here = self.root.join(cwd);
        if path.is_relative() && !climbs && (!here.exists() || really_inside(&here, &self.root)) {
            return Ok(());
        }
        self.check_directory(command)
    }

    pub(super) fn may_work_in(&self, directory: &Path, own: &[&Path]) -> Result<(), Denial> {
        let inside = |granted: &Path| really_inside(directory, granted);
        if own.iter().any(|own| inside(own)) || self.directories().iter().any(|(_, granted, _)| inside(granted)) {
            return Ok(());
        }
        let text = directory.display().to_string();
        Err(self.denial(format!("run a command in {text}"), "read", &self.allow.read, &text))
    }

    pub(super) fn environment(&self) -> Environment {
        let granted = self.allow.env.iter().filter(|name| self.has_variable(name)).cloned();
        Environment::Only(BASE_ENVIRONMENT.into_iter().map(str::to_owned).chain(granted).collect())
    }

    pub(super) fn has_variable(&self, name: &str) -> bool {
        self.requests.iter().any(|request| request.is("env", name))
    }

    fn may_use(&self, kind: &str, path: &str) -> bool {
        self.requests
            .iter()
            .any(|request| request.is_any(kind) || request.path(kind).is_some_and(|of| covers(of, path)))
    }

    pub(super) fn connect(&self, host: &str, port: u16) -> Result<(), Denial> {
        let endpoint = Endpoint { host: host.to_ascii_lowercase(), port };
        let text = format!("{}:{port}", endpoint.host);
        let wanted = || format!("connect to {text}");
        let is_it = |text: &str| text.parse::<Endpoint>() == Ok(endpoint.clone());
        if !self.requests.iter().any(|request| request.is_any("net") || request.net().is_some_and(is_it)) {
            return Err(self.unasked(wanted(), &format!("net:{text}")));
        }
        if self.all_granted || self.allow.net.iter().any(|text| is_it(text)) {
            return Ok(());
        }
        Err(self.denial(wanted(), "net", &self.allow.net, &text))
    }

    pub(super) fn may_read(&self, file: &Path, own: &[&Path]) -> Result<(), Denial> {
        self.holder(file, own).map(drop)
    }

    /// The directory by which it may read this file.
    fn holder(&self, file: &Path, own: &[&Path]) -> Result<PathBuf, Denial> {
        let own = own.iter().map(|directory| directory.to_path_buf());
        let granted = self.directories().into_iter().map(|(_, granted, _)| granted);
        own.chain(granted).find(|directory| really_inside(file, directory)).ok_or_else(|| {
            let directory = file.parent().unwrap_or(file).display().to_string();
            self.denial(format!("read {}", file.display()), "read", &self.allow.read, &directory)
        })
    }

    pub(super) fn open(&self, file: &Path, own: &[&Path]) -> Result<io::Result<File>, Denial> {
        let directory = self.holder(file, own)?;
        let below = |file: &Path, directory: &Path| file.strip_prefix(directory).map(Path::to_owned);
        Ok(match below(file, &directory) {
            Ok(path) => foreign_file::open_below(&directory, &path),
            // They are written in different ways.
            Err(_) => file.canonicalize().and_then(|file| {
                let directory = directory.canonicalize()?;
                let path = below(&file, &directory).map_err(io::Error::other)?;
                foreign_file::open_below(&directory, &path)
            }),
        })
    }

    /// Those that were asked for and granted.
    pub(super) fn directories(&self) -> Vec<(&str, PathBuf, bool)> {
        let mut directories = Vec::new();
        for (kind, paths, writable) in [("read", &self.allow.read, false), ("write", &self.allow.write, true)] {
            let usable = paths.iter().filter(|path| self.may_use(kind, path));
            directories.extend(usable.map(|path| (path.as_str(), self.root.join(path), writable)));
        }
        directories
    }

    /// The plugin does not say that it needs this, so the user who granted its requests did not decide on it.
    fn unasked(&self, wanted: String, request: &str) -> Denial {
        let help =
            format!("the plugin does not say that it needs this: its author has to name `{request}` in its requests");
        Denial { plugin: self.plugin.clone(), wanted, help }
    }

    fn denial(&self, wanted: String, key: &str, granted: &[String], missing: &str) -> Denial {
        let list: Vec<_> = granted.iter().map(String::as_str).chain([missing]).map(quoted).collect();
        let table = table_of(&self.plugin);
        let help = format!("to allow it, write in offload.toml:\n\n[{table}.allow]\n{key} = [{}]", list.join(", "));
        Denial { plugin: self.plugin.clone(), wanted, help }
    }
}

/// Whether a path is in a directory, wherever links lead to. What does not exist yet is where its directory is.
pub(super) fn really_inside(path: &Path, directory: &Path) -> bool {
    let Ok(directory) = directory.canonicalize() else { return false };
    let mut existing = path;
    loop {
        if let Ok(real) = existing.canonicalize() {
            let rest = path.strip_prefix(existing).unwrap_or(Path::new(""));
            let climbs = rest.components().any(|step| matches!(step, Component::ParentDir));
            return real.starts_with(&directory) && !climbs;
        }
        match existing.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => existing = parent,
            _ => return false,
        }
    }
}

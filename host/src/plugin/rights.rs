//! What a component may do besides computing: the least of what it imports, what it asks for and what it is granted.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::bindings::contract::Command;
use super::request::{Request, covers};
use super::steering;
use crate::config::{Allow, Endpoint};
use crate::foreign_file;
use crate::model::Failure;
use crate::process::{self, Environment};

/// How the names of offload's own variables begin. They steer offload itself, so nobody else sets them.
const OWN: &str = "OFFLOAD_";

/// Those that offload itself has a provider set for the tests of a sandbox.
const HANDED_OUT: [&str; 6] =
    ["OFFLOAD_EXEC_ID", "OFFLOAD_RUN_ID", "OFFLOAD_RUN_TMP", "OFFLOAD_SANDBOX", "OFFLOAD_SANDBOX_NAME", "OFFLOAD_SLOT"];

/// What the processes of a component that does not come with offload find in their environment without a grant.
const BASE_ENVIRONMENT: [&str; 5] = ["PATH", "HOME", "USER", "LANG", "TMPDIR"];

/// The failure of a call that wanted more than was granted.
const DENIED: &str = "denied";

/// Where a command runs that is held against the rights of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Here, as the command of a provider does, which passes on what offload tells the tests of a sandbox.
    Machine,
    /// In a sandbox, or here to find tests: offload itself says there what it has to say.
    Sandbox,
}

/// What one component may do.
#[derive(Debug)]
pub enum Rights {
    /// It comes with offload: its commands are those of offload itself.
    BuiltIn,
    Granted(Box<Granted>),
}

/// The rights of a component that does not come with offload.
#[derive(Debug)]
pub struct Granted {
    plugin: Arc<str>,
    /// Where relative paths start from.
    root: PathBuf,
    allow: Allow,
    requests: Vec<Request>,
    /// Whether all that it asks for is granted, also where it leaves the choice to whoever grants.
    all_granted: bool,
}

/// What a component wanted and was not given.
#[derive(Clone, Debug)]
pub struct Denial {
    plugin: Arc<str>,
    wanted: String,
    help: String,
}

impl Rights {
    /// The command as it may be run on this machine.
    pub(super) fn command(&self, command: Command) -> Result<process::Command, Denial> {
        let environment = match self {
            Self::BuiltIn => Environment::Inherited,
            Self::Granted(granted) => {
                granted.check(&command, Place::Machine)?;
                granted.check_directory(&command)?;
                granted.environment()
            }
        };
        let Command { argv, env, cwd } = command;
        Ok(process::Command { argv, env, cwd: cwd.map(Into::into), environment })
    }

    /// Whether a framework may have this command run, wherever that will be.
    pub(super) fn check(&self, command: &Command) -> Result<(), Denial> {
        match self {
            Self::BuiltIn => Ok(()),
            Self::Granted(granted) => {
                granted.check(command, Place::Sandbox)?;
                granted.check_place(command)
            }
        }
    }

    /// Whether a framework may have a command run in this directory of this machine: in or below one of its own, or one that it
    /// may read.
    ///
    /// # Errors
    /// What it wanted and was not given.
    pub fn may_work_in(&self, directory: &Path, own: &[&Path]) -> Result<(), Denial> {
        match self {
            Self::BuiltIn => Ok(()),
            Self::Granted(granted) => granted.may_work_in(directory, own),
        }
    }

    /// What commands of this component find in their environment on this machine.
    pub fn environment(&self) -> Environment {
        match self {
            Self::BuiltIn => Environment::Inherited,
            Self::Granted(granted) => granted.environment(),
        }
    }

    /// Whether it may send a request to this host.
    pub(super) fn connect(&self, host: &str, port: u16) -> Result<(), Denial> {
        match self {
            // None of those that come with offload needs it.
            Self::BuiltIn => Err(Denial {
                plugin: "built-in".into(),
                wanted: format!("connect to {host}:{port}"),
                help: "this is a defect of offload".to_owned(),
            }),
            Self::Granted(granted) => granted.connect(host, port),
        }
    }

    /// Whether a framework may have this file of this machine brought to it: what lies in the directories of its own attempt and
    /// of its command, and what it is granted.
    pub fn may_read(&self, file: &Path, own: &[&Path]) -> Result<(), Denial> {
        match self {
            Self::BuiltIn => Ok(()),
            Self::Granted(granted) => granted.may_read(file, own),
        }
    }

    /// Opens a file of this machine for a framework that may have it: where that is a link, it may lead nowhere else meanwhile.
    ///
    /// # Errors
    /// What it wanted and was not given.
    pub fn open(&self, file: &Path, own: &[&Path]) -> Result<io::Result<File>, Denial> {
        match self {
            Self::BuiltIn => Ok(foreign_file::open(file)),
            Self::Granted(granted) => granted.open(file, own),
        }
    }

    /// Whether a framework may have these files brought to it from where its command ran: relative to that, and its own.
    pub(super) fn check_results(&self, files: &[String], scratch: &str) -> Result<(), Denial> {
        let Self::Granted(granted) = self else { return Ok(()) };
        let climbs = |file: &str| Path::new(file).components().any(|step| matches!(step, Component::ParentDir));
        let own = |file: &str| !climbs(file) && (Path::new(file).is_relative() || file.starts_with(scratch));
        match files.iter().find(|file| !own(file)) {
            None => Ok(()),
            Some(file) => Err(Denial {
                plugin: granted.plugin.clone(),
                wanted: format!("read {file} where its command ran"),
                help: "results lie below the directory of the command, or at the path prefix of the attempt".to_owned(),
            }),
        }
    }

    /// The variables that an instance sees.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let Self::Granted(granted) = self else { return Vec::new() };
        let names = granted.allow.env.iter().filter(|name| granted.has_variable(name));
        names.filter_map(|name| Some((name.clone(), std::env::var(name).ok()?))).collect()
    }

    /// The directories that an instance sees: what it calls them, where they are, and whether it may write there.
    pub(super) fn directories(&self) -> Vec<(&str, PathBuf, bool)> {
        match self {
            Self::BuiltIn => Vec::new(),
            Self::Granted(granted) => granted.directories(),
        }
    }
}

impl Granted {
    pub(super) fn new(plugin: Arc<str>, root: PathBuf, allow: Allow, requests: Vec<Request>) -> Self {
        Self { plugin, root, allow, requests, all_granted: false }
    }

    /// All that it asks for, and nothing else.
    pub(super) fn as_asked(plugin: Arc<str>, root: PathBuf, requests: Vec<Request>) -> Self {
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
    fn check(&self, command: &Command, place: Place) -> Result<(), Denial> {
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
        if place == Place::Machine && HANDED_OUT.contains(&name) {
            return Ok(());
        }
        let wanted = format!("set {name} for `{}`", shown(&command.argv));
        if name.to_ascii_uppercase().starts_with(OWN) {
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
    fn check_directory(&self, command: &Command) -> Result<(), Denial> {
        let Some(cwd) = &command.cwd else { return Ok(()) };
        self.may_work_in(&self.root.join(cwd), &[&self.root])
            .map_err(|_| self.denial(format!("run `{}` in {cwd}", shown(&command.argv)), "read", &self.allow.read, cwd))
    }

    /// A framework's command runs in the directory that is configured, or below it; where that is is not known here.
    fn check_place(&self, command: &Command) -> Result<(), Denial> {
        let Some(cwd) = &command.cwd else { return Ok(()) };
        let path = Path::new(cwd);
        let climbs = path.components().any(|step| matches!(step, Component::ParentDir));
        let here = self.root.join(cwd);
        if path.is_relative() && !climbs && (!here.exists() || really_inside(&here, &self.root)) {
            return Ok(());
        }
        self.check_directory(command)
    }

    fn may_work_in(&self, directory: &Path, own: &[&Path]) -> Result<(), Denial> {
        let inside = |granted: &Path| really_inside(directory, granted);
        if own.iter().any(|own| inside(own)) || self.directories().iter().any(|(_, granted, _)| inside(granted)) {
            return Ok(());
        }
        let text = directory.display().to_string();
        Err(self.denial(format!("run a command in {text}"), "read", &self.allow.read, &text))
    }

    fn environment(&self) -> Environment {
        let granted = self.allow.env.iter().filter(|name| self.has_variable(name)).cloned();
        Environment::Only(BASE_ENVIRONMENT.into_iter().map(str::to_owned).chain(granted).collect())
    }

    fn has_variable(&self, name: &str) -> bool {
        self.requests.iter().any(|request| request.is("env", name))
    }

    fn may_use(&self, kind: &str, path: &str) -> bool {
        self.requests
            .iter()
            .any(|request| request.is_any(kind) || request.path(kind).is_some_and(|of| covers(of, path)))
    }

    fn connect(&self, host: &str, port: u16) -> Result<(), Denial> {
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

    fn may_read(&self, file: &Path, own: &[&Path]) -> Result<(), Denial> {
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

    fn open(&self, file: &Path, own: &[&Path]) -> Result<io::Result<File>, Denial> {
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
    fn directories(&self) -> Vec<(&str, PathBuf, bool)> {
        let mut directories = Vec::new();
        for (kind, paths, writable) in [("read", &self.allow.read, false), ("write", &self.allow.write, true)] {
            let usable = paths.iter().filter(|path| self.may_use(kind, path));
            directories.extend(usable.map(|path| (path.as_str(), self.root.join(path), writable)));
        }
        directories
    }

    /// It did not say that it needs this: whoever granted what it says did not decide on it.
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

impl From<Denial> for Failure {
    fn from(Denial { plugin, wanted, help }: Denial) -> Self {
        Self::new(DENIED, format!("plugin `{plugin}` may not {wanted}")).with_help(help)
    }
}

/// The name of a plugin's table, as TOML needs it.
pub fn table_of(plugin: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let name = if !plugin.is_empty() && plugin.bytes().all(bare) { plugin.to_owned() } else { quoted(plugin) };
    format!("plugins.{name}")
}

/// Text as TOML needs it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A command line that a person can read: on one line, and not longer than that.
pub(super) fn shown(argv: &[String]) -> String {
    const LONGEST: usize = 200;
    let line: String = shell_words::join(argv).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Whether a path is in a directory, wherever links lead to. What does not exist yet is where its directory is.
fn really_inside(path: &Path, directory: &Path) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(requests: &[&str], allow: Allow) -> Rights {
        let requests = requests.iter().map(|text| text.parse().unwrap()).collect();
        Rights::Granted(Box::new(Granted::new("acme".into(), "/project".into(), allow, requests)))
    }

    fn run(rights: &Rights, line: &str) -> String {
        let command = Command { argv: shell_words::split(line).unwrap(), env: Vec::new(), cwd: None };
        rights.check(&command).map_or_else(|denial| Failure::from(denial).to_string(), |()| "granted".to_owned())
    }

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_program_needs_a_grant() {
        let rights = granted(&["run:kubectl"], Allow::default());
        assert_eq!(
            run(&rights, "kubectl get 'all pods'"),
            "plugin `acme` may not run `kubectl get 'all pods'`\n  help: to allow it, write in offload.toml:\n\n\
             [plugins.acme.allow]\nrun = [\"kubectl\"]"
        );
        let rights = granted(&["run:kubectl"], Allow { run: list(&["kubectl"]), ..Allow::default() });
        assert_eq!(run(&rights, "kubectl get pods"), "granted");
    }

    #[test]
    fn a_grant_is_no_grant_of_namesakes() {
        let rights = granted(&["run:*"], Allow { run: list(&["kubectl", "/usr/bin/git"]), ..Allow::default() });
        for line in ["./kubectl", "/tmp/kubectl", "kubectl2", "sh -c kubectl", "git", "'kubectl get'", ""] {
            assert!(run(&rights, line).starts_with("plugin `acme` may not run"), "{line}");
        }
        assert_eq!(run(&rights, "/usr/bin/git status"), "granted");
    }

    #[test]
    fn arguments_that_are_named_must_come_first() {
        let rights = granted(&["run:git"], Allow { run: list(&["git status"]), ..Allow::default() });
        assert_eq!(run(&rights, "git status --short"), "granted");
        assert!(run(&rights, "git -c alias.status=!sh status").contains("run = [\"git status\", \"git\"]"));
        assert!(run(&rights, "git statuses").starts_with("plugin `acme` may not run"));
    }

    #[test]
    fn what_was_not_asked_for_is_not_given() {
        let rights = granted(&["run:git status"], Allow { run: list(&["git", "sh"]), ..Allow::default() });
        assert_eq!(run(&rights, "git status"), "granted");
        assert_eq!(
            run(&rights, "sh -c id"),
            "plugin `acme` may not run `sh -c id`\n  help: the plugin does not say that it needs this: its author has to \
             name `run:sh` in its requests"
        );
        assert!(run(&rights, "git push").contains("its author has to name"));
    }

    #[test]
    fn variables_are_granted_one_by_one() {
        let allow = Allow { run: list(&["git"]), env: list(&["TOKEN"]), ..Allow::default() };
        let rights = granted(&["run:git", "env:TOKEN", "env:OTHER"], allow);
        let with = |name: &str| {
            let command = Command { argv: list(&["git"]), env: vec![(name.to_owned(), "x".to_owned())], cwd: None };
            rights.check(&command).map_err(|denial| Failure::from(denial).to_string())
        };
        assert_eq!(with("TOKEN"), Ok(()));
        assert!(with("OFFLOAD_SLOT").unwrap_err().contains("are for offload itself to set"));
        assert!(with("OTHER").unwrap_err().contains("env = [\"TOKEN\", \"OTHER\"]"));
        assert!(with("LD_PRELOAD").unwrap_err().contains("may not set LD_PRELOAD for `git`"));
        let Environment::Only(names) = rights.environment() else { panic!("nothing is inherited") };
        assert_eq!(names, list(&["PATH", "HOME", "USER", "LANG", "TMPDIR", "TOKEN"]));
    }

    #[test]
    fn what_steers_programs_is_granted_to_be_set() {
        let requests = ["run:git", "env:PATH", "env:TOKEN", "set-env:GIT_DIR", "set-env:PATH", "set-env:MODE"];
        let allow = Allow {
            run: list(&["git"]),
            env: list(&["PATH", "GIT_DIR", "TOKEN"]),
            set_env: list(&["GIT_DIR", "MODE"]),
            ..Allow::default()
        };
        let rights = granted(&requests, allow);
        let set = |name: &str| {
            let command = Command { argv: list(&["git"]), env: vec![(name.to_owned(), "x".to_owned())], cwd: None };
            rights.check(&command).map_err(|denial| Failure::from(denial).to_string())
        };
        assert_eq!((set("TOKEN"), set("GIT_DIR"), set("MODE")), (Ok(()), Ok(()), Ok(())));
        assert!(set("PATH").unwrap_err().contains("set_env = [\"GIT_DIR\", \"MODE\", \"PATH\"]"));
        assert!(set("LD_PRELOAD").unwrap_err().contains("its author has to name `set-env:LD_PRELOAD`"));
    }

    #[test]
    fn a_provider_passes_on_what_offload_tells_tests() {
        let rights = granted(&["run:git"], Allow { run: list(&["git"]), ..Allow::default() });
        let set = |name: &str| {
            let env = vec![(name.to_owned(), "x".to_owned())];
            rights.command(Command { argv: list(&["git"]), env, cwd: None }).is_ok()
        };
        assert!(set("OFFLOAD_SLOT") && set("OFFLOAD_EXEC_ID"));
        assert!(!set("OFFLOAD_CACHE_DIR") && !set("offload_log"));
    }

    #[test]
    fn a_framework_works_below_the_directory_that_is_configured() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        std::fs::create_dir_all(root.join("below")).unwrap();
        std::os::unix::fs::symlink("/etc", root.join("link")).unwrap();
        let requests = vec!["run:git".parse().unwrap()];
        let allow = Allow { run: list(&["git"]), ..Allow::default() };
        let rights = Rights::Granted(Box::new(Granted::new("acme".into(), root.clone(), allow, requests)));
        let works = |cwd: &str| {
            rights.check(&Command { argv: list(&["git"]), env: Vec::new(), cwd: Some(cwd.to_owned()) }).is_ok()
        };
        assert!(works("below") && works("made/later") && works(&root.join("below").display().to_string()));
        assert!(!works("/etc") && !works("../..") && !works("below/../../x") && !works("link"));
        assert!(rights.may_work_in(&root.join("below"), &[&root]).is_ok());
        assert!(rights.may_work_in(&root.join("link"), &[&root]).is_err());
    }

    #[test]
    fn hosts_are_granted_with_their_port() {
        let rights = granted(
            &["net:api.acme.dev:443", "net:b:80"],
            Allow { net: list(&["API.acme.dev:443"]), ..Allow::default() },
        );
        let connect = |host: &str, port| rights.connect(host, port).map_err(|denial| Failure::from(denial).to_string());
        assert_eq!(connect("api.Acme.dev", 443), Ok(()));
        assert!(connect("api.acme.dev", 80).unwrap_err().contains("its author has to name `net:api.acme.dev:80`"));
        assert!(connect("evil.api.acme.dev", 443).is_err());
        assert!(connect("b", 80).unwrap_err().contains("net = [\"API.acme.dev:443\", \"b:80\"]"));
    }

    #[test]
    fn directories_need_both_words() {
        let allow = Allow { read: list(&["./images", "other"]), write: list(&["out"]), ..Allow::default() };
        let rights = granted(&["read:.", "write:elsewhere"], allow);
        let seen = rights.directories();
        assert_eq!(
            seen,
            [
                ("./images", PathBuf::from("/project/./images"), false),
                ("other", PathBuf::from("/project/other"), false)
            ]
        );
    }

    #[test]
    fn all_that_is_asked_for_can_be_granted() {
        let requests = ["run:git status", "env:*", "net:*"].map(|request| request.parse().expect("a request"));
        let rights = Rights::Granted(Box::new(Granted::as_asked("acme".into(), "/project".into(), requests.into())));
        assert_eq!(run(&rights, "git status -s"), "granted");
        assert!(run(&rights, "git push").contains("may not run"), "it was not asked for");
        assert!(rights.connect("example.com", 443).is_ok());
        assert!(rights.directories().is_empty());
    }

    #[test]
    fn files_are_read_where_both_words_allow_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("junit.xml");
        let allow = Allow { read: vec![folder.path().display().to_string()], ..Allow::default() };
        assert!(granted(&[], allow.clone()).may_read(&file, &[]).is_err(), "it was not asked for");
        assert!(granted(&["read:*"], Allow::default()).may_read(&file, &[]).is_err(), "it was not granted");
        assert!(granted(&["read:*"], allow).may_read(&file, &[]).is_ok());
    }

    #[test]
    fn results_are_those_of_the_command() {
        let rights = granted(&[], Allow::default());
        let check = |file: &str| rights.check_results(&list(&[file]), "/tmp/s/1-").is_ok();
        assert!(check("junit.xml") && check("out/junit.xml") && check("/tmp/s/1-junit.xml"));
        assert!(!check("../../etc/passwd") && !check("/etc/passwd") && !check("/tmp/s/1-/../../../etc/passwd"));
    }

    #[test]
    fn links_and_dots_lead_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let [inner, outer] = ["inner", "outer"].map(|name| folder.path().join(name));
        [&inner, &outer].iter().for_each(|path| std::fs::create_dir(path).unwrap());
        std::fs::write(outer.join("secret"), "").unwrap();
        std::os::unix::fs::symlink(&outer, inner.join("link")).unwrap();
        for path in ["link/secret", "../outer/secret", "link", "new/../../outer/secret", "link/new"] {
            assert!(!really_inside(&inner.join(path), &inner), "{path}");
        }
        for path in ["", "new", "new/file"] {
            assert!(really_inside(&inner.join(path), &inner), "{path}");
        }
    }
}

//! The command lines of ssh.

use offload_plugin::process;
use offload_plugin::shell::join;
use offload_plugin::types::{Captured, Command, Failure};

use crate::sandbox::{Connection, Sandbox};
use crate::script;
use crate::settings::Settings;

/// How long a connection outlives its last command, in seconds. It is ended when the run is: this is for the case that nobody
/// is left to do that.
const PERSIST_SECS: u32 = 300;

/// How to run something on a host.
pub struct Client<'a> {
    settings: &'a Settings,
    words: Vec<String>,
}

impl<'a> Client<'a> {
    /// # Errors
    /// `invalid-settings`, where `ssh` is no command line.
    pub fn new(settings: &'a Settings) -> Result<Self, Failure> {
        let words = settings.ssh_words().map_err(|error| Failure::new("invalid-settings", error))?;
        Ok(Self { settings, words })
    }

    /// The words that run a command line of the login shell on a host, over the connection of the run if there is one.
    pub fn words(&self, host: &str, connection: Option<&Connection>, line: &str) -> Vec<String> {
        let mut words = self.words.clone();
        words.extend(self.options(connection));
        words.extend(["--".to_owned(), destination(host), line.to_owned()]);
        words
    }

    /// The same as a line of this machine's shell.
    pub fn line(&self, host: &str, connection: Option<&Connection>, line: &str) -> String {
        join(self.words(host, connection, line))
    }

    /// The same as a command of this machine.
    pub fn command(&self, host: &str, connection: Option<&Connection>, line: &str) -> Command {
        self.started(Command::new(self.words(host, connection, line)))
    }

    /// Runs a line on the host of a sandbox, to its end; what ssh itself says is on its standard error.
    ///
    /// # Errors
    /// ssh could not be started.
    pub fn run_there(&self, sandbox: &Sandbox, line: &str, stdin: &[u8]) -> Result<Captured, Failure> {
        process::capture(&self.explained(&sandbox.host, sandbox.connection.as_ref(), line), stdin)
    }

    /// The same as a command that says on its standard error what ssh writes to a log.
    pub fn explained(&self, host: &str, connection: Option<&Connection>, line: &str) -> Command {
        let line = script::explained(connection.map(Connection::log).as_deref(), self.line(host, connection, line));
        self.started(Command::new(["sh".to_owned(), "-c".to_owned(), line]))
    }

    /// The program alone, for what needs no host.
    pub fn program(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    /// Where commands start on this machine.
    pub fn started(&self, command: Command) -> Command {
        Command { cwd: self.settings.working_dir.clone(), ..command }
    }

    fn options(&self, connection: Option<&Connection>) -> Vec<String> {
        let mut words = vec!["-T".to_owned(), "-x".to_owned()];
        if let Some(config) = &self.settings.config {
            words.extend(["-F".to_owned(), config.clone()]);
        }
        if let Some(identity) = &self.settings.identity {
            words.extend(["-i".to_owned(), identity.clone()]);
        }
        let mut options = vec!["BatchMode=yes".to_owned()];
        match connection {
            Some(connection) => {
                // What ssh says must not be taken for what the tests say. The process that holds the connection goes on
                // writing there, so that the reason of its end is known.
                words.extend(["-E".to_owned(), connection.log()]);
                options.extend([
                    "ControlMaster=auto".to_owned(),
                    format!("ControlPath={}", connection.socket()),
                    format!("ControlPersist={PERSIST_SECS}"),
                ]);
            }
            None => options.extend(["ControlMaster=no".to_owned(), "ControlPath=none".to_owned()]),
        }
        // Of two values ssh takes the first: up to here ours, from here on the person's.
        options.extend(self.settings.options.iter().cloned());
        options.extend([
            format!("ConnectTimeout={}", self.settings.connect_timeout_secs),
            // Fifteen seconds without a sign of life: fewer would take a busy host for a dead one.
            "ServerAliveInterval=5".to_owned(),
            "ServerAliveCountMax=3".to_owned(),
            // What the person's configuration has for sessions of their own.
            "RemoteCommand=none".to_owned(),
            "ClearAllForwardings=yes".to_owned(),
            "PermitLocalCommand=no".to_owned(),
        ]);
        words.extend(options.into_iter().flat_map(|option| ["-o".to_owned(), option]));
        words
    }
}

/// A host as ssh takes it on its command line, which knows a port only in a URI.
fn destination(host: &str) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(before, port)| {
        let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        is_number && (before.ends_with(']') || !before.contains(':'))
    });
    if has_port { format!("ssh://{host}") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_destination(host: &str, expected: &str) {
        assert_eq!(destination(host), expected);
    }

    #[test]
    fn ports_need_a_uri() {
        check_destination("build-1", "build-1");
        check_destination("me@build-1", "me@build-1");
        check_destination("me@build-1:2222", "ssh://me@build-1:2222");
        check_destination("[::1]:2222", "ssh://[::1]:2222");
        check_destination("fe80::1:22", "fe80::1:22");
        check_destination("ssh://build-1:22", "ssh://build-1:22");
    }

    fn words(settings: &str, connection: Option<&Connection>) -> String {
        let settings = offload_plugin::settings::parse(settings).expect("the table has all keys");
        Client::new(&settings).expect("a program").words("h", connection, "echo it's").join(" ")
    }

    #[test]
    fn the_persons_options_win_over_defaults_but_not_over_what_we_rely_on() {
        let settings = r#"{"hosts": ["h"], "ssh": "env A=1 ssh", "config": "my config", "identity": "key",
            "options": ["ServerAliveInterval=1", "ControlPath=/mine"]}"#;
        let connection = Connection { directory: "/tmp/c".to_owned(), position: 3 };
        let words = words(settings, Some(&connection));
        assert!(words.starts_with("env A=1 ssh -T -x -F my config -i key -E /tmp/c/3.log -o "), "{words}");
        assert!(words.ends_with(" -- h echo it's"), "{words}");
        let at = |option: &str| words.find(option).unwrap_or_else(|| panic!("{option} in {words}"));
        assert!(at("ControlPath=/tmp/c/3.socket") < at("ControlPath=/mine"));
        assert!(at("ServerAliveInterval=1") < at("ServerAliveInterval=5"));
    }

    #[test]
    fn without_a_connection_of_the_run_nothing_is_left_of_one() {
        let words = words(r#"{"hosts": ["h"]}"#, None);
        assert!(words.contains("ControlMaster=no") && !words.contains("-E"), "{words}");
    }
}

//! The hosts that `tests/backends/ssh.sh` has started.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Backend;

/// A process that was told to end may need a moment.
const GRACE: Duration = Duration::from_secs(3);

/// Hosts on this machine: each has a TMPDIR of its own, and all have the processes in common.
pub struct SshHosts {
    backend: Backend,
}

impl SshHosts {
    /// Where they do not run, the test has to end.
    #[track_caller]
    pub fn up() -> Option<Self> {
        Backend::of("ssh").map(|backend| Self { backend })
    }

    /// The configuration of ssh by which they are found.
    pub fn config(&self) -> &str {
        self.backend.get("config")
    }

    /// A `[provider]` table with these hosts; more keys may follow.
    pub fn table(&self, hosts: &[&str]) -> String {
        format!("[provider]\ntype = \"ssh\"\nconfig = {:?}\nhosts = {hosts:?}\n", self.config())
    }

    /// The temporary directory of a host.
    pub fn temporary(&self, host: &str) -> PathBuf {
        self.place(host).join("tmp")
    }

    /// Takes a host off the network.
    pub fn cut(&self, host: &str) {
        self.ip(&["-n", &self.namespace(host), "link", "set", "inside", "down"]);
    }

    pub fn mend(&self, host: &str) {
        self.ip(&["-n", &self.namespace(host), "link", "set", "inside", "up"]);
    }

    /// Kills what serves the connections of a host; it goes on taking new ones.
    pub fn sever(&self, host: &str) {
        for process in descendants(self.listener(host)) {
            // The sessions' own processes are none of sshd: those are what is to go on.
            if fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.starts_with("sshd")) {
                let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
            }
        }
    }

    /// Ends sshd of a host, with its connections.
    pub fn stop(&self, host: &str) {
        let listener = self.listener(host);
        self.sever(host);
        kill(Pid::from_raw(listener), Signal::SIGKILL).expect("sshd runs");
    }

    pub fn start(&self, host: &str) {
        let place = self.place(host);
        let status = Command::new("ip")
            .args(["netns", "exec", &self.namespace(host), self.backend.get("sshd"), "-f"])
            .arg(place.join("sshd_config"))
            .arg("-E")
            .arg(place.join("log"))
            .status()
            .expect("ip starts");
        assert!(status.success(), "sshd of {host} could not be started");
    }

    /// Nothing of this run is left on any of the hosts.
    #[track_caller]
    pub fn check_nothing_left(&self, run_id: &str) {
        let begun = Instant::now();
        while !self.processes(run_id).is_empty() && begun.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(20));
        }
        let processes = self.processes(run_id);
        assert!(processes.is_empty(), "processes were left on hosts: {processes:?}");
        let directories = self.directories(run_id);
        assert!(directories.is_empty(), "directories were left on hosts: {directories:?}");
    }

    /// Clears away what offload could not.
    pub fn clear(&self, run_id: &str) {
        for process in self.processes(run_id) {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
        for directory in self.directories(run_id) {
            let _ = fs::remove_dir_all(directory);
        }
    }

    /// The sandboxes of a run that are there, whichever host they are on.
    pub fn directories(&self, run_id: &str) -> Vec<PathBuf> {
        let beginning = format!("offload.{run_id}.");
        let hosts = fs::read_dir(self.backend.get("place")).expect("the hosts have a place");
        let temporary = hosts.flatten().filter_map(|host| fs::read_dir(host.path().join("tmp")).ok());
        let entries = temporary.flat_map(|entries| entries.flatten());
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&beginning))
            .map(|entry| entry.path())
            .collect()
    }

    fn processes(&self, run_id: &str) -> Vec<i32> {
        let place = format!("{}/", self.backend.get("place"));
        let run = format!("/offload.{run_id}.");
        let is_marked = |process: &i32| {
            let environ = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
            let environ = String::from_utf8_lossy(&environ);
            environ.split('\0').any(|variable| {
                let path = variable.strip_prefix("OFFLOAD_SSH_SANDBOX=");
                path.is_some_and(|path| path.starts_with(&place) && path.contains(&run))
            })
        };
        all_processes().filter(is_marked).collect()
    }

    fn listener(&self, host: &str) -> i32 {
        let text = fs::read_to_string(self.place(host).join("pid")).expect("sshd runs");
        text.trim().parse().expect("a process has a number")
    }

    fn place(&self, host: &str) -> PathBuf {
        Path::new(self.backend.get("place")).join(host)
    }

    fn namespace(&self, host: &str) -> String {
        format!("{}-{host}", self.backend.get("namespaces"))
    }

    fn ip(&self, arguments: &[&str]) {
        let status = Command::new("ip").args(arguments).status().expect("ip starts");
        assert!(status.success(), "ip {arguments:?} ended with {status}");
    }
}

fn all_processes() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").expect("there is /proc");
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn descendants(ancestor: i32) -> Vec<i32> {
    let parent = |process: i32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<i32>().ok()
    };
    let children = all_processes().filter(|process| parent(*process) == Some(ancestor));
    children.flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

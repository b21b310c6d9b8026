//! What keeps tests from being run on the hosts.

use offload_plugin::prelude::*;

use crate::complaint::{CHANGED_KEY, in_one_line, lasting_help};
use crate::fleet::{self, Answer, Errand};
use crate::provider::Ssh;
use crate::remote;

impl Doctor for Ssh {
    fn examine(&self) -> Vec<Finding> {
        let Ok(client) = self.client() else { return Vec::new() };
        let mut version = client.program();
        version.push("-V");
        let program = match client.started(Command::new(version)).capture() {
            // It says so on its standard error.
            Ok(finished) if finished.exit == Exit::Code(0) => Finding::ok("ssh", in_one_line(&finished.complaint())),
            Ok(finished) => Finding::problem("ssh", in_one_line(&finished.complaint())).mended_by(INSTALL),
            Err(failure) => Finding::problem("ssh", failure.message).mended_by(INSTALL),
        };
        if program.status != "ok" {
            return vec![program];
        }
        let hosts = &self.settings.hosts;
        let ask = |host| Errand { host, connection: None, line: remote::examine() };
        let errands: Vec<_> = hosts.iter().map(|host| ask(host.as_str())).collect();
        let mut findings = vec![program];
        match fleet::send(&client, &errands) {
            Ok(answers) => findings.extend(hosts.iter().zip(&answers).map(|(host, answer)| finding(host, answer))),
            Err(failure) => findings.push(Finding::problem("hosts", failure.message)),
        }
        findings
    }
}

const INSTALL: &str = "install OpenSSH's client (apt-get install openssh-client), or name the program with `ssh`";

/// What a host answered to `remote::examine`.
fn finding(host: &str, answer: &Answer) -> Finding {
    let subject = format!("host {host}");
    let Some(system) = answer.marked(remote::READY).next() else {
        let said = answer.complaint();
        let remedy = remedy(host, &said);
        return Finding::problem(subject, said).mended_by(remedy);
    };
    let missing: Vec<_> = answer.marked(remote::MISSING).collect();
    if !missing.is_empty() {
        return Finding::problem(subject, format!("{} not there", are(&missing)))
            .mended_by(format!("install on {host}: {}", missing.join(" ")));
    }
    if let Some(place) = answer.marked(remote::UNWRITABLE).next() {
        return Finding::problem(subject, format!("no directory can be made in {place}"))
            .mended_by(format!("make room in it, or have sshd of {host} set another TMPDIR (SetEnv)"));
    }
    Finding::ok(subject, system)
}

fn are(names: &[&str]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

/// The command that mends it, where there is one.
fn remedy(host: &str, said: &str) -> String {
    let name = host.rsplit_once('@').map_or(host, |(_, name)| name);
    if said.contains("Permission denied") {
        format!("ssh-copy-id {host}, or ssh-add if the key has a passphrase")
    } else if said.contains(CHANGED_KEY) {
        format!("ssh-keygen -R {name}, if the host was set up anew; then ssh {host} once by hand")
    } else if said.contains("Host key verification failed") {
        format!("ssh {host} once by hand, to accept its key")
    } else {
        lasting_help(said).map_or_else(|| format!("see whether sshd runs there: ssh -v {host}"), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: i32, said: &str, status: &str, message: &str, remedy: Option<&str>) {
        let found = finding("me@build-1", &Answer { code, said: said.to_owned() });
        assert_eq!((found.status.as_str(), found.message.as_str()), (status, message));
        assert_eq!(found.remedy.as_deref(), remedy);
    }

    #[test]
    fn what_a_host_says_becomes_a_finding() {
        check(0, "Welcome!\noffload-ready Linux x86_64\n", "ok", "Linux x86_64", None);
        let said = "offload-ready Linux x86_64\noffload-missing tar\noffload-missing grep\n";
        check(0, said, "problem", "tar, grep are not there", Some("install on me@build-1: tar grep"));
        let said = "offload-ready Linux\noffload-unwritable /tmp\n";
        let remedy = "make room in it, or have sshd of me@build-1 set another TMPDIR (SetEnv)";
        check(0, said, "problem", "no directory can be made in /tmp", Some(remedy));
        let said = "me@build-1: Permission denied (publickey).";
        check(255, said, "problem", said, Some("ssh-copy-id me@build-1, or ssh-add if the key has a passphrase"));
        let said = "ssh: connect to host build-1 port 22: Connection refused";
        check(255, said, "problem", said, Some("see whether sshd runs there: ssh -v me@build-1"));
        let said = "Host key for x has changed and you have requested strict checking.\nHost key verification failed.";
        let message =
            "Host key for x has changed and you have requested strict checking.; Host key verification failed.";
        let remedy = "ssh-keygen -R build-1, if the host was set up anew; then ssh me@build-1 once by hand";
        check(255, said, "problem", message, Some(remedy));
    }
}

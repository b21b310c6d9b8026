//! Finds what earlier runs left on the hosts.

use offload_plugin::prelude::*;

use crate::complaint::unreachable;
use crate::fleet::{self, Errand};
use crate::provider::Ssh;
use crate::remote;
use crate::sandbox::Sandbox;

impl Reaper for Ssh {
    fn leftovers(&self) -> Result<Vec<Leftover>, Failure> {
        let hosts = &self.settings.hosts;
        let ask = |host| Errand { host, connection: None, line: remote::list() };
        let errands: Vec<_> = hosts.iter().map(|host| ask(host.as_str())).collect();
        let answers = fleet::send(&self.client()?, &errands)?;
        let mut found = Vec::new();
        let mut failures = Vec::new();
        for (host, answer) in hosts.iter().zip(&answers) {
            if answer.code == 0 {
                found.extend(answer.marked(remote::LEFT).filter_map(|line| leftover(host, line)));
            } else {
                failures.push(unreachable(host, &answer.complaint()));
            }
        }
        if failures.len() < hosts.len() {
            failures.iter().for_each(|failure| host::log("warn", &failure.message));
            return Ok(found);
        }
        Err(failures.swap_remove(0))
    }
}

/// What is left of a sandbox, from a line of `remote::list`: when it was made, and its directory.
fn leftover(host: &str, line: &str) -> Option<Leftover> {
    let (created, scratch) = line.split_once(' ')?;
    let (_, name) = scratch.rsplit_once('/')?;
    // As `remote::create` makes it: offload, the run, the sandbox's name in it, and what makes it unlike any other.
    let (run_id, rest) = name.strip_prefix("offload.")?.split_once('.')?;
    rest.rsplit_once('.')?;
    let sandbox = Sandbox {
        host: host.to_owned(),
        scratch: scratch.to_owned(),
        work: scratch.to_owned(),
        connection: None,
        stored: Default::default(),
    };
    Some(Leftover {
        name: sandbox.place(),
        sandbox: sandbox.to_json(),
        run_id: run_id.to_owned(),
        created: created.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_of_which_run_it_is() {
        let line = "1700000000 /tmp/a b/offload.20260101-000000-abcdef.ssh-12.XyZ123";
        let found = leftover("build-1", line).expect("a sandbox");
        assert_eq!(found.run_id, "20260101-000000-abcdef");
        assert_eq!(found.name, "build-1:/tmp/a b/offload.20260101-000000-abcdef.ssh-12.XyZ123");
        assert_eq!(found.created, Some(1_700_000_000));
        let sandbox = Sandbox::from_json(&found.sandbox).expect("a sandbox");
        assert_eq!((sandbox.host.as_str(), sandbox.connection), ("build-1", None));
        assert_eq!(leftover("build-1", "unknown /tmp/offload.r.n.xxxxxx").map(|found| found.created), Some(None));
        assert!(leftover("build-1", "1 /tmp/offload.other").is_none());
    }
}

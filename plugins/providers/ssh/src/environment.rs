//! Configured variables, kept in a file of the sandbox that nobody else can read.
//!
//! What stands on a command line is there for everybody on that machine to read, and a configured variable may be a secret. So
//! `create` sends them once, on standard input, and a command line has only those that the file does not.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use offload_plugin::shell::quote;

/// The file, as a shell reads it.
pub fn file(variables: &[(String, String)]) -> String {
    variables.iter().map(|(name, value)| format!("export {name}={}\n", quote(value))).collect()
}

/// Tells values apart without holding them.
pub fn digests(variables: &[(String, String)]) -> BTreeMap<String, u64> {
    variables.iter().map(|(name, value)| (name.clone(), digest(value))).collect()
}

/// Those variables of a command that the file does not set just so. Of several values the last one counts.
pub fn beyond(stored: &BTreeMap<String, u64>, variables: Vec<(String, String)>) -> Vec<(String, String)> {
    let last: BTreeMap<_, _> = variables.into_iter().collect();
    last.into_iter().filter(|(name, value)| stored.get(name) != Some(&digest(value))).collect()
}

fn digest(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_the_file_sets_is_on_no_command_line() {
        let stored = digests(&pairs(&[("TOKEN", "secret"), ("MODE", "fast")]));
        let given = pairs(&[("TOKEN", "secret"), ("MODE", "fast"), ("MODE", "slow"), ("OFFLOAD_EXEC_ID", "x")]);
        assert_eq!(beyond(&stored, given), pairs(&[("MODE", "slow"), ("OFFLOAD_EXEC_ID", "x")]));
        assert_eq!(beyond(&stored, pairs(&[("TOKEN", "other")])), pairs(&[("TOKEN", "other")]));
    }

    #[test]
    fn a_shell_reads_the_file_back() {
        let nasty = "it's $HOME `id`\n\"\\";
        let script = format!("{}printf %s \"$TOKEN\"", file(&pairs(&[("TOKEN", nasty)])));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().expect("sh starts");
        assert_eq!(String::from_utf8_lossy(&output.stdout), nasty);
    }
}

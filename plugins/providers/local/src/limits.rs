//! What one sandbox may take of this machine: the `limits` key, as files of a cgroup.

use offload_plugin::prelude::*;

/// What all processes of a sandbox may take together. Linux only, where control groups of version 2 may be made.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory: a number with KiB, MiB, GiB or TiB, or millions of bytes.
    #[schemars(regex(pattern = r"^([1-9][0-9]*(KiB|MiB|GiB|TiB)|[1-9][0-9]{6,})$"))]
    pub memory: Option<String>,
    /// Processors, of which a part will do: 1.5.
    #[schemars(range(min = 0.01))]
    pub cpus: Option<f64>,
    /// Processes and threads.
    #[schemars(range(min = 1))]
    pub processes: Option<u32>,
}

/// For how many microseconds processors are given out at once.
const PERIOD: f64 = 100_000.0;

impl Limits {
    /// The controllers that have to be there.
    pub fn controllers(&self) -> Vec<&'static str> {
        let wanted =
            [("memory", self.memory.is_some()), ("cpu", self.cpus.is_some()), ("pids", self.processes.is_some())];
        wanted.into_iter().filter(|(_, is_wanted)| *is_wanted).map(|(name, _)| name).collect()
    }

    /// Files of a cgroup, and what is to be written into them.
    ///
    /// # Errors
    /// `invalid-settings`, for more memory than can be counted.
    pub fn files(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut files = Vec::new();
        if let Some(memory) = &self.memory {
            files.push(("memory.max", bytes(memory)?.to_string()));
            // What must not be had as memory must not be had as swap either.
            files.push(("memory.swap.max", "0".to_owned()));
        }
        files.extend(self.cpus.map(|cpus| ("cpu.max", format!("{:.0} {PERIOD:.0}", (cpus * PERIOD).max(1000.0)))));
        files.extend(self.processes.map(|processes| ("pids.max", processes.to_string())));
        Ok(files)
    }
}

fn bytes(memory: &str) -> Result<u64, Failure> {
    let digits = memory.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let exponent = match &memory[digits.len()..] {
        "" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => 40,
    };
    let bytes = digits.parse().ok().and_then(|number: u64| number.checked_mul(1 << exponent));
    bytes.ok_or_else(|| {
        Failure::new("invalid-settings", format!("{memory:?} of memory is more than can be counted"))
            .with_help("correct memory in [provider.limits]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(json: &str) -> Vec<(&'static str, String)> {
        let limits: Limits = serde_json::from_str(json).expect("limits");
        limits.files().expect("they can be written")
    }

    #[test]
    fn limits_are_files_of_a_cgroup() {
        assert_eq!(
            files(r#"{"memory": "2GiB", "cpus": 1.5, "processes": 200}"#),
            [
                ("memory.max", "2147483648".to_owned()),
                ("memory.swap.max", "0".to_owned()),
                ("cpu.max", "150000 100000".to_owned()),
                ("pids.max", "200".to_owned())
            ]
        );
        assert_eq!(files(r#"{"cpus": 0.001}"#), [("cpu.max", "1000 100000".to_owned())]);
        assert_eq!(files("{}"), []);
    }

    #[test]
    fn memory_is_counted_in_powers_of_two() {
        for (text, expected) in [("7", 7), ("3KiB", 3072), ("5MiB", 5_242_880), ("1TiB", 1_099_511_627_776)] {
            assert_eq!(bytes(text), Ok(expected));
        }
        assert!(bytes("99999999999TiB").is_err());
        assert!(bytes("99999999999999999999999").is_err());
    }

    #[test]
    fn only_what_is_limited_is_needed() {
        let limits: Limits = serde_json::from_str(r#"{"processes": 5, "memory": "1GiB"}"#).expect("limits");
        assert_eq!(limits.controllers(), ["memory", "pids"]);
    }
}

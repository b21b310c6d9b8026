//! What discovery found in each package, so that packages can share a command.

use std::collections::{BTreeMap, BTreeSet};

use offload_plugin::types::Test;
use serde::{Deserialize, Serialize};

use crate::name::TestName;

/// The memo of a discovery: the names of each package's tests.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known(BTreeMap<String, BTreeSet<String>>);

impl Known {
    pub fn of(tests: &[Test]) -> Self {
        let mut known = Self::default();
        for TestName { package, name } in tests.iter().filter_map(|test| TestName::of_id(&test.id)) {
            known.0.entry(package.to_owned()).or_default().insert(name.to_owned());
        }
        known
    }

    /// The packages that can be run by one command: a pattern holds for all of them, so none may have another's name besides
    /// those that are meant. The others have one each.
    pub fn commands<'a>(&self, packages: &'a [(&'a str, Vec<&'a str>)]) -> Vec<Vec<&'a (&'a str, Vec<&'a str>)>> {
        let all: BTreeSet<&str> = packages.iter().flat_map(|(_, names)| names).copied().collect();
        let can_share = |(package, names): &&(&str, Vec<&str>)| {
            let is_meant = |name: &&String| !all.contains(name.as_str()) || names.contains(&name.as_str());
            self.0.get(*package).is_some_and(|known| known.iter().all(|name| is_meant(&name)))
        };
        let (shared, alone): (Vec<_>, Vec<_>) = packages.iter().partition(can_share);
        let shared = (!shared.is_empty()).then_some(shared);
        shared.into_iter().chain(alone.into_iter().map(|package| vec![package])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(known: &Known, packages: &[(&str, Vec<&str>)], expected: &[&[&str]]) {
        let commands = known.commands(packages);
        let commands: Vec<Vec<_>> =
            commands.iter().map(|command| command.iter().map(|(package, _)| *package).collect()).collect();
        assert_eq!(commands, expected);
    }

    #[test]
    fn packages_share_a_command_that_runs_no_more_than_is_meant() {
        let tests = ["m/a.TestA", "m/a.TestB", "m/b.TestA", "m/c.TestC"].map(Test::new);
        let known = Known::of(&tests);
        // Whole packages can always share one.
        check(&known, &[("m/a", vec!["TestA", "TestB"]), ("m/b", vec!["TestA"])], &[&["m/a", "m/b"]]);
        check(&known, &[("m/a", vec!["TestB"]), ("m/c", vec!["TestC"])], &[&["m/a", "m/c"]]);
        check(
            &known,
            &[("m/a", vec!["TestB"]), ("m/b", vec!["TestA"]), ("m/c", vec!["TestC"])],
            &[&["m/b", "m/c"], &["m/a"]],
        );
        // Of packages of which nothing is known each has its own.
        let all = [("m/a", vec!["TestA"]), ("m/b", vec!["TestA"])];
        check(&Known::default(), &all, &[&["m/a"], &["m/b"]]);
    }
}

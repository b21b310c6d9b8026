//! Which tests are in which test group, as `cargo nextest show-config test-groups` tells it:
//!
//! ```text
//! group: serial (max threads = 1)
//!   * override for default profile with filter 'test(device)':
//!       my-crate::it:
//!           device::opens
//! ```

use std::collections::HashMap;

use offload_plugin::types::Failure;

const BINARY: &str = "      ";
const TEST: &str = "          ";

/// The group of each test that is in one, and of each group how many of its tests may run at once.
#[derive(Debug, Default, PartialEq)]
pub struct Groups {
    /// By the test's id.
    of_test: HashMap<String, String>,
    /// As nextest says it: a number, or "num-cpus".
    most: HashMap<String, String>,
}

impl Groups {
    pub fn of_test(&self, id: &str) -> Option<&str> {
        self.of_test.get(id).map(String::as_str)
    }

    /// How many tests of a group may run at once.
    pub fn most(&self, group: &str, cpus: u64) -> Option<u64> {
        let most = self.most.get(group)?;
        if most == "num-cpus" { Some(cpus) } else { most.parse().ok() }
    }
}

/// Reads what nextest printed. Tests that are not `known` must not be there.
///
/// # Errors
/// Something in it is not as expected: what is not understood is not kept either.
pub fn read(text: &str, known: impl Fn(&str) -> bool) -> Result<Groups, Failure> {
    let mut groups = Groups::default();
    let (mut group, mut binary) = (None, None);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("group: ") {
            (group, binary) = (None, None);
            // Those of the group @global are in none.
            if let Some((name, most)) = rest.split_once(" (max threads = ") {
                let most = most.strip_suffix(')').ok_or_else(|| unreadable(line))?;
                groups.most.insert(name.to_owned(), most.to_owned());
                group = Some(name.to_owned());
            }
        } else if let Some(name) = line.strip_prefix(TEST) {
            let id = format!("{} {name}", binary.ok_or_else(|| unreadable(line))?);
            if !known(&id) {
                return Err(unreadable(line));
            }
            if let Some(group) = &group {
                groups.of_test.insert(id, group.clone());
            }
        } else if let Some(id) = line.strip_prefix(BINARY) {
            binary = Some(id.strip_suffix(':').ok_or_else(|| unreadable(line))?);
        }
    }
    Ok(groups)
}

fn unreadable(line: &str) -> Failure {
    let message =
        format!("what cargo-nextest says of its test groups (test-group, threads-required) cannot be read: {line:?}");
    Failure::new("discovery-failed", message).with_help(
        "report this with the output of `cargo nextest show-config test-groups` and `cargo nextest --version`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "group: serial (max threads = 1)\n  * override for default profile with filter 'test(a)':\n      \
        p:\n          tests::a\n      p::it:\n          b c\n  * override for ci profile on platform 'cfg(unix)':\n      p:\n          \
        tests::d\ngroup: many (max threads = num-cpus)\n    (no matches)\ngroup: @global\n  * from default settings:\n      p:\n          \
        tests::e\n";

    #[test]
    fn tests_have_the_group_that_nextest_gives_them() {
        let groups = read(SHOWN, |_| true).expect("it can be read");
        assert_eq!(groups.of_test("p tests::a"), Some("serial"));
        assert_eq!(groups.of_test("p::it b c"), Some("serial"));
        assert_eq!(groups.of_test("p tests::d"), Some("serial"));
        assert_eq!(groups.of_test("p tests::e"), None);
        assert_eq!(
            (groups.most("serial", 8), groups.most("many", 8), groups.most("other", 8)),
            (Some(1), Some(8), None)
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let failure = read(SHOWN, |id| id != "p tests::d").expect_err("a test is unknown");
        assert!(failure.message.contains("test-group") && failure.message.contains("tests::d"), "{}", failure.message);
        assert!(read("          a\n", |_| true).is_err());
        assert!(read("group: a (max threads = 1\n", |_| true).is_err());
        assert_eq!(read("", |_| true), Ok(Groups::default()));
    }
}

//! How tests are called: by us, by nextest's listing and by nextest's events.

use std::fmt;

/// A test as nextest's listing has it. Our id is what nextest shows to people, `my-crate::it tests::works`: binary ids have
/// no spaces, so that the first space is where the test's own name begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestName<'a> {
    /// `package` for the library, `package::name` for a file in tests/, `package::kind/name` for all else.
    pub binary_id: &'a str,
    /// What the test calls itself, with any characters but line breaks.
    pub name: &'a str,
}

impl<'a> TestName<'a> {
    /// Absent for what is no id of ours.
    pub fn of_id(id: &'a str) -> Option<Self> {
        id.split_once(' ').map(|(binary_id, name)| Self { binary_id, name })
    }

    pub fn package(&self) -> &'a str {
        self.binary_id.split_once("::").map_or(self.binary_id, |(package, _)| package)
    }

    /// The name of the target. That of a library cannot be told from its binary id.
    pub fn target(&self) -> Option<&'a str> {
        let (_, target) = self.binary_id.split_once("::")?;
        Some(target.rsplit_once('/').map_or(target, |(_, name)| name))
    }

    /// Whether an event could not tell this test from `other`: events name package, target and test, and a library and a
    /// binary may be called alike.
    pub fn is_confused_with(&self, other: &Self) -> bool {
        let targets_alike = match (self.target(), other.target()) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        targets_alike && self.name == other.name && self.package() == other.package()
    }
}

impl fmt::Display for TestName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.binary_id, self.name)
    }
}

/// A test as nextest's events have it: `package::target$name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventName<'a> {
    pub package: &'a str,
    pub target: &'a str,
    pub name: &'a str,
}

impl<'a> EventName<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let (binary, name) = text.split_once('$')?;
        let (package, target) = binary.split_once("::")?;
        Some(Self { package, target, name })
    }

    /// The name without the number of attempts that nextest appends where there was more than one, and that number.
    pub fn attempts(&self) -> Option<(&'a str, u32)> {
        let (name, attempts) = self.name.rsplit_once('#')?;
        let attempts = attempts.parse().ok().filter(|attempts| *attempts > 1)?;
        Some((name, attempts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, package: &str, target: Option<&str>, name: &str) {
        let test = TestName::of_id(id).expect("it is an id");
        assert_eq!((test.package(), test.target(), test.name), (package, target, name));
        assert_eq!(test.to_string(), id);
    }

    #[test]
    fn takes_ids_apart() {
        check("my-crate tests::works", "my-crate", None, "tests::works");
        check("my-crate::it works", "my-crate", Some("it"), "works");
        check("p::bin/tool a b  c", "p", Some("tool"), "a b  c");
        check("p  lead", "p", None, " lead");
        assert_eq!(TestName::of_id("nothing"), None);
    }

    #[test]
    fn takes_event_names_apart() {
        let name = EventName::parse("p::it$a$b::c").expect("it is a name");
        assert_eq!(name, EventName { package: "p", target: "it", name: "a$b::c" });
        assert_eq!(name.attempts(), None);
        assert_eq!(EventName::parse("p::it$a#2#3").and_then(|name| name.attempts()), Some(("a#2", 3)));
        assert_eq!(EventName::parse("p::it$a#1").and_then(|name| name.attempts()), None);
        assert_eq!(EventName::parse("p::it"), None);
    }

    #[test]
    fn knows_what_events_confuse() {
        let confused = |one, other| {
            let parse = |id| TestName::of_id(id).expect("it is an id");
            parse(one).is_confused_with(&parse(other))
        };
        assert!(confused("p a", "p::bin/p a"));
        assert!(confused("p::x a", "p::bin/x a"));
        assert!(!confused("p::x a", "p::y a"));
        assert!(!confused("p a", "p::bin/p b"));
        assert!(!confused("p a", "q a"));
    }
}

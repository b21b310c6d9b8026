//! How tests are called.

use std::fmt;

/// The prefixes of what `go test` runs as a test: fuzz tests run their seeds.
const PREFIXES: [&str; 3] = ["Test", "Example", "Fuzz"];

/// A test as `go test` knows it. Our id is the function's full name, `example.com/shop/cart.TestTotal`: no identifier has a
/// dot, so that the last one is where the function's own name begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestName<'a> {
    /// The import path.
    pub package: &'a str,
    pub name: &'a str,
}

impl<'a> TestName<'a> {
    /// Absent for what is no id of ours.
    pub fn of_id(id: &'a str) -> Option<Self> {
        let (package, name) = id.rsplit_once('.')?;
        (!package.is_empty() && is_name(name)).then_some(Self { package, name })
    }
}

impl fmt::Display for TestName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.package, self.name)
    }
}

/// Whether a function of this name can be a test: the prefix is followed by nothing or by what is not in lower case.
pub fn is_name(text: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        text.strip_prefix(prefix).is_some_and(|rest| {
            !rest.starts_with(char::is_lowercase)
                && rest.chars().all(|character| character.is_alphanumeric() || character == '_')
        })
    })
}

/// The regular expression by which `go test` runs exactly these. Identifiers mean nothing but themselves in one.
pub fn pattern<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    format!("^({})$", names.into_iter().collect::<Vec<_>>().join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, expected: Option<(&str, &str)>) {
        let name = TestName::of_id(id);
        assert_eq!(name.map(|name| (name.package, name.name)), expected);
        assert!(name.is_none_or(|name| name.to_string() == id));
    }

    #[test]
    fn takes_ids_apart() {
        check("example.com/m/v2.TestA", Some(("example.com/m/v2", "TestA")));
        check("gopkg.in/yaml.v3.Test_größe", Some(("gopkg.in/yaml.v3", "Test_größe")));
        check("m.Fuzz", Some(("m", "Fuzz")));
        check("m.ExampleA_b", Some(("m", "ExampleA_b")));
        check("example.com/m", None);
        check("m.Testing", None);
        check("m.TestA|TestB", None);
        check(".TestA", None);
        check("TestA", None);
    }

    #[test]
    fn patterns_match_whole_names() {
        assert_eq!(pattern(["TestA"]), "^(TestA)$");
        assert_eq!(pattern(["TestA", "ExampleB"]), "^(TestA|ExampleB)$");
    }
}

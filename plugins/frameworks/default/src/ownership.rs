//! Which test a case of a JUnit file belongs to.

use std::collections::HashMap;

use offload_plugin::junit::Case;
use offload_plugin::types::Test;

/// How a case names its test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The id is the case's name, with or without its classname.
    Name,
    /// The id is what holds the case: other cases may belong to it as well.
    Container,
}

/// Finds the owners of many cases in one batch.
pub struct Owners<'a> {
    tests: &'a [Test],
    by_id: HashMap<&'a str, usize>,
    by_file: HashMap<String, Option<usize>>,
    /// Where names are put together, of one case after the other.
    joined: String,
}

impl<'a> Owners<'a> {
    pub fn of(tests: &'a [Test]) -> Self {
        let by_id = tests.iter().enumerate().map(|(index, test)| (test.id.as_str(), index)).collect();
        Self { tests, by_id, by_file: HashMap::new(), joined: String::new() }
    }

    /// The index of the test whose id equals the case's `classname name`, `classname::name`, `classname.name`, its name or
    /// its file; what says more is asked first. Where a case names no such file, the classname and the suite may themselves
    /// be the id: vitest writes the file there, gotestsum the package.
    pub fn find(&mut self, case: &Case) -> Option<(usize, By)> {
        if let Some(index) = self.find_joined(case).or_else(|| self.by_id.get(case.name.as_str()).copied()) {
            return Some((index, By::Name));
        }
        let file = case.file.as_deref().and_then(|file| self.find_file(file));
        let container = file.or_else(|| {
            let names = [case.classname.as_deref(), case.suite.as_deref()];
            names.into_iter().flatten().find_map(|name| self.by_id.get(name).copied())
        });
        container.map(|index| (index, By::Container))
    }

    /// By the classname and the name together.
    fn find_joined(&mut self, case: &Case) -> Option<usize> {
        let classname = case.classname.as_deref()?;
        [" ", "::", "."].iter().find_map(|joint| {
            self.joined.clear();
            self.joined.extend([classname, joint, &case.name]);
            self.by_id.get(self.joined.as_str()).copied()
        })
    }

    /// Tools write absolute paths where ids are relative, and the other way round. Such a path that fits several ids
    /// belongs to none.
    fn find_file(&mut self, file: &str) -> Option<usize> {
        if let Some(known) = self.by_file.get(file) {
            return *known;
        }
        let found = self.by_id.get(file).copied().or_else(|| {
            let mut fitting = self.tests.iter().enumerate().filter(|(_, test)| is_same_file(&test.id, file));
            match (fitting.next(), fitting.next()) {
                (Some((index, _)), None) => Some(index),
                _ => None,
            }
        });
        self.by_file.insert(file.to_owned(), found);
        found
    }
}

fn is_same_file(one: &str, other: &str) -> bool {
    let (one, other) = (one.strip_prefix("./").unwrap_or(one), other.strip_prefix("./").unwrap_or(other));
    let ends_with = |long: &str, short: &str| {
        !short.is_empty() && long.strip_suffix(short).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    ends_with(one, other) || ends_with(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ids: &[&str], case: [&str; 4], expected: Option<(&str, By)>) {
        let tests: Vec<_> = ids.iter().map(|id| Test::new(*id)).collect();
        let [suite, classname, name, file] = case;
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let case = Case {
            suite: some(suite).map(Into::into),
            classname: some(classname),
            name: name.to_owned(),
            file: some(file),
            ..Case::default()
        };
        let found = Owners::of(&tests).find(&case).map(|(index, by)| (ids[index], by));
        assert_eq!(found, expected);
    }

    #[test]
    fn finds_ids_by_name() {
        check(&["a", "b"], ["", "", "b", ""], Some(("b", By::Name)));
        check(&["C b"], ["", "C", "b", ""], Some(("C b", By::Name)));
        check(&["C::b"], ["", "C", "b", ""], Some(("C::b", By::Name)));
        check(&["p.C.b"], ["", "p.C", "b", ""], Some(("p.C.b", By::Name)));
        check(&["b", "C::b"], ["", "C", "b", ""], Some(("C::b", By::Name)));
        check(&["b", "C::b"], ["", "D", "b", ""], Some(("b", By::Name)));
        check(&["a"], ["", "C", "b", "c.js"], None);
    }

    #[test]
    fn finds_ids_by_file() {
        let ids = ["src/a.js", "/work/b.js", "./c.js"];
        check(&ids, ["", "", "t", "src/a.js"], Some(("src/a.js", By::Container)));
        check(&ids, ["", "", "t", "/home/me/src/a.js"], Some(("src/a.js", By::Container)));
        check(&ids, ["", "", "t", "b.js"], Some(("/work/b.js", By::Container)));
        check(&ids, ["", "", "t", "c.js"], Some(("./c.js", By::Container)));
        check(&ids, ["", "", "t", "xsrc/a.js"], None);
        check(&["x/a.js", "y/a.js"], ["", "", "t", "a.js"], None);
        check(&["x/a.js", "a.js"], ["", "", "t", "a.js"], Some(("a.js", By::Container)));
    }

    #[test]
    fn finds_ids_that_hold_cases() {
        check(&["a.test.ts"], ["", "a.test.ts", "adds > one", ""], Some(("a.test.ts", By::Container)));
        check(&["example.org/pkg"], ["example.org/pkg", "pkg", "TestA", ""], Some(("example.org/pkg", By::Container)));
    }
}

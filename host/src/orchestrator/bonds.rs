//! Which tests rely on one another: pure. A framework says so in their tags, the configuration and earlier runs add to it.

use std::collections::{BTreeMap, HashMap};

use crate::model::Test;

/// The tests of this test's unit stay in one process, in their order.
const WHOLE: &str = "unit:whole";

/// The tests of this test's unit share nothing: each has a process of its own anyway.
const FREE: &str = "unit:free";

/// Tests with the same word behind this stay in one process, in their order, whatever their units.
const TOGETHER: &str = "together:";

/// Tells tests that belong together from others, within a run.
pub(super) type UnitKey = u32;

/// What keeps tests together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Bond {
    /// Nothing: they may be anywhere, in any order.
    Free,
    /// They are of one file: taken apart only where that makes the run shorter, and what fails then is looked at again.
    #[default]
    Ordered,
    /// They are never taken apart.
    Whole,
}

/// Where one test belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Counts from 0, in the order in which units first come up.
    pub(super) unit: UnitKey,
    pub(super) bond: Bond,
    /// The stage that it is run in: tests that are never taken apart are run in that of the first of them.
    pub(super) stage: u32,
}

/// The place of each of a group's tests, which are in the framework's order. `keeps_whole` says of a unit whether it is never
/// taken apart for another reason than the tests' own tags.
pub(super) fn places(tests: &[&Test], keeps_whole: impl Fn(&str) -> bool) -> Vec<Place> {
    let mut labels = Labels::default();
    let own: Vec<usize> = tests.iter().map(|test| labels.own(test)).collect();
    let mut is_whole: Vec<bool> = vec![false; labels.parents.len()];
    for (test, label) in tests.iter().zip(&own) {
        is_whole[*label] |= test.tags.iter().any(|tag| tag == WHOLE) || test.unit.as_deref().is_some_and(&keeps_whole);
    }
    // A test that is bound to others leaves its file, unless that is never taken apart.
    let mut of_test = own.clone();
    for (place, test) in tests.iter().enumerate() {
        for name in test.tags.iter().filter_map(|tag| tag.strip_prefix(TOGETHER)) {
            let bound = labels.together(name);
            if is_whole[own[place]] || of_test[place] != own[place] {
                labels.join(of_test[place], bound);
            }
            if !is_whole[own[place]] {
                of_test[place] = bound;
            }
        }
    }
    is_whole.resize(labels.parents.len(), true);
    let whole_roots: Vec<usize> = (0..is_whole.len()).filter(|label| is_whole[*label]).collect();
    for label in whole_roots {
        let root = labels.root(label);
        is_whole[root] = true;
    }
    join_across_stages(tests, &of_test, &mut is_whole, &mut labels);
    let roots: Vec<usize> = of_test.iter().map(|label| labels.root(*label)).collect();
    let (mut keys, mut first_stages) = (HashMap::new(), HashMap::new());
    for (test, root) in tests.iter().zip(&roots) {
        let next = UnitKey::try_from(keys.len()).unwrap_or(UnitKey::MAX);
        keys.entry(*root).or_insert(next);
        first_stages.entry(*root).or_insert(test.stage);
    }
    let place = |(test, root): (&&Test, &usize)| {
        let bond = match is_whole[*root] {
            true => Bond::Whole,
            false if test.tags.iter().any(|tag| tag == FREE) => Bond::Free,
            false => Bond::Ordered,
        };
        let stage = if bond == Bond::Whole { first_stages[root] } else { test.stage };
        Place { unit: keys[root], bond, stage }
    };
    tests.iter().zip(&roots).map(place).collect()
}

/// The order of stages is the suite's own. What is never taken apart and has tests of several stages takes along whatever
/// stands between them.
fn join_across_stages(tests: &[&Test], of_test: &[usize], is_whole: &mut [bool], labels: &mut Labels<'_>) {
    if tests.iter().all(|test| test.stage == 0) {
        return;
    }
    loop {
        let mut spans: BTreeMap<usize, (usize, usize, bool)> = BTreeMap::new();
        for (place, label) in of_test.iter().enumerate() {
            let root = labels.root(*label);
            if is_whole[root] {
                let span = spans.entry(root).or_insert((place, place, false));
                span.2 |= tests[span.0].stage != tests[place].stage;
                span.1 = place;
            }
        }
        let mut changed = false;
        for (root, (first, last, _)) in spans.into_iter().filter(|(_, (_, _, several))| *several) {
            for label in &of_test[first..=last] {
                changed |= labels.root(*label) != labels.root(root);
                labels.join(*label, root);
            }
            let joined = labels.root(root);
            is_whole[joined] = true;
        }
        if !changed {
            return;
        }
    }
}

/// What tests are called together by, joined where a test is called by several (union-find).
#[derive(Default)]
struct Labels<'a> {
    parents: Vec<usize>,
    units: HashMap<&'a str, usize>,
    names: HashMap<String, usize>,
}

impl<'a> Labels<'a> {
    fn new_label(&mut self) -> usize {
        self.parents.push(self.parents.len());
        self.parents.len() - 1
    }

    /// That of the test's unit; one that belongs to no unit is one.
    fn own(&mut self, test: &'a Test) -> usize {
        let Some(unit) = test.unit.as_deref() else { return self.new_label() };
        if let Some(label) = self.units.get(unit) {
            return *label;
        }
        let label = self.new_label();
        self.units.insert(unit, label);
        label
    }

    fn together(&mut self, name: &str) -> usize {
        if let Some(label) = self.names.get(name) {
            return *label;
        }
        let label = self.new_label();
        self.names.insert(name.to_owned(), label);
        label
    }

    fn root(&mut self, label: usize) -> usize {
        let mut root = label;
        while self.parents[root] != root {
            self.parents[root] = self.parents[self.parents[root]];
            root = self.parents[root];
        }
        root
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        // The earlier label stays, so that the result depends on nothing else.
        self.parents[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GroupName;

    fn test(id: &str, unit: &str, tags: &[&str], stage: u32) -> Test {
        Test {
            unit: (!unit.is_empty()).then(|| unit.to_owned()),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            stage,
            ..Test::nameless(GroupName::from("g"), id)
        }
    }

    /// Each test as unit, tags and stage; what is expected as one letter a unit, its bond (`f`, `o`, `w`) and its stage.
    #[track_caller]
    fn check(tests: &[(&str, &[&str], u32)], expected: &str) {
        let tests: Vec<_> = tests.iter().map(|(unit, tags, stage)| test("t", unit, tags, *stage)).collect();
        let places = places(&tests.iter().collect::<Vec<_>>(), |unit| unit == "kept");
        let told: Vec<_> = places
            .iter()
            .map(|place| {
                let letter = char::from(b'a' + u8::try_from(place.unit).expect("few units"));
                let bond = match place.bond {
                    Bond::Free => 'f',
                    Bond::Ordered => 'o',
                    Bond::Whole => 'w',
                };
                format!("{letter}{bond}{}", place.stage)
            })
            .collect();
        assert_eq!(told.join(" "), expected);
    }

    #[test]
    fn a_file_is_a_unit() {
        check(&[("x", &[], 0), ("y", &[], 0), ("x", &[], 0), ("", &[], 0), ("", &[], 0)], "ao0 bo0 ao0 co0 do0");
    }

    #[test]
    fn one_test_can_say_it_for_its_file() {
        check(&[("x", &[], 0), ("x", &["slow", "unit:whole"], 0), ("y", &[], 0)], "aw0 aw0 bo0");
        check(&[("x", &["unit:free"], 0), ("x", &["unit:free"], 0)], "af0 af0");
        check(&[("kept", &["unit:free"], 0), ("kept", &[], 0)], "aw0 aw0");
    }

    #[test]
    fn tests_of_several_files_can_belong_together() {
        let db: &[&str] = &["together:db"];
        check(&[("x", db, 0), ("x", &[], 0), ("y", db, 0), ("y", &[], 0)], "aw0 bo0 aw0 co0");
        // With files that are never taken apart, all of them.
        check(&[("kept", db, 0), ("kept", &[], 0), ("y", db, 0), ("y", &[], 0)], "aw0 aw0 aw0 bo0");
        // A test with two names joins both.
        check(
            &[("x", db, 0), ("y", &["together:net"], 0), ("z", &["together:db", "together:net"], 0), ("z", &[], 0)],
            "aw0 aw0 aw0 bo0",
        );
    }

    #[test]
    fn what_stands_between_stages_comes_along() {
        check(&[("x", &[], 0), ("y", &[], 0), ("x", &[], 1)], "ao0 bo0 ao1");
        check(&[("kept", &[], 0), ("y", &[], 0), ("kept", &[], 1), ("z", &[], 1)], "aw0 aw0 aw0 bo1");
        // That may itself belong to something which reaches further.
        check(
            &[("kept", &[], 0), ("y", &["unit:whole"], 0), ("kept", &[], 1), ("z", &[], 1), ("y", &[], 2)],
            "aw0 aw0 aw0 aw0 aw0",
        );
    }
}

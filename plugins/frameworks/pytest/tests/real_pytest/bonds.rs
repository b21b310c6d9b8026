//! Which tests have to stay together, as far as a suite declares it.

use std::collections::BTreeMap;

use crate::suite::Suite;

/// The tags of each test that are not just the names of its marks, by the part of its id behind the file.
#[track_caller]
fn check(suite: &Suite, expected: &[(&str, &[&str])]) {
    let tests = suite.discover().expect("discovered").tests;
    let found: BTreeMap<_, Vec<_>> = tests
        .into_iter()
        .map(|test| (test.id, test.tags.into_iter().filter(|tag| tag.contains(':')).collect()))
        .collect();
    let expected: BTreeMap<String, Vec<String>> =
        expected.iter().map(|(id, tags)| ((*id).to_owned(), tags.iter().map(ToString::to_string).collect())).collect();
    assert_eq!(found, expected);
}

const WHOLE: &str = "unit:whole";

#[test]
fn files_that_xdist_keeps_together() {
    let file = ("test_a.py", "def test_1(): pass\n");
    for (dist, tags) in [("loadfile", &[WHOLE][..]), ("loadscope", &[WHOLE]), ("load", &[]), ("worksteal", &[])] {
        let suite = Suite::new(&[file]).with("extra_args", vec!["-p", "xdist.plugin", "-n", "2", "--dist", dist]);
        check(&suite, &[("test_a.py::test_1", tags)]);
    }
}

#[test]
fn groups_of_xdist() {
    let source = r#"
import pytest
@pytest.mark.xdist_group("one")
def test_1(): pass
@pytest.mark.xdist_group(name="one")
def test_2(): pass
@pytest.mark.xdist_group
def test_3(): pass
@pytest.mark.xdist_group("b")
@pytest.mark.xdist_group("a")
def test_4(): pass
def test_5(): pass
"#;
    check(
        &Suite::new(&[("test_a.py", source)]),
        &[
            ("test_a.py::test_1", &["together:xdist_group:one"]),
            ("test_a.py::test_2", &["together:xdist_group:one"]),
            ("test_a.py::test_3", &["together:xdist_group:default"]),
            ("test_a.py::test_4", &["together:xdist_group:a_b"]),
            ("test_a.py::test_5", &[]),
        ],
    );
}

#[test]
fn tests_that_depend_on_others() {
    let within = r#"
import pytest
@pytest.mark.dependency
def test_1(): pass
@pytest.mark.dependency(depends=["test_1"])
def test_2(): pass
def test_3(): pass
@pytest.mark.incremental
class TestSteps:
    def test_4(self): pass
"#;
    check(
        &Suite::new(&[("test_a.py", within)]),
        &[
            ("test_a.py::test_1", &[WHOLE]),
            ("test_a.py::test_2", &[WHOLE]),
            ("test_a.py::test_3", &[]),
            ("test_a.py::TestSteps::test_4", &[WHOLE]),
        ],
    );
    let across =
        "import pytest\n@pytest.mark.dependency(depends=['test_a.py::test_1'], scope='session')\ndef test_5(): pass\n";
    let together = &[WHOLE, "together:dependency"][..];
    check(
        &Suite::new(&[("test_a.py", within), ("test_b.py", across)]),
        &[
            ("test_a.py::test_1", together),
            ("test_a.py::test_2", together),
            ("test_a.py::test_3", &[]),
            ("test_a.py::TestSteps::test_4", &[WHOLE]),
            ("test_b.py::test_5", together),
        ],
    );
}

#[test]
fn tests_with_an_order() {
    let first = "import pytest\n@pytest.mark.order(1)\ndef test_1(): pass\ndef test_2(): pass\n";
    let second = "import pytest\n@pytest.mark.order(after='test_c.py::test_4')\ndef test_3(): pass\n";
    let third = "def test_4(): pass\ndef test_5(): pass\n";
    // Without the plugin a mark of that name says nothing.
    let files = [("test_a.py", first), ("test_b.py", second), ("test_c.py", third)];
    let none: &[&str] = &[];
    let names =
        ["test_a.py::test_1", "test_a.py::test_2", "test_b.py::test_3", "test_c.py::test_4", "test_c.py::test_5"];
    check(&Suite::new(&files), &names.map(|name| (name, none)));
    let plugin = [("pytest_order.py", ""), ("conftest.py", "import pytest_order\n")];
    let suite = Suite::new(&[&files[..], &plugin].concat());
    let tags = [&[WHOLE, "together:order"][..], &[], &[WHOLE, "together:order"], &["together:order"], &[]];
    check(&suite, &std::array::from_fn::<_, 5, _>(|number| (names[number], tags[number])));
}

#[test]
fn classes_that_are_set_up_once() {
    let source = r#"
import pytest, unittest
class Plain(unittest.TestCase):
    def test_1(self): pass
class WithClass(unittest.TestCase):
    @classmethod
    def setUpClass(cls): pass
    def test_2(self): pass
class Derived(WithClass):
    def test_3(self): pass
class TestXunit:
    def setup_class(cls): pass
    def test_4(self): pass
class TestMethods:
    def setup_method(self): pass
    def test_5(self): pass
@pytest.fixture(scope="class")
def rows(): return []
class TestRows:
    def test_6(self, rows): pass
"#;
    check(
        &Suite::new(&[("test_a.py", source)]),
        &[
            ("test_a.py::Plain::test_1", &[]),
            ("test_a.py::WithClass::test_2", &[WHOLE]),
            ("test_a.py::Derived::test_2", &[WHOLE]),
            ("test_a.py::Derived::test_3", &[WHOLE]),
            ("test_a.py::TestXunit::test_4", &[WHOLE]),
            ("test_a.py::TestMethods::test_5", &[]),
            ("test_a.py::TestRows::test_6", &[WHOLE]),
        ],
    );
}

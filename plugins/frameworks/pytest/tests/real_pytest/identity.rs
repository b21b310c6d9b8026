//! Every test is found, run and reported under its own name, whatever that is.

use crate::suite::Suite;

/// Parameters as Python writes them, many of which a shell, a parser or a file format would like to interpret.
const PARAMETERS: &[&str] = &[
    r#""""#,
    r#"" ""#,
    r#""two words""#,
    r#""\'""#,
    r#""\"""#,
    r#""a::b""#,
    r#""::""#,
    r#""[""#,
    r#""]""#,
    r#""x[1]y""#,
    r#""$HOME""#,
    r#""$(id)""#,
    r#""`id`""#,
    r#""line\nbreak\r\n""#,
    r#""\N{CRAB}""#,
    r#""{id}""#,
    r#""--maxfail""#,
    r#""-x""#,
    r#""\x1b[31mred""#,
    r#""\x07\x7f\x85""#,
    r#""\0""#,
    r#""\\x00""#,
    r#""\udc80""#,
    r#""\u241b""#,
    r#""\u241b0000""#,
    r#""a/b.py""#,
    r#""\\""#,
    r#""%s%%""#,
    r#""*?""#,
    r#""\ufeff""#,
    r#""tab\tstop""#,
];

fn odd_names() -> Suite {
    let source = format!(
        "import pytest\n\
         @pytest.mark.parametrize(\"value\", [{}])\n\
         def test_value(value, request):\n    assert len(value) % 2 == 0\n",
        PARAMETERS.join(", ")
    );
    Suite::new(&[
        ("pytest.ini", "[pytest]\ndisable_test_id_escaping_and_forfeit_all_rights_to_community_support = true\n"),
        ("my tests/test_odd.py", &source),
    ])
}

#[test]
fn odd_ids_come_back_exactly_and_with_their_own_outcome() {
    let suite = odd_names();
    let found = suite.discover().expect("discovered");
    assert_eq!(found.tests.len(), PARAMETERS.len());
    let statuses = suite.statuses();
    assert_eq!(statuses.len(), PARAMETERS.len());
    for (test, parameter) in found.tests.iter().zip(PARAMETERS) {
        let even = python_length(parameter).is_multiple_of(2);
        assert_eq!(statuses[&test.id], if even { "passed" } else { "failed" }, "{parameter}");
        assert!(!test.id.contains('\0'));
    }
    for id in
        ["[two words]", "[a::b]", "[`id`]", "[$HOME]", "[{id}]", "[\u{1f980}]", "[line\nbreak\r\n]", "[\u{1b}[31mred]"]
    {
        assert!(statuses.contains_key(&format!("my tests/test_odd.py::test_value{id}")), "{id}");
    }
}

/// The length of a literal of [`PARAMETERS`], as Python counts it.
fn python_length(literal: &str) -> usize {
    let mut length = 0;
    let mut rest = literal[1..literal.len() - 1].chars();
    while let Some(character) = rest.next() {
        length += 1;
        if character == '\\' {
            match rest.next() {
                Some('x') => drop(rest.nth(1)),
                Some('u') => drop(rest.nth(3)),
                Some('N') => drop(rest.find(|&end| end == '}')),
                _ => {}
            }
        }
    }
    length
}

#[test]
fn names_are_those_of_pytests_own_junit() {
    let suite = Suite::new(&[
        (
            "pkg/test_a.py",
            r#"
import pytest, unittest
class TestOuter:
    class TestInner:
        @pytest.mark.parametrize("v", ["a::b", "x[1]", "p/q.py", "\x1b", "\0", "two words"])
        def test_deep(self, v): pass
class Case(unittest.TestCase):
    def test_method(self): pass
def test_plain():
    """
    >>> 1 + 1
    2
    """
"#,
        ),
        ("pkg/__init__.py", ""),
        ("docs.txt", ">>> 1\n1\n"),
    ])
    .with("extra_args", vec!["--doctest-modules", "--doctest-glob=*.txt"]);
    suite.write("pytest.ini", "[pytest]\naddopts = --doctest-modules --doctest-glob=*.txt\n");
    let found = suite.discover().expect("discovered");
    let ours: std::collections::BTreeSet<_> = found
        .tests
        .into_iter()
        .map(|test| (test.classname.unwrap_or_default(), test.name.unwrap_or_default()))
        .collect();
    let suite = suite.with("extra_args", Vec::<String>::new());
    let mut theirs = suite.junit_addresses();
    theirs.extend(doctests());
    assert_eq!(ours, theirs);
}

/// The command that writes the JUnit file ignores `addopts`, and so finds no doctests.
fn doctests() -> Vec<(String, String)> {
    vec![("pkg.test_a".into(), "pkg.test_a.test_plain".into()), ("docs.txt".into(), "docs.txt".into())]
}

#[test]
fn a_test_knows_its_file_line_and_markers() {
    let suite = Suite::new(&[(
        "tests/test_a.py",
        "import pytest\npytestmark = pytest.mark.slow\n\n@pytest.mark.net\n@pytest.mark.net\ndef test_one():\n    pass\n",
    )]);
    let test = suite.discover().expect("discovered").tests.remove(0);
    assert_eq!(test.file.as_deref(), Some("tests/test_a.py"));
    assert_eq!(test.unit, test.file);
    assert!(matches!(test.line, Some(4..=6)), "{:?}", test.line);
    assert_eq!(test.tags, ["net", "slow"]);
    assert!(!test.skipped);
}

#[test]
fn inherited_tests_belong_to_the_file_that_collects_them() {
    let suite = Suite::new(&[
        ("base.py", "class Base:\n    def test_inherited(self): pass\n"),
        ("test_a.py", "from base import Base\nclass TestA(Base): pass\n"),
        ("test_b.py", "from base import Base\nclass TestB(Base): pass\n"),
    ]);
    let tests = suite.discover().expect("discovered").tests;
    assert_eq!(
        tests.iter().map(|test| test.unit.as_deref()).collect::<Vec<_>>(),
        [Some("test_a.py"), Some("test_b.py")]
    );
    assert_eq!(tests[0].line, None);
    suite.check_statuses(&[
        ("test_a.py::TestA::test_inherited", "passed"),
        ("test_b.py::TestB::test_inherited", "passed"),
    ]);
}

#[test]
fn tests_with_the_same_id_are_one_test_whose_worst_outcome_counts() {
    let suite = Suite::new(&[
        (
            "conftest.py",
            r#"
import pytest
class Twin(pytest.Item):
    outcomes = [True, False, True]
    def runtest(self):
        assert self.outcomes.pop(0)
class File(pytest.File):
    def collect(self):
        return [Twin.from_parent(self, name="twin") for _ in range(3)]
def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".twins":
        return File.from_parent(parent, path=file_path)
"#,
        ),
        ("a.twins", ""),
    ]);
    suite.check_statuses(&[("a.twins::twin", "failed")]);
}

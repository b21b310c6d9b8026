//! What hooks and tests see of the collection, also in a process that runs a part of it.

use crate::suite::Suite;

const FILES: &[(&str, &str)] = &[
    ("a/test_a.py", "def test_1(): pass\ndef test_2(): pass\n"),
    ("b/test_b.py", "def test_3(): pass\n"),
    ("test_c.py", "def test_4(): pass\ndef test_5(): pass\n"),
];

/// A batch of the last test of all: what it prints of the names of all tests.
#[track_caller]
fn check(more: &[(&str, &str)], arguments: &[&str], expected: &str) {
    let suite = Suite::new(&[FILES, more].concat()).with("extra_args", arguments.to_vec());
    let tests = suite.discover().expect("discovered").tests;
    let outcomes = suite.run(&tests[tests.len() - 1..]).expect("outcomes");
    assert_eq!(outcomes[0].status, "passed", "{outcomes:?}");
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    assert_eq!(outcomes[0].stdout.as_deref().map(str::trim), Some(expected));
}

const PRINT: &str = "\n@pytest.fixture(autouse=True)\ndef seen(): print(*SEEN)\n";

#[test]
fn hooks_see_all_tests() {
    for hook in [
        "pytest_collection_finish(session): SEEN[:] = [it.name for it in session.items]",
        "pytest_collection_modifyitems(items): SEEN[:] = [it.name for it in items]",
        "pytest_itemcollected(item): SEEN.append(item.name)",
    ] {
        let conftest = format!("import pytest\nSEEN = []\ndef {hook}\n{PRINT}");
        check(&[("conftest.py", &conftest)], &[], "test_1 test_2 test_3 test_4 test_5");
    }
}

/// A hook may lie in a directory that is found late.
#[test]
fn hooks_of_a_directory_see_all_tests() {
    let nested =
        "from shared import SEEN\ndef pytest_collection_modifyitems(items): SEEN[:] = [it.name for it in items]\n";
    let conftest = format!("import pytest\nfrom shared import SEEN\n{PRINT}");
    let files = [("shared.py", "SEEN = []\n"), ("conftest.py", &conftest), ("b/conftest.py", nested)];
    check(&files, &[], "test_1 test_2 test_3 test_4 test_5");
}

#[test]
fn what_is_deselected_stays_so() {
    let conftest = format!(
        "import pytest\nSEEN = []\ndef pytest_collection_finish(session): SEEN[:] = [it.name for it in session.items]\n{PRINT}"
    );
    check(&[("conftest.py", &conftest)], &["-k", "not 2 and not 3"], "test_1 test_4 test_5");
}

/// A test that asks for all tests gets them, in the order of a plain run.
#[test]
fn the_list_completes_itself_when_it_is_read() {
    let conftest = "import pytest\n\n@pytest.fixture(autouse=True)\ndef seen(request):\n    session = request.session\n    \
                    print(session.testscollected, *[it.name for it in session.items])\n";
    check(&[("conftest.py", conftest)], &["-k", "not 2"], "4 test_1 test_3 test_4 test_5");
}

/// The order in which hooks put the tests is theirs, and fixtures end as the tests that are run want it.
#[test]
fn fixtures_follow_the_tests_that_run() {
    let conftest = "import pytest\ndef pytest_collection_modifyitems(items): items.reverse()\n";
    let test = "import pytest\nLOG = []\n@pytest.fixture(scope='module')\ndef base():\n    LOG.append('up')\n    yield\n    \
                LOG.append('down')\ndef test_1(base): assert LOG == ['up']\ndef test_2(): pass\ndef test_3(base): assert LOG == ['up']\n";
    let suite = Suite::new(&[("conftest.py", conftest), ("test_a.py", test), ("test_b.py", "def test_4(): pass\n")]);
    suite.check_statuses(&[
        ("test_a.py::test_1", "passed"),
        ("test_a.py::test_2", "passed"),
        ("test_a.py::test_3", "passed"),
        ("test_b.py::test_4", "passed"),
    ]);
}

//! Ids that a shell, an XML writer or a careless parser would trip over.

use std::collections::BTreeMap;

use offload_tests::{DefaultProvider, Finished, Project};

/// What is put between the brackets of `test_it[…]`. Half of the tests fail, so that a swapped result would be seen.
const PARAMETERS: &str = r##"
import pytest

NASTY = [
    "a space", "  two  spaces  ", "single ' quote", 'double " quote', "back`tick`", "$HOME", "$(touch hacked)", "${HOME}",
    "`touch hacked`", "; touch hacked", "| touch hacked", "&& touch hacked", "a::b", "::", "[brackets]", "[", "]", "][",
    "{id}", "{tests}", "{command}", "{{}}", "-leading-dash", "--leading-dashes", "-x", "a\nnewline", "a\ttab", "\r", "emoji 🦀",
    "\u00fcml\u00e4ut", "日本語", "\u202eright to left", "back\\slash", "trailing\\", "*", "?", "~", "#", "!", "%s %d", "a/b/c", "../up",
    "\x01control", "\x1b[31mred", "\x7f", "<tag>", "&amp;", "]]>", "a,b", "a=b", "@file", "%PATH%", "'\"'\"'", "\u2028", "",
    "x" * 3000,
]

@pytest.mark.parametrize("number, text", list(enumerate(NASTY)), ids=NASTY)
def test_it(number, text):
    assert number % 2 == 0, "odd ones fail"
"##;

/// pytest writes what is not ASCII as escapes, unless it is told to leave ids alone.
const RAW: &str = "[pytest]\ndisable_test_id_escaping_and_forfeit_all_rights_to_community_support = true\n";

#[track_caller]
fn check(done: &Finished, plain: &BTreeMap<String, String>) {
    assert!(plain.len() > 50, "{}", plain.len());
    if let Some(differences) = offload_tests::compare(plain, &done.results(), str::to_owned) {
        panic!("{differences}");
    }
}

fn plain(project: &Project) -> BTreeMap<String, String> {
    offload_tests::plain_pytest(&offload_tests::python(), project, ".", &["test_nasty ids.py"])
}

#[test]
fn local() {
    for ini in ["", RAW] {
        let project =
            Project::pytest_with("retry_count = 1", "").file("test_nasty ids.py", PARAMETERS).file("pytest.ini", ini);
        let done = project.run(&[]).exits(1);
        check(&done, &plain(&project));
        assert!(!project.exists("hacked"), "an id was interpreted by a shell");
    }
}

#[test]
fn default_provider() {
    for without_download in [false, true] {
        let project = Project::new().file("test_nasty ids.py", PARAMETERS).file("pytest.ini", RAW);
        let provider = DefaultProvider { without_download, empty: false };
        let table = provider.install(&project);
        let project = project.config(&format!(
            "[offload]\nmax_parallel = 2\nretry_count = 0\n{table}\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n"
        ));
        let done = project.run(&[]).exits(1);
        check(&done, &plain(&project));
        provider.check_nothing_left(&project);
        assert!(!project.exists("hacked"), "an id was interpreted by a shell");
    }
}

/// In a custom group, too: what the discover command prints is one word of the run command each.
#[test]
fn custom_group() {
    let ids = [
        "a space",
        "$HOME",
        "`touch hacked`",
        "; touch hacked",
        "{tests}",
        "{result_file}",
        "-x",
        "it's",
        "\"q\"",
        "🦀",
        "a\nb",
    ];
    let project = Project::new()
        .file("ids.json", serde_json::to_string(&ids).expect("text is JSON"))
        .file(
            "run.py",
            "import sys\nfrom xml.sax.saxutils import quoteattr\n\nwith open(sys.argv[1], 'w', encoding='utf-8') as file:\n    \
             file.write('<testsuite>')\n    for name in sys.argv[2:]:\n        \
             file.write(f'<testcase name={quoteattr(name, {chr(10): \"&#10;\"})}/>')\n    file.write('</testsuite>')\n",
        )
        .config(
            "[provider]\ntype = \"local\"\n[groups.g]\ntype = \"default\"\ndiscover_command = \"cat ids.json\"\n\
             run_command = \"{python} run.py {result_file} {tests}\"\nresult_file = \"junit.xml\"\n",
        );
    let done = project.run(&[]).exits(0);
    let results = done.results();
    let mut found = results.ids();
    let mut expected = ids.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(!project.exists("hacked"), "an id was interpreted by a shell");
}

//! Whatever tests are called and print, the document is valid and its counts are those of its cases.

use std::collections::HashMap;

use proptest::{collection::vec, option, prelude::*, sample::select};
use quick_xml::{Reader, XmlVersion, events::Event as Xml};

use super::{write_junit, xml_text::is_allowed};
use crate::{
    model::{Event, Outcome, Status, Verdict},
    report::{
        results::Results,
        sample::{attempted, started, test},
    },
};

const STATUSES: [Status; 8] = [
    Status::Passed,
    Status::Failed,
    Status::Error,
    Status::Skipped,
    Status::XFailed,
    Status::XPassed,
    Status::Crashed,
    Status::TimedOut,
];

/// Text with more of what is dangerous than chance would give.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        select(vec!["]]>", "<![CDATA[", "&amp;", "\u{1b}[31m", "\u{0}", "\u{fffe}", "\r\n", "\t", "<!--", "\u{1b}]0;"])
            .prop_map(str::to_owned),
    ];
    vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let texts = [option::of(text()), option::of(text()), option::of(text()), option::of(text())];
    let names = [option::of(text()), option::of(text()), option::of(text())];
    (select(STATUSES.to_vec()), any::<f64>(), texts, vec((text(), text()), 0..2), names).prop_map(
        |(status, duration, [message, details, stdout, stderr], properties, [name, classname, file])| Outcome {
            status,
            duration: if duration.abs() < 1e6 { duration } else { f64::NAN },
            message,
            details,
            stdout,
            stderr,
            properties,
            name,
            classname,
            file,
        },
    )
}

fn results(tests: &[(String, Vec<Outcome>, bool)]) -> (tempfile::TempDir, Results) {
    let place = tempfile::tempdir().unwrap();
    let mut results = Results::new(place.path()).unwrap();
    results.apply(&started()).unwrap();
    for (number, (id, outcomes, judged)) in tests.iter().enumerate() {
        let test = test(if number % 3 == 0 { "a\u{1b}<&" } else { "b" }, &format!("{number} {id}"));
        results.apply(&Event::TestDiscovered { test: test.clone() }).unwrap();
        for (number, outcome) in outcomes.iter().enumerate() {
            results.apply(&attempted(&test, number as u32 + 1, "s", outcome.clone(), false)).unwrap();
        }
        if let Some(last) = outcomes.last().filter(|_| *judged) {
            let earlier = outcomes[..outcomes.len() - 1].iter().any(|outcome| outcome.status.is_failure());
            let verdict = Verdict::from_last(last.status, earlier);
            results.apply(&Event::Judged { test, verdict }).unwrap();
        }
    }
    (place, results)
}

#[derive(Default, Debug, PartialEq)]
struct Counted {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    micros: u64,
}

fn micros(time: &str) -> u64 {
    time.replace('.', "").parse().unwrap()
}

fn declared(attributes: &HashMap<String, String>) -> Counted {
    let number = |name: &str| attributes[name].parse().unwrap();
    Counted {
        tests: number("tests"),
        failures: number("failures"),
        errors: number("errors"),
        skipped: number("skipped"),
        micros: micros(&attributes["time"]),
    }
}

/// Reads the document strictly, and gives the names of its cases.
fn check(document: &str) -> Vec<String> {
    assert!(document.chars().all(is_allowed));
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    let (mut path, mut names) = (Vec::<String>::new(), Vec::new());
    let (mut root, mut suite, mut in_suites) = (Counted::default(), Counted::default(), Counted::default());
    let (mut seen, mut marks, mut outs) = (Counted::default(), 0, 0);
    loop {
        match reader.read_event().unwrap() {
            Xml::Start(start) => {
                let attributes: HashMap<String, String> = start
                    .attributes()
                    .map(|attribute| {
                        let attribute = attribute.unwrap();
                        let value = attribute.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned();
                        assert!(value.chars().all(is_allowed));
                        (attribute.key.as_ref().to_owned(), value)
                    })
                    .collect();
                let tag = start.name().as_ref().to_owned();
                let parent = path.last().map(String::as_str);
                match tag.as_str() {
                    "testsuites" => root = declared(&attributes),
                    "testsuite" => {
                        assert_eq!(parent, Some("testsuites"));
                        (suite, seen) = (declared(&attributes), Counted::default());
                    }
                    "testcase" => {
                        (marks, outs) = (0, 0);
                        seen.tests += 1;
                        seen.micros += micros(&attributes["time"]);
                        names.push(attributes["name"].clone());
                    }
                    "failure" => (marks, seen.failures) = (marks + 1, seen.failures + 1),
                    "error" => (marks, seen.errors) = (marks + 1, seen.errors + 1),
                    "skipped" if parent == Some("testcase") => (marks, seen.skipped) = (marks + 1, seen.skipped + 1),
                    "system-out" if parent == Some("testcase") => outs += 1,
                    _ => {}
                }
                path.push(tag);
            }
            Xml::Text(text) => assert!(text.xml10_content().chars().all(is_allowed)),
            Xml::End(end) => {
                assert_eq!(path.pop().as_deref(), Some(end.name().as_ref()));
                match end.name().as_ref() {
                    "testcase" => assert!(marks <= 1 && outs <= 1),
                    "testsuite" => {
                        assert_eq!(seen, suite);
                        in_suites.tests += seen.tests;
                        in_suites.failures += seen.failures;
                        in_suites.errors += seen.errors;
                        in_suites.skipped += seen.skipped;
                        in_suites.micros += seen.micros;
                    }
                    "testsuites" => assert_eq!(in_suites, root),
                    _ => {}
                }
            }
            Xml::Eof => break,
            _ => {}
        }
    }
    assert!(path.is_empty());
    names
}

proptest! {
    #[test]
    fn any_text_gives_a_valid_document(tests in vec((text(), vec(outcome(), 0..3), any::<bool>()), 0..6)) {
        let (_place, results) = results(&tests);
        let mut document = Vec::new();
        write_junit(&results, &mut document).unwrap();
        let names = check(std::str::from_utf8(&document).unwrap());
        prop_assert_eq!(names.len(), tests.len());

        let mut json = Vec::new();
        results.write_json(&mut json).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(json["tests"].as_array().unwrap().len(), tests.len());
        prop_assert_eq!(&json["summary"]["total"], tests.len());
        for (number, (id, ..)) in tests.iter().enumerate() {
            prop_assert_eq!(&json["tests"][number]["id"], &format!("{number} {id}"));
        }
    }
}

/// White space in names survives the reader's normalisation.
#[test]
fn names_come_back_as_they_were() {
    let (_place, results) = results(&[("a\nb\tc  d\r".to_owned(), Vec::new(), false)]);
    let mut document = Vec::new();
    write_junit(&results, &mut document).unwrap();
    assert_eq!(check(std::str::from_utf8(&document).unwrap()), ["0 a\nb\tc  d\r"]);
}

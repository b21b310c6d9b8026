//! What the reader makes of files as tools write them, and of files as they should not be.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;

/// One line for each case, so that a whole report can be compared at a glance.
fn summary(report: &Report) -> String {
    let mut lines = String::new();
    for case in &report.cases {
        let mut parts = vec![format!("{:?} {:?}", case.status, case.name)];
        let mut part = |name: &str, value: &Option<String>| {
            parts.extend(value.as_ref().map(|value| format!("{name}={value:?}")));
        };
        part("classname", &case.classname);
        part("suite", &case.suite.as_deref().map(str::to_owned));
        part("file", &case.file);
        part("kind", &case.kind);
        part("message", &case.message);
        part("details", &case.details);
        part("out", &case.stdout);
        part("err", &case.stderr);
        part("time", &case.time.map(|time| time.to_string()));
        parts.extend(case.properties.iter().map(|(name, value)| format!("{name}:{value}")));
        for rerun in &case.reruns {
            let mut of_it = vec![format!("{:?}", rerun.status)];
            let time = rerun.time.map(|time| time.to_string());
            for (name, value) in [
                ("kind", &rerun.kind),
                ("message", &rerun.message),
                ("details", &rerun.details),
                ("out", &rerun.stdout),
                ("err", &rerun.stderr),
                ("time", &time),
            ] {
                of_it.extend(value.as_ref().map(|value| format!("{name}={value:?}")));
            }
            parts.push(format!("({})", of_it.join(" ")));
        }
        writeln!(lines, "{}", parts.join(" ")).expect("text can be written to");
    }
    lines
}

#[track_caller]
fn check(file: &str, expected: &[&str]) {
    let report = read(file.as_bytes()).expect("the file can be read");
    assert_eq!(summary(&report).lines().collect::<Vec<_>>(), expected);
    assert_eq!(report.truncated, None);
}

#[track_caller]
fn check_truncated(file: &str, expected_cases: &[&str], expected_reason: &str) {
    let report = read(file.as_bytes()).expect("the file can be read");
    assert_eq!(summary(&report).lines().collect::<Vec<_>>(), expected_cases);
    let reason = report.truncated.expect("the file is broken");
    assert!(reason.contains(expected_reason), "{reason}");
}

#[track_caller]
fn check_unreadable(file: &[u8], expected: &str) {
    assert_eq!(read(file).expect_err("the file is no JUnit").to_string(), expected);
}

#[test]
fn reads_either_root_and_nested_suites() {
    check("<testsuite><testcase name='a'/></testsuite>", &[r#"Passed "a""#]);
    check(
        r#"<?xml version="1.0"?><testsuites><testsuite name="outer" file="o.rs"><testsuite name="inner">
           <testcase name="a" time="1,234.5"/></testsuite><testcase name="b" file="b.rs" classname="c"/></testsuite></testsuites>"#,
        &[
            r#"Passed "a" suite="inner" file="o.rs" time="1234.5""#,
            r#"Passed "b" classname="c" suite="outer" file="b.rs""#,
        ],
    );
    check("<testsuites/>", &[]);
    check("\u{feff}<!DOCTYPE x><testsuites></testsuites>\n", &[]);
}

#[test]
fn reads_what_made_a_case_fail() {
    check(
        r#"<testsuite><testcase name="a"><failure message="m &lt; n" type="T">first<![CDATA[ <second> ]]>&amp; third</failure></testcase>
           <testcase name="b"><skipped message="not here"/></testcase>
           <testcase name="c"><error>boom</error></testcase>
           <testcase name="d"><skipped type="pytest.xfail" message="known"/></testcase></testsuite>"#,
        &[
            r#"Failed "a" kind="T" message="m < n" details="first <second> & third""#,
            r#"Skipped "b" message="not here""#,
            r#"Error "c" details="boom""#,
            r#"Skipped "d" kind="pytest.xfail" message="known""#,
        ],
    );
}

#[test]
fn a_case_is_as_bad_as_its_worst_problem() {
    check(
        r#"<testsuite><testcase name="a"><skipped type="S" message="one"/><error type="E" message="two"/><failure type="F" message="three"/></testcase></testsuite>"#,
        &[r#"Error "a" kind="E" message="one\ntwo\nthree""#],
    );
}

#[test]
fn other_attempts_are_told_beside_the_one_that_counts() {
    check(
        r#"<testsuite><testcase name="a"><flakyFailure message="x"><system-out>old</system-out></flakyFailure><system-out>new</system-out></testcase>
           <testcase name="b"><failure message="y"/><rerunFailure message="z">text</rerunFailure><rerunError/></testcase></testsuite>"#,
        &[
            r#"Passed "a" out="new" (Failed message="x" out="old")"#,
            r#"Failed "b" message="y" (Failed message="z" details="text") (Error)"#,
        ],
    );
}

/// As Maven's Surefire writes it, and nextest.
#[test]
fn an_attempt_may_hold_its_trace_and_its_output() {
    check(
        r#"<testsuite><testcase name="a" time="0.5"><flakyError message="x" type="T"><stackTrace><![CDATA[at A.b]]></stackTrace>
           <system-out>one</system-out><system-err>two</system-err> and after</flakyError>
           <flakyFailure time="0.25" timestamp="2026-01-01">text</flakyFailure><system-out>new</system-out></testcase></testsuite>"#,
        &[
            r#"Passed "a" out="new" time="0.5" (Error kind="T" message="x" details="at A.b\n and after" out="one" err="two") (Failed details="text" time="0.25")"#,
        ],
    );
}

#[test]
fn reads_the_encoding_that_it_declares() {
    let head = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>";
    let file = [head.as_bytes(), b"<testsuite><testcase name='Gr\xf6\xdfe'/></testsuite>"].concat();
    assert_eq!(read(&file).expect("the file can be read").cases[0].name, "Größe");
    let file: Vec<u8> = "<testsuite><testcase name='Größe'/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let report = read(&file).expect("the file can be read");
    assert_eq!(report.cases[0].name, "Größe");
    assert!(report.truncated.is_some());
}

#[test]
fn reads_output_and_properties() {
    check(
        r#"<testsuite><properties><property name="suite" value="1"/></properties><testcase name="a">
           <properties><property name="p" value="v"/><property name="q">text</property></properties>
           <system-out>one</system-out><system-out><![CDATA[two]]></system-out><system-err>three &#33;</system-err></testcase>
           <system-out>of the suite</system-out></testsuite>"#,
        &[r#"Passed "a" out="one\ntwo" err="three !" p:v q:text"#],
    );
}

#[test]
fn a_suite_that_breaks_outside_of_its_cases_is_a_case() {
    check(
        r#"<testsuite name="s"><error message="set-up broke"/></testsuite>"#,
        &[r#"Error "s" suite="s" message="set-up broke""#],
    );
}

#[test]
fn some_tools_say_it_by_a_word() {
    check(
        r#"<testsuite><testcase name="a" status="notrun" result="suppressed"/><testcase name="b" status="run" result="completed"/>
           <testcase name="c" status="disabled"/><testcase name="d" status="failed"/></testsuite>"#,
        &[r#"Skipped "a""#, r#"Passed "b""#, r#"Skipped "c""#, r#"Failed "d""#],
    );
}

#[test]
fn is_not_put_off_by_sloppy_text() {
    check(
        "<testsuite><testcase name='a &unknown; & b'><failure>1 & 2 &unknown; \u{1b}[31mred</failure></testcase></testsuite>",
        &[r#"Failed "a &unknown; & b" details="1 & 2 &unknown; \u{1b}[31mred""#],
    );
    let report = read(b"<testsuite><testcase name='\xff\xfe'/></testsuite>").expect("the file can be read");
    assert_eq!(report.cases[0].name, "\u{fffd}\u{fffd}");
}

#[test]
fn keeps_what_is_whole_of_a_broken_file() {
    check_truncated(
        "<testsuite><testcase name='a'/><testcase name='b'><failure>no end",
        &[r#"Passed "a""#],
        "ends before its last element is closed",
    );
    check_truncated("<testsuite><testcase name='a'/><testcase na", &[r#"Passed "a""#], "at byte");
    check_truncated("<testsuite><testcase name='a'/></testcase></testsuite>", &[r#"Passed "a""#], "testcase");
    check_truncated("<testsuite></testsuite>oops", &[], "has text where an element is expected");
    let deep = format!("<testsuite><testcase name='a'/>{}", "<testsuite>".repeat(MAX_DEPTH));
    check_truncated(&deep, &[r#"Passed "a""#], "more than 100 elements");
}

#[test]
fn says_why_a_file_is_not_junit() {
    check_unreadable(b"", "is empty");
    check_unreadable(b" \n ", "is empty");
    check_unreadable(b"{\"json\": true}", "is not JUnit XML: has text where an element is expected (at byte 14)");
    check_unreadable(
        b"<html><body/></html>",
        "is not JUnit XML: has <html> where <testsuites> or <testsuite> is expected (at byte 6)",
    );
    check_unreadable(b"<!-- nothing -->", "is not JUnit XML: holds no element");
}

/// A file of `cases` cases, and where in it each of them ends.
fn file_of(cases: usize) -> (String, Vec<usize>) {
    let mut file = "<?xml version='1.0'?><testsuites><testsuite name='s'>".to_owned();
    let mut ends = Vec::new();
    for number in 0..cases {
        write!(file, "<testcase name='é{number}'><failure><![CDATA[<x>]]>&amp;</failure></testcase>")
            .expect("text can be written to");
        ends.push(file.len());
    }
    file.push_str("</testsuite></testsuites>");
    (file, ends)
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn never_panics_on_markup(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "<testsuite>", "</testsuite>", "<testcase name='a'>", "</testcase>", "<failure message='m'>", "</failure>",
            "<system-out>", "</system-out>", "<![CDATA[", "]]>", "&amp;", "&#0;", "&", "<", ">", "'", "<property/>", "text",
            "<properties>", "<flakyFailure>", "</flakyFailure>", "</system-out>", "<!--", "-->", "<!DOCTYPE", "[", "<?", "/>",
        ]), 0..30)
    ) {
        let _ = read(pieces.concat().as_bytes());
    }

    #[test]
    fn whole_cases_survive_any_truncation(cases in 0_usize..5, cut in any::<prop::sample::Index>()) {
        let (file, ends) = file_of(cases);
        let cut = cut.index(file.len());
        let whole = ends.iter().filter(|end| **end <= cut).count();
        match read(&file.as_bytes()[..cut]) {
            Ok(report) => {
                prop_assert_eq!(report.cases.len(), whole);
                prop_assert!(report.truncated.is_some());
            }
            Err(_) => prop_assert_eq!(whole, 0),
        }
    }
}

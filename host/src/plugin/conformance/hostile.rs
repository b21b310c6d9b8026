//! Input that nobody should be surprised by.

use crate::plugin::bindings::contract::{Captured, Context, Exit, FinishedRun, ResultFile, Test};

/// Ids that a shell, a parser or a careless format would trip over.
pub(super) const IDS: [&str; 14] = [
    "plain",
    "two words",
    "it's",
    "\"quoted\"",
    "$HOME `id` $(id)",
    "a::b[c d]",
    "-x",
    "--option=1",
    "line\nbreak",
    "tab\tand\\backslash",
    "héllo 日本語 🦀",
    "{id} {tests} {command}",
    "a/b/../c",
    "",
];

pub(super) fn context() -> Context {
    Context { scratch: "/tmp/offload-check/s-".to_owned(), nonce: "0f1e2d3c4b5a".to_owned(), attempt: 1, memo: None }
}

pub(super) fn test(id: &str) -> Test {
    Test {
        id: id.to_owned(),
        unit: Some("a unit".to_owned()),
        file: Some("tests/a file.ext".to_owned()),
        line: Some(1),
        name: None,
        classname: None,
        tags: vec!["slow".to_owned()],
        skipped: false,
        stage: u32::MAX,
    }
}

pub(super) fn tests() -> Vec<Test> {
    IDS.iter().filter(|id| !id.is_empty()).map(|id| test(id)).collect()
}

/// Output of a command as it may turn out, and what to call it.
pub(super) fn outputs() -> Vec<(&'static str, Exit, Vec<u8>)> {
    // The same for everybody who checks: what fails here can be tried again.
    let noise: Vec<u8> = (0u32..65_536).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    vec![
        ("no output", Exit::Code(0), Vec::new()),
        ("a failure without output", Exit::Code(1), Vec::new()),
        ("a command that was not found", Exit::Code(127), b"sh: not found\n".to_vec()),
        ("a process that was killed", Exit::Signal(9), b"begun\n".to_vec()),
        ("bytes that are no text", Exit::Code(0), noise),
        ("two MiB of one line", Exit::Code(0), vec![b'x'; 2 << 20]),
        ("a list of ids", Exit::Code(0), IDS.join("\n").into_bytes()),
        ("JSON that is cut off", Exit::Code(0), b"{\"tests\": [{\"id\": \"a\"}, {\"id\": \"b".to_vec()),
        ("JSON of the wrong shape", Exit::Code(0), b"[[[[[[{\"a\": null}, 1e999, \"\\ud800\"]]]]]]\n".to_vec()),
        ("deeply nested JSON", Exit::Code(0), "[".repeat(100_000).into_bytes()),
        ("XML that is cut off", Exit::Code(1), b"<testsuites><testsuite><testcase name=\"plain\"><failure>".to_vec()),
        ("XML with entities", Exit::Code(0), b"<!DOCTYPE a [<!ENTITY b \"c\">]><testsuite>&b;</testsuite>".to_vec()),
    ]
}

/// A finished run with this output, in every file that was asked for, too; or without any file.
pub(super) fn run(exit: Exit, output: &[u8], files: &[String], with_files: bool) -> FinishedRun {
    let contents = with_files.then(|| output.to_vec());
    FinishedRun {
        output: Captured { exit, stdout: output.to_vec(), stderr: output[..output.len().min(4096)].to_vec() },
        files: files.iter().map(|path| ResultFile { path: path.clone(), contents: contents.clone() }).collect(),
    }
}

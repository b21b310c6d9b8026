//! Several hosts at once.

use offload_plugin::types::Failure;

use crate::client::Client;
use crate::complaint::in_one_line;
use crate::sandbox::Connection;
use crate::script;

/// A command line for a host.
pub struct Errand<'a> {
    pub host: &'a str,
    pub connection: Option<Connection>,
    pub line: String,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub code: i32,
    /// Both streams, and what ssh itself said.
    pub said: String,
}

impl Answer {
    /// Why it failed, in one line.
    pub fn complaint(&self) -> String {
        match in_one_line(&self.said) {
            said if said.is_empty() => format!("exit code {}", self.code),
            said => said,
        }
    }

    /// What follows a mark in each line that begins with it.
    pub fn marked<'a>(&'a self, mark: &'a str) -> impl Iterator<Item = &'a str> {
        self.said.lines().filter_map(move |line| line.trim_end().strip_prefix(mark)).map(str::trim_start)
    }
}

/// Runs all errands side by side; the answers are in their order.
///
/// # Errors
/// Nothing could be started on this machine.
pub fn send(client: &Client<'_>, errands: &[Errand<'_>]) -> Result<Vec<Answer>, Failure> {
    let lines: Vec<_> = errands
        .iter()
        .map(|Errand { host, connection, line }| {
            let line = client.line(host, connection.as_ref(), line);
            script::explained(connection.as_ref().map(Connection::log).as_deref(), line)
        })
        .collect();
    let place = errands.iter().find_map(|errand| errand.connection.as_ref()).map(|known| known.directory.as_str());
    let finished = script::side_by_side(client, place, &lines).capture()?;
    let answers: Vec<_> = answers(&finished.stdout).collect();
    if answers.len() == errands.len() {
        return Ok(answers);
    }
    Err(Failure::new("not-started", format!("the hosts could not be asked: {}", finished.complaint()))
        .with_help("the temporary directory of this machine (TMPDIR, or /tmp) must be writable and have room"))
}

fn answers(printed: &[u8]) -> impl Iterator<Item = Answer> {
    let printed = String::from_utf8_lossy(printed).into_owned();
    let texts: Vec<_> = printed.split_terminator('\0').map(str::to_owned).collect();
    texts.into_iter().filter_map(|text| {
        let (code, said) = text.split_once(' ')?;
        Some(Answer { code: code.parse().ok()?, said: said.to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_printed_becomes_answers() {
        let printed = b"0 hello\nmark one\nmark two\r\n\x00255 \x00";
        let answers: Vec<_> = answers(printed).collect();
        assert_eq!(answers.iter().map(|answer| answer.code).collect::<Vec<_>>(), [0, 255]);
        assert_eq!(answers[0].marked("mark").collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(answers[0].complaint(), "hello; mark one; mark two");
        assert_eq!(answers[1].complaint(), "exit code 255");
    }
}

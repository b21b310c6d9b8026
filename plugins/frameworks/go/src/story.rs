//! What of a test's output says why it failed, or was skipped, in one line.

/// What is kept of it.
const LIMIT: usize = 500;

/// Why a test failed. What it printed before and after cannot be told from that, so this is the best guess; the whole text
/// stands in the details.
pub fn why_failed(text: &str) -> Option<String> {
    panic(text)
        .or_else(|| race(text))
        .or_else(|| unmet_example(text))
        .or_else(|| last_log(text, |log| log.file.ends_with("_test.go")))
        .or_else(|| last_log(text, |_| true))
        .or_else(|| last_line(text))
        .map(shortened)
}

/// Why a test was skipped, without the place where it says so.
pub fn why_skipped(text: &str) -> Option<String> {
    let (log, _) = text.lines().filter_map(log).zip(0..).last()?;
    (!log.text.is_empty()).then(|| shortened(log.text.to_owned()))
}

/// The first line of a panic, or of what the runtime ends a process with.
pub fn panic(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("panic: ") || line.starts_with("fatal error: "))?;
    let line = line.trim_end();
    let told_again = [" [recovered]", " [recovered, repanicked]"].iter().find_map(|ending| line.strip_suffix(ending));
    Some(shortened(told_again.unwrap_or(line).to_owned()))
}

/// How go says that a process ended.
pub fn ending(text: &str) -> Option<String> {
    let line = text.lines().rev().find(|line| line.starts_with("exit status ") || line.starts_with("signal: "))?;
    Some(shortened(line.trim_end().to_owned()))
}

/// The last line that says something, at best before it is said that the test failed.
pub fn last_line(text: &str) -> Option<String> {
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with("--- ") && !line.starts_with("FAIL");
    let before = text.split("--- FAIL: ").next().unwrap_or_default();
    let line = [before, text].iter().find_map(|text| text.lines().map(str::trim).rfind(is_said))?;
    Some(shortened(line.to_owned()))
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LIMIT));
    text
}

fn race(text: &str) -> Option<String> {
    let is_race = text.lines().any(|line| line == "WARNING: DATA RACE");
    is_race.then(|| "race detected during execution of test".to_owned())
}

/// What an example printed instead of what its comment says.
fn unmet_example(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("\ngot:\n")?;
    let (got, rest) = rest.split_once("\nwant:\n")?;
    let want = rest.trim_end();
    Some(format!("got {:?}, want {:?}", first_of(got), first_of(want)))
}

fn first_of(lines: &str) -> String {
    match lines.split_once('\n') {
        Some((first, _)) => format!("{first} …"),
        None => lines.to_owned(),
    }
}

/// What a test says by `t.Log` and its relatives: `    cart_test.go:12: total is 3`.
struct Log<'a> {
    place: &'a str,
    file: &'a str,
    text: &'a str,
}

/// It may follow a text without an end.
fn log(line: &str) -> Option<Log<'_>> {
    line.match_indices("    ").find_map(|(at, indent)| log_of(line[at + indent.len()..].trim()))
}

fn log_of(line: &str) -> Option<Log<'_>> {
    let (file, rest) = line.split_once(".go:").map(|(name, rest)| (&line[..name.len() + 3], rest))?;
    let digits = rest.find(|character: char| !character.is_ascii_digit()).filter(|digits| *digits > 0)?;
    let text = rest[digits..].strip_prefix(':')?;
    let place = &line[..line.len() - text.len() - 1];
    (!file.contains(char::is_whitespace)).then(|| Log { place, file, text: text.trim() })
}

fn last_log(text: &str, is_meant: impl Fn(&Log<'_>) -> bool) -> Option<String> {
    let lines: Vec<_> = text.lines().collect();
    let at = lines.iter().rposition(|line| log(line).is_some_and(|log| is_meant(&log)))?;
    let log = log(lines[at])?;
    if !log.text.is_empty() {
        return Some(format!("{}: {}", log.place, log.text));
    }
    let said = asserted(&lines[at + 1..]).or_else(|| lines.get(at + 1).map(|line| line.trim().to_owned()))?;
    Some(format!("{}: {said}", log.place))
}

/// What testify says: the label `Error:` has the reason behind it, which goes on in the lines below.
fn asserted(lines: &[&str]) -> Option<String> {
    let at = lines.iter().position(|line| line.trim_start().starts_with("Error:"))?;
    let reason = lines[at].trim_start().strip_prefix("Error:")?.trim();
    let mut parts = vec![reason];
    if reason.ends_with(':') {
        let rest = lines[at + 1..].iter().map(|line| line.trim());
        parts.extend(rest.take_while(|line| !line.is_empty() && !line.starts_with("Test:")).take(2));
    }
    Some(parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(why_failed(text).as_deref(), expected);
    }

    #[test]
    fn what_a_test_logs_last_is_why() {
        check(
            "    a_test.go:8: set up\nprinted\n    a_test.go:9: one\n        two\n--- FAIL: TestA (0.00s)\n",
            Some("a_test.go:9: one"),
        );
        check("    a_test.go:9: want 1\n    logger.go:146: stopped\n", Some("a_test.go:9: want 1"));
        check("    check.go:9: want 1\n--- FAIL: TestA (0.00s)\n", Some("check.go:9: want 1"));
        check("printed\n--- FAIL: TestA (0.00s)\n", Some("printed"));
        check("--- FAIL: TestA (0.00s)\n", None);
        check("no end--- FAIL: TestA (0.00s)\nother\n", Some("no end"));
        check("no end    a_test.go:9: want 1\n", Some("a_test.go:9: want 1"));
    }

    #[test]
    fn assertions_of_testify_are_read() {
        check(
            "    a_test.go:9: \n        \tError Trace:\t/m/a_test.go:9\n        \tError:      \tNot equal: \n        \t\
             \texpected: 1\n        \t            \tactual  : 2\n        \tTest:       \tTestA\n",
            Some("a_test.go:9: Not equal: expected: 1 actual  : 2"),
        );
        check("    a_test.go:9: \n        \tError:\tShould be true\n", Some("a_test.go:9: Should be true"));
        check("    a_test.go:9: \n        \tsomething\n", Some("a_test.go:9: something"));
    }

    #[test]
    fn panics_races_and_examples_say_it_themselves() {
        check(
            "    a_test.go:9: x\n--- FAIL: TestA (0.00s)\npanic: boom [recovered]\n\tpanic: boom\n\ngoroutine 1",
            Some("panic: boom"),
        );
        check(
            "fatal error: all goroutines are asleep - deadlock!\n",
            Some("fatal error: all goroutines are asleep - deadlock!"),
        );
        check(
            "    a_test.go:9: x\nWARNING: DATA RACE\n    testing.go:1312: race detected during execution of test\n",
            Some("race detected during execution of test"),
        );
        check("--- FAIL: ExampleA (0.00s)\ngot:\na\nb\nwant:\nc\n", Some(r#"got "a …", want "c""#));
    }

    #[test]
    fn skips_have_a_reason() {
        assert_eq!(
            why_skipped("    a_test.go:9: needs docker\n--- SKIP: TestA (0.00s)\n").as_deref(),
            Some("needs docker")
        );
        assert_eq!(why_skipped("    a_test.go:9: \n--- SKIP: TestA (0.00s)\n"), None);
        assert_eq!(why_skipped("--- SKIP: TestA (0.00s)\n"), None);
    }

    #[test]
    fn endings_are_found() {
        assert_eq!(ending("x\nexit status 3\nFAIL\tp\t0.1s\n").as_deref(), Some("exit status 3"));
        assert_eq!(ending("signal: killed\n").as_deref(), Some("signal: killed"));
        assert_eq!(ending("x\n"), None);
    }
}

//! What is made of tests of which go itself does not say how they ended.

use offload_plugin::types::Outcome;

use crate::story;
use crate::test::{RunningTest, State};

/// What is said of a package whose process failed although none of its tests did: that has to count somewhere.
pub fn failed_after(package: &str, text: String) -> Outcome {
    let message =
        format!("the process of {package} failed after its tests had ended, of which none failed: {}", reason(&text));
    let mut outcome = Outcome::new(format!("{package} (process)"), "session-failed").with_message(message);
    outcome.details = (!text.trim().is_empty()).then_some(text);
    outcome
}

/// A test of a package whose process failed before any test began.
pub fn failed_before(test: &RunningTest, package: &str, text: String) -> Outcome {
    let message = format!("the process of {package} failed before its first test: {}", reason(&text));
    error(test, message, text)
}

/// A test of a package whose process succeeded without it.
pub fn passed_over(test: &RunningTest, package: &str) -> Outcome {
    let message = format!(
        "the process of {package} succeeded without running it: its TestMain did not let it, or what was built differs from \
         where the test was discovered"
    );
    error(test, message, String::new())
}

/// The test that a process died of, or was ended in, if one can be made out. Of several that ran beside each other nobody
/// knows whom to blame, unless a trace does: they are handed out again, in smaller batches in the end.
pub fn culprit(tests: &[RunningTest], printed: &str) -> Option<usize> {
    // One that panicked itself is reported as failed, and what ran beside it is not to blame.
    if tests.iter().any(|test| test.has_failed() && story::panic(&test.text()).is_some()) {
        return None;
    }
    let suspects: Vec<_> = (0..tests.len()).filter(|index| is_suspect(&tests[*index])).collect();
    if let [only] = suspects[..] {
        return Some(only);
    }
    let trace = last_words(tests, printed);
    let is_in_trace = |index: &usize| {
        let name = tests[*index].id.rsplit_once('.').map_or("", |(_, name)| name);
        [format!(".{name}("), format!(".{name}.func")].iter().any(|call| trace.contains(call))
    };
    let mut named = suspects.into_iter().filter(is_in_trace);
    named.next().filter(|_| named.next().is_none())
}

/// The outcome of a test whose process died of a panic that was not its own, such as one of a goroutine that it started. Of
/// what ended otherwise the host knows more.
pub fn panicked(culprit: &RunningTest, tests: &[RunningTest], printed: &str) -> Option<Outcome> {
    // Of tests that ran beside each other any may be told to have printed it.
    let text = last_words(tests, printed);
    story::panic(&text).map(|panic| culprit.failed(Some(panic), text))
}

fn is_suspect(test: &RunningTest) -> bool {
    test.state == State::UnderWay && !test.told
}

fn last_words(tests: &[RunningTest], printed: &str) -> String {
    let texts = tests.iter().filter(|test| is_suspect(test)).map(RunningTest::text);
    texts.chain([printed.to_owned()]).collect()
}

fn reason(text: &str) -> String {
    let reason = story::panic(text).or_else(|| story::ending(text)).or_else(|| story::last_line(text));
    reason.unwrap_or_else(|| "it did not say why".to_owned())
}

fn error(test: &RunningTest, message: String, text: String) -> Outcome {
    let mut outcome = Outcome::new(&test.id, "error").with_message(message);
    outcome.duration = test.ending().map_or(0.0, |ending| ending.seconds);
    outcome.details = (!text.trim().is_empty()).then_some(text);
    outcome
}

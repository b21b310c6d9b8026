//! Values that no log and no report may show.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Attempt, BatchEnd, Event, Failure, Outcome};

/// What stands in place of a secret.
const SHOWN: &str = "***";

/// Shorter values would be found in all kinds of words that have nothing to do with them.
const SHORTEST: usize = 6;

/// Names of variables whose values are secrets end in one of these, whatever comes before.
const SECRET_WORDS: [&str; 8] =
    ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS", "KEY"];

/// Finds secret values in text. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Mask(Option<Arc<Finder>>);

#[derive(Debug)]
struct Finder {
    secrets: Vec<Vec<u8>>,
    search: AhoCorasick,
}

impl Mask {
    /// For the values of those variables whose names sound like secrets or are in `named`. Each line of a value is one, too,
    /// since text is often shown line by line.
    pub fn of(variables: &[(String, String)], named: &[String]) -> Self {
        let is_secret = |name: &str| sounds_secret(name) || named.iter().any(|other| other == name);
        let values = variables.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.as_str());
        let lines = values.flat_map(|value| std::iter::once(value).chain(value.lines()));
        let plain = lines.map(str::trim).filter(|text| text.len() >= SHORTEST);
        let mut secrets: Vec<_> = plain.flat_map(spellings).map(String::into_bytes).collect();
        secrets.sort_unstable();
        secrets.dedup();
        if secrets.is_empty() {
            return Self(None);
        }
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&secrets);
        // Only more patterns than fit into memory keep it from being built.
        Self(search.ok().map(|search| Arc::new(Finder { secrets, search })))
    }

    /// The text without secrets.
    pub fn text(&self, text: &mut String) {
        let Some(finder) = &self.0 else { return };
        if text.contains('\x1b') {
            // Colours are taken out of reports later: what they hide must not come to light then.
            let plain = console::strip_ansi_codes(text);
            if finder.search.is_match(&*plain) {
                *text = plain.into_owned();
            }
        }
        if finder.search.is_match(text.as_str()) {
            *text = finder.search.replace_all(text, &vec![SHOWN; finder.secrets.len()]);
        }
    }

    fn optional(&self, text: &mut Option<String>) {
        if let Some(text) = text {
            self.text(text);
        }
    }

    pub fn failure(&self, failure: &mut Failure) {
        self.text(&mut failure.message);
        self.optional(&mut failure.help);
    }

    /// The event without secrets in what people, tests and engines have said. Names and ids stay what they are.
    pub fn event<'e>(&self, event: &'e Event) -> Cow<'e, Event> {
        if self.0.is_none() {
            return Cow::Borrowed(event);
        }
        let mut event = event.clone();
        match &mut event {
            Event::DiscoveryFailed { failure, .. }
            | Event::SandboxFailed { failure, .. }
            | Event::BatchEnded { end: BatchEnd::Failed { failure }, .. } => self.failure(failure),
            Event::BatchEnded { end: BatchEnd::Split { reason: text }, .. }
            | Event::Notice { message: text, .. }
            | Event::Output { line: text, .. } => self.text(text),
            Event::Attempted { attempt: Attempt { outcome, .. }, .. } => self.outcome(outcome),
            _ => {}
        }
        Cow::Owned(event)
    }

    fn outcome(&self, outcome: &mut Outcome) {
        let Outcome { message, details, stdout, stderr, properties, .. } = outcome;
        [message, details, stdout, stderr].into_iter().for_each(|text| self.optional(text));
        properties.iter_mut().for_each(|(_, value)| self.text(value));
    }

    /// A writer that passes on what it is given without secrets.
    pub fn writer<W: Write>(&self, inner: W) -> Masked<W> {
        Masked { inner, mask: self.clone(), held: Vec::new() }
    }
}

/// A value as it is, and as the source text of many languages and JSON would have it.
fn spellings(value: &str) -> [String; 3] {
    let json = serde_json::Value::from(value).to_string();
    [value.to_owned(), json[1..json.len() - 1].to_owned(), value.replace('\\', "\\\\").replace('\'', "\\'")]
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default();
    SECRET_WORDS.iter().any(|word| last == *word || *word != "KEY" && last.ends_with(word)) || last == "APIKEY"
}

/// See [`Mask::writer`]. The beginning of what may become a secret is held back until it is known, at the latest until it
/// is dropped.
#[derive(Debug)]
pub struct Masked<W: Write> {
    inner: W,
    mask: Mask,
    held: Vec<u8>,
}

impl<W: Write> Masked<W> {
    fn pass_on(&mut self, finder: &Finder, is_end: bool) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        let mut passed = 0;
        for found in finder.search.find_iter(&held) {
            self.inner.write_all(&held[passed..found.start()])?;
            self.inner.write_all(SHOWN.as_bytes())?;
            passed = found.end();
        }
        let open = if is_end { 0 } else { finder.open(&held[passed..]) };
        self.inner.write_all(&held[passed..held.len() - open])?;
        self.held = held[held.len() - open..].to_vec();
        Ok(())
    }
}

impl Finder {
    /// How many bytes at the end may be the beginning of a secret.
    fn open(&self, bytes: &[u8]) -> usize {
        let longest = self.secrets.iter().map(Vec::len).max().unwrap_or(0).saturating_sub(1).min(bytes.len());
        let begins = |length: &usize| {
            let end = &bytes[bytes.len() - length..];
            self.secrets.iter().any(|secret| secret.starts_with(end))
        };
        (1..=longest).rev().find(begins).unwrap_or(0)
    }
}

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.mask.0.clone() {
            None => self.inner.write_all(bytes)?,
            Some(finder) => {
                self.held.extend_from_slice(bytes);
                self.pass_on(&finder, false)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Drop for Masked<W> {
    fn drop(&mut self) {
        if let Some(finder) = self.mask.0.clone() {
            // Nobody is left who could be told.
            let _ = self.pass_on(&finder, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask(values: &[&str]) -> Mask {
        let variables: Vec<_> = values.iter().map(|value| ("API_TOKEN".to_owned(), (*value).to_owned())).collect();
        Mask::of(&variables, &[])
    }

    fn written(mask: &Mask, pieces: &[&str]) -> String {
        let mut written = Vec::new();
        let mut writer = mask.writer(&mut written);
        for piece in pieces {
            writer.write_all(piece.as_bytes()).expect("memory can be written to");
        }
        drop(writer);
        String::from_utf8(written).expect("it is text")
    }

    #[test]
    fn names_tell_what_is_secret() {
        for name in ["API_KEY", "token", "GITHUB_TOKEN", "DB_PASSWORD", "PGPASSWORD", "MY-SECRET", "APIKEY"] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["MONKEY", "KEYBOARD", "TOKENIZER", "PATH", "HOME", "KEY_FILE", ""] {
            assert!(!sounds_secret(name), "{name}");
        }
    }

    #[test]
    fn values_are_found_wherever_they_stand() {
        let mask = mask(&["hunter22", "hunter22-long", "short", "first line\nsecond line"]);
        let mut text = "a hunter22-long, hunter22! short\nsecond line".to_owned();
        mask.text(&mut text);
        assert_eq!(text, "a ***, ***! short\n***");
    }

    #[test]
    fn values_are_found_in_quotes_and_colours() {
        let mask = mask(&["it's a \"b\\c\""]);
        for spelt in [r#""it's a \"b\\c\"""#, r#"'it\'s a "b\\c"'"#, "\x1b[1mit's a\x1b[0m \"b\\c\""] {
            let mut text = spelt.to_owned();
            mask.text(&mut text);
            assert!(text.contains("***") && !text.contains("it"), "{spelt}: {text}");
        }
    }

    #[test]
    fn only_what_is_secret_is_masked() {
        let variables = [("PLAIN".to_owned(), "value-1".to_owned()), ("OTHER".to_owned(), "value-2".to_owned())];
        let mut text = "value-1 value-2".to_owned();
        Mask::of(&variables, &["OTHER".to_owned()]).text(&mut text);
        assert_eq!(text, "value-1 ***");
    }

    #[test]
    fn a_secret_that_comes_in_pieces_is_none_the_less() {
        assert_eq!(written(&mask(&["hunter22"]), &["a hun", "te", "r22 b hunter", "33"]), "a *** b hunter33");
        assert_eq!(written(&mask(&["hunter22"]), &["hunter2"]), "hunter2");
        assert_eq!(written(&Mask::default(), &["hunter", "22"]), "hunter22");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in "[ab]{0,40}", cuts in prop::collection::vec(0usize..40, 0..6)) {
            let mask = mask(&["aabbab"]);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let mut whole = text.clone();
            mask.text(&mut whole);
            prop_assert_eq!(written(&mask, &pieces), whole);
        }
    }
}

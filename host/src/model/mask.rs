//! Values that no log and no report may show.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::{Attempt, BatchEnd, Event, Failure, Outcome};

/// What stands in place of a secret.
const SHOWN: &str = "***";

/// Shorter values would be found in all kinds of words that have nothing to do with them.
const SHORTEST: usize = 6;

/// Names of variables whose values are secrets end in one of these, whatever comes before.
const SECRET_WORDS: [&str; 8] =
    ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS", "KEY"];

/// Others that such a name ends in, as a word of its own: of personal access tokens, among others.
const SHORT_WORDS: [&str; 3] = ["APIKEY", "PAT", "JWT"];

/// What follows the word for a secret where the value is none, but says where one is or how it is called.
const SAYS_WHERE: [&str; 7] = ["FILE", "PATH", "DIR", "NAME", "ID", "ARN", "VERSION"];

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
        let in_addresses = variables.iter().filter_map(|(_, value)| password(value));
        let lines = values.chain(in_addresses).flat_map(|value| std::iter::once(value).chain(value.lines()));
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

    /// For these variables, and for those of this process: tests of this machine, discovery and the programs of providers find them
    /// as well.
    pub fn with_own(variables: &[(String, String)], named: &[String]) -> Self {
        let own =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::of(&variables.iter().cloned().chain(own).collect::<Vec<_>>(), named)
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

    pub fn outcome(&self, outcome: &mut Outcome) {
        let Outcome { message, details, stdout, stderr, properties, .. } = outcome;
        [message, details, stdout, stderr].into_iter().for_each(|text| self.optional(text));
        properties.iter_mut().for_each(|(_, value)| self.text(value));
    }

    /// A writer that passes on what it is given without secrets.
    pub fn writer<W: Write>(&self, inner: W) -> Masked<W> {
        Masked { inner, mask: self.clone(), held: Vec::new() }
    }
}

/// A value as it is, as the source text of many languages and JSON would have it, in an address, and in base64.
fn spellings(value: &str) -> Vec<String> {
    let json = serde_json::Value::from(value).to_string();
    let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
    let mut spellings = vec![value.to_owned(), json[1..json.len() - 1].to_owned(), quoted];
    spellings.extend([true, false].map(|upper| in_address(value, upper)));
    for bytes_before in 0..3 {
        spellings.extend(in_base64(value, bytes_before).into_iter().filter(|text| text.len() >= SHORTEST));
    }
    spellings
}

/// With what may not stand in an address as `%` and two digits (RFC 3986, 2.1).
fn in_address(value: &str, upper: bool) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ if upper => text += &format!("%{byte:02X}"),
            _ => text += &format!("%{byte:02x}"),
        }
    }
    text
}

/// In both alphabets, as far as it does not depend on what stands before and behind it: a user's name and a colon, for example.
fn in_base64(value: &str, bytes_before: usize) -> [String; 2] {
    let bytes = [&[0; 2][..bytes_before], value.as_bytes()].concat();
    // A character is six bits.
    let (from, to) = ((8 * bytes_before).div_ceil(6), 8 * bytes.len() / 6);
    [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|alphabet| alphabet.encode(&bytes)[from..to].to_owned())
}

/// The password in an address such as `postgres://user:password@host/`.
fn password(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    Some(user.split_once(':')?.1)
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<_> = name.split(['_', '-', '.']).collect();
    let last = words.last().copied().unwrap_or_default();
    let is_word = |word: &str, text: &str| text == word || word != "KEY" && text.ends_with(word);
    // `SECRET_KEY_BASE` is one, and `SECRET_FILE` says where one is.
    let says_where = SAYS_WHERE.contains(&last);
    SECRET_WORDS.iter().any(|word| is_word(word, last))
        || SHORT_WORDS.contains(&last)
        || (!says_where && words.iter().any(|text| ["SECRET", "PASSWORD", "PASSPHRASE"].contains(text)))
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
        // A secret may be the beginning of a longer one, of which the rest is still to come.
        let known = if is_end { held.len() } else { held.len() - finder.open(&held) };
        for found in finder.search.find_iter(&held).take_while(|found| found.start() < known) {
            self.inner.write_all(&held[passed..found.start()])?;
            self.inner.write_all(SHOWN.as_bytes())?;
            passed = found.end();
        }
        let end = if passed <= known { known } else { held.len() - finder.open(&held[passed..]) };
        self.inner.write_all(&held[passed..end])?;
        self.held = held[end..].to_vec();
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
        for name in [
            "API_KEY",
            "token",
            "GITHUB_TOKEN",
            "DB_PASSWORD",
            "PGPASSWORD",
            "MY-SECRET",
            "APIKEY",
            "SECRET_KEY_BASE",
            "GH_PAT",
        ] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["MONKEY", "KEYBOARD", "TOKENIZER", "PATH", "HOME", "KEY_FILE", "SECRET_FILE", "COMPAT", ""] {
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
    fn values_are_found_in_addresses_and_base64() {
        let mask = mask(&["p@ss w/rd+é?", "hunter22-and-more"]);
        let basic =
            |user: &str| base64::engine::general_purpose::STANDARD.encode(format!("{user}:hunter22-and-more:x"));
        for spelt in ["p%40ss%20w%2Frd%2B%C3%A9%3F".to_owned(), basic("me"), basic("you"), basic("them")] {
            let mut text = format!("a {spelt} b");
            mask.text(&mut text);
            assert!(text.contains("***") && text.len() < spelt.len(), "{spelt}: {text}");
        }
    }

    #[test]
    fn passwords_of_addresses_are_secret() {
        let variables = [("DATABASE_URL".to_owned(), "postgres://me:s3cr3t-word@db:5432/x?a=b@c".to_owned())];
        let mut text = "postgres://me:s3cr3t-word@db, https://db/@x".to_owned();
        Mask::of(&variables, &[]).text(&mut text);
        assert_eq!(text, "postgres://me:***@db, https://db/@x");
        for none in ["https://db/x", "me:word@db", "https://me@db", "https://db/a:b@c"] {
            assert_eq!(password(none), None, "{none}");
        }
    }

    #[test]
    fn the_longest_secret_counts_also_in_pieces() {
        let mask = mask(&["hunter22", "hunter22-long"]);
        assert_eq!(written(&mask, &["a hunter22", "-long b hunter22", "-lo", "!"]), "a *** b ***-lo!");
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
            let mask = mask(&["aabbab", "aabbabbbb", "babaab"]);
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

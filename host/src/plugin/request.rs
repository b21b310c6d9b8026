//! What a component says that it needs, such as "run:docker" or "net:api.example.com:443".

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// The kinds of things that there are grants for.
const KINDS: [&str; 6] = ["run", "env", "set-env", "net", "read", "write"];

/// One of the `requests` of a component. `*` after the colon stands for all of a kind: which of them is then the choice of
/// whoever grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    kind: &'static str,
    what: String,
    /// The words of a request to run something.
    words: Vec<String>,
}

impl Request {
    /// "run", "env", "set-env", "net", "read" or "write".
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The program, variable, host or directory; `None` stands for any.
    pub fn what(&self) -> Option<&str> {
        (self.what != "*").then_some(self.what.as_str())
    }

    pub(super) fn is_any(&self, kind: &str) -> bool {
        self.kind == kind && self.what == "*"
    }

    pub(super) fn is(&self, kind: &str, what: &str) -> bool {
        self.kind == kind && (self.what == "*" || self.what == what)
    }

    /// The program and the arguments that must come first.
    pub(super) fn run(&self) -> Option<&[String]> {
        (self.kind == "run" && self.what != "*").then_some(self.words.as_slice())
    }

    pub(super) fn net(&self) -> Option<&str> {
        (self.kind == "net").then_some(self.what.as_str())
    }

    pub(super) fn path(&self, kind: &str) -> Option<&str> {
        (self.kind == kind).then_some(self.what.as_str())
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.what)
    }
}

impl FromStr for Request {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, what) = text.split_once(':').unwrap_or((text, ""));
        let Some(kind) = KINDS.into_iter().find(|known| *known == kind) else {
            return Err(format!(
                "asks for {text:?}, which is none of {}",
                KINDS.map(|kind| format!("{kind}:…")).join(", ")
            ));
        };
        if what.is_empty() {
            return Err(format!("asks for {text:?}, which names nothing after the colon"));
        }
        let words = if kind == "run" { shell_words::split(what).unwrap_or_default() } else { Vec::new() };
        if kind == "run" && words.is_empty() {
            return Err(format!("asks for {text:?}, which is no command"));
        }
        Ok(Self { kind, what: what.to_owned(), words })
    }
}

/// Whether the directory `path` is `of` or in it, as both are written.
pub(super) fn covers(of: &str, path: &str) -> bool {
    match (plain(of), plain(path)) {
        (Some(of), Some(path)) => path.is_absolute() == of.is_absolute() && path.starts_with(of),
        _ => false,
    }
}

/// Without `.` and `..`; nothing for a path that leaves where it starts.
fn plain(path: &str) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for step in Path::new(path).components() {
        match step {
            Component::CurDir => {}
            Component::ParentDir if plain.pop() => {}
            Component::ParentDir => return None,
            other => plain.push(other),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        let request: Request = "net:api.example.com:443".parse().unwrap();
        assert_eq!((request.kind(), request.what()), ("net", Some("api.example.com:443")));
        assert_eq!("run:*".parse::<Request>().unwrap().what(), None);
        assert_eq!("run:git 'a b'".parse::<Request>().unwrap().run().unwrap(), ["git", "a b"]);
        for (text, why) in [
            ("fly:moon", "is none of run:…, env:…, set-env:…"),
            ("run", "names nothing after the colon"),
            ("run:'", "is no command"),
            ("env:", "names nothing"),
        ] {
            assert!(text.parse::<Request>().unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn a_directory_covers_what_is_in_it() {
        for (of, path, expected) in [
            (".", "./images", true),
            ("images", "./images/deep", true),
            ("./images", "images", true),
            ("images", "images-2", false),
            ("images", "images/../other", false),
            (".", "../outside", false),
            (".", "/etc", false),
            ("/data", "/data/x", true),
        ] {
            assert_eq!(covers(of, path), expected, "{of} {path}");
        }
    }
}

//! What is wrong with a configuration, shown in place.

use std::{error::Error, fmt, io, ops::Range, sync::Arc};

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// Everything that is wrong with a configuration, in the order of the file.
///
/// As text it is the first problem only, a fragment that fits after "failed to …". As a [`miette::Diagnostic`] it shows
/// every problem with its line of the file and what to do. Expanded values of variables are never part of it.
#[derive(Debug)]
pub struct ConfigError(Box<Content>);

#[derive(Debug)]
struct Content {
    file: Option<NamedSource<Arc<str>>>,
    first: Problem,
    rest: Vec<Problem>,
    cause: Option<io::Error>,
}

impl ConfigError {
    pub(super) fn new(problem: Problem) -> Self {
        Self(Box::new(Content { file: None, first: problem, rest: Vec::new(), cause: None }))
    }

    /// All of the problems as one error, if there are any.
    pub(super) fn unless_none(mut problems: Vec<Problem>) -> Result<(), Self> {
        problems.sort_by_key(Problem::offset);
        let mut problems = problems.into_iter();
        match problems.next() {
            Some(first) => Err(Self(Box::new(Content { file: None, first, rest: problems.collect(), cause: None }))),
            None => Ok(()),
        }
    }

    pub(super) fn in_file(mut self, name: &str, text: &Arc<str>) -> Self {
        self.0.file = Some(NamedSource::new(name, Arc::clone(text)).with_language("toml"));
        self
    }

    pub(super) fn caused_by(mut self, cause: io::Error) -> Self {
        self.0.cause = Some(cause);
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.first.fmt(f)
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.first.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.file.as_ref().map(|file| file as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.first.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.rest.iter().map(|problem| problem as _)))
    }
}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Problem {
    message: String,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), labels: Vec::new(), help: None }
    }

    /// Points at a place, if it is known: a configuration that was built in code has none.
    pub(super) fn at(mut self, place: Option<Range<usize>>, label: impl Into<String>) -> Self {
        self.labels.extend(place.map(|place| LabeledSpan::new_with_span(Some(label.into()), place)));
        self
    }

    pub(super) fn with_help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    fn offset(&self) -> usize {
        self.labels.iter().map(LabeledSpan::offset).min().unwrap_or_default()
    }
}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }
}

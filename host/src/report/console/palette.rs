//! Colours by meaning. Everything is readable without them.

use std::fmt::Display;

use console::{Style, StyledObject};

use crate::model::Verdict;

#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Palette {
    colour: bool,
}

impl Palette {
    /// Colour where standard error takes it; `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` decide as documented for them.
    pub fn detect() -> Self {
        Self { colour: console::colors_enabled_stderr() }
    }

    #[cfg(test)]
    pub fn plain() -> Self {
        Self { colour: false }
    }

    pub fn good<D: Display>(self, text: D) -> StyledObject<D> {
        self.paint(Style::new().green().bold(), text)
    }

    pub fn bad<D: Display>(self, text: D) -> StyledObject<D> {
        self.paint(Style::new().red().bold(), text)
    }

    pub fn warn<D: Display>(self, text: D) -> StyledObject<D> {
        self.paint(Style::new().yellow().bold(), text)
    }

    pub fn dim<D: Display>(self, text: D) -> StyledObject<D> {
        self.paint(Style::new().dim(), text)
    }

    pub fn strong<D: Display>(self, text: D) -> StyledObject<D> {
        self.paint(Style::new().bold(), text)
    }

    pub fn verdict<D: Display>(self, verdict: Verdict, text: D) -> StyledObject<D> {
        match verdict {
            Verdict::Passed => self.good(text),
            Verdict::Flaky => self.warn(text),
            Verdict::Skipped | Verdict::XFailed | Verdict::XPassed => self.paint(Style::new().cyan(), text),
            Verdict::Failed | Verdict::Error | Verdict::Crashed | Verdict::TimedOut | Verdict::NotRun => self.bad(text),
        }
    }

    fn paint<D: Display>(self, style: Style, text: D) -> StyledObject<D> {
        style.force_styling(self.colour).apply_to(text)
    }
}

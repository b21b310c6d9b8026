//! The end of a run: what failed and why, the sum of it, and where the files are.

use std::{io, path::Path};

use super::{
    detail::detail,
    live::headline,
    palette::Palette,
    phrases::{counted, duration, label, path, test},
    screen::Screen,
};
use crate::{
    model::{ExitCode, Summary, Test, Verdict},
    report::{
        Written,
        results::{Record, Results, Texts},
    },
};

/// Failures that are shown in full. Whoever has more of them reads the JUnit file.
const MOST_IN_FULL: usize = 100;

/// Flaky tests, and tests that were not run, that are named.
const MOST_FLAKY: usize = 50;
const MOST_NOT_RUN: usize = 10;

pub(super) struct Closing<'a> {
    pub results: &'a Results,
    pub output_dir: &'a Path,
    pub written: &'a Written,
    pub palette: Palette,
    /// Errors that were told when they came and scrolled away since.
    pub notices: &'a [String],
}

impl Closing<'_> {
    pub fn show(&self, screen: &mut Screen, exit: ExitCode, seconds: f64, summary: &Summary) -> io::Result<()> {
        let shown = self.failures(screen).and(self.flaky(screen));
        self.not_run(screen);
        if !self.notices.is_empty() {
            self.heading(screen, "errors");
            for notice in self.notices {
                screen.line(&format!("{} {notice}", self.palette.bad("error:")));
            }
        }
        screen.take_commands();
        screen.line("");
        screen.line(&self.sum(exit, seconds, summary));
        screen.line(&self.files());
        shown
    }

    fn failures(&self, screen: &mut Screen) -> io::Result<()> {
        let failures = || self.of(|verdict| verdict.is_bad() && verdict != Verdict::NotRun);
        if failures().next().is_none() {
            return Ok(());
        }
        self.heading(screen, "failures");
        let mut read = Ok(());
        for (number, (of, record)) in failures().take(MOST_IN_FULL).enumerate() {
            if number > 0 {
                screen.line("");
            }
            let texts = match record.deciding().map_or_else(|| Ok(Texts::default()), |last| self.results.texts(last)) {
                Ok(texts) => texts,
                // Still named; the error is told by whoever called.
                Err(error) => {
                    read = Err(error);
                    Texts::default()
                }
            };
            screen.raw(&detail(of, record, &texts, self.output_dir, self.several_groups(), self.palette));
        }
        if let Some(more) = failures().count().checked_sub(MOST_IN_FULL).filter(|more| *more > 0) {
            let file = self.written.junit.as_deref().or(self.written.results.as_deref()).unwrap_or(self.output_dir);
            screen.line("");
            screen.line(&format!("… and {}, all of them in {}", counted(more, "more failure"), path(file)));
        }
        read
    }

    fn flaky(&self, screen: &mut Screen) -> io::Result<()> {
        let flaky = || self.of(|verdict| verdict == Verdict::Flaky);
        if flaky().next().is_none() {
            return Ok(());
        }
        self.heading(screen, "flaky tests, which failed and then passed");
        for (of, record) in flaky().take(MOST_FLAKY) {
            let failed: Vec<_> = record.attempts.iter().filter(|attempt| attempt.status.is_failure()).collect();
            let message = match failed.first() {
                Some(first) => self.results.texts(first)?.message.unwrap_or_default(),
                None => String::new(),
            };
            let counts = format!(" (failed {} of {})", failed.len(), counted(record.attempts.len(), "attempt"));
            let message = if message.is_empty() { message } else { format!(" - {}", headline(&message)) };
            screen.line(&format!("{}{}{}", self.named(Verdict::Flaky, of), self.palette.dim(counts), message));
        }
        self.more(screen, flaky().count(), MOST_FLAKY);
        Ok(())
    }

    fn not_run(&self, screen: &mut Screen) {
        let not_run = || self.of(|verdict| verdict == Verdict::NotRun);
        let count = not_run().count();
        if count == 0 {
            return;
        }
        self.heading(screen, &format!("{} had no result when the run ended", counted(count, "test")));
        for (of, _) in not_run().take(MOST_NOT_RUN) {
            screen.line(&self.named(Verdict::NotRun, of));
        }
        self.more(screen, count, MOST_NOT_RUN);
    }

    /// "26948 tests: 26940 passed, 3 flaky, 5 failed in 34.2s".
    fn sum(&self, exit: ExitCode, seconds: f64, summary: &Summary) -> String {
        let total = counted(summary.total(), "test");
        let counts: Vec<String> = Verdict::ALL
            .into_iter()
            .filter(|verdict| summary.count(*verdict) > 0)
            .map(|verdict| {
                let words = format!("{} {}", summary.count(verdict), verdict.as_str().replace('-', " "));
                self.palette.verdict(verdict, words).to_string()
            })
            .collect();
        let mut sum = match exit {
            ExitCode::Interrupted(signal) => {
                format!("{} by signal {signal}: ", self.palette.bad("interrupted"))
            }
            _ => String::new(),
        };
        if counts.is_empty() && self.results.shard.is_some() {
            sum.push_str("no tests in this shard");
        } else if counts.is_empty() {
            sum.push_str(&self.palette.bad("no tests were found").to_string());
        } else {
            sum.push_str(&format!("{}: {}", self.palette.strong(total), counts.join(", ")));
        }
        sum.push_str(&format!(" in {}", duration(seconds)));
        let warnings = usize::try_from(self.results.warnings).unwrap_or(usize::MAX);
        let asides = [(self.results.retries(), "retry"), (warnings, "warning")];
        let asides: Vec<_> =
            asides.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(count, what)).collect();
        if asides.is_empty() { sum } else { format!("{sum} ({})", asides.join(", ")) }
    }

    fn files(&self) -> String {
        let files = [&self.written.junit, &self.written.results, &self.written.events].into_iter().flatten();
        let mut names: Vec<String> = files.map(|file| path(file)).collect();
        names.push(format!("{}/", path(&self.output_dir.join("logs"))));
        self.palette.dim(format!("wrote {}", names.join(", "))).to_string()
    }

    fn of(&self, wanted: impl Fn(Verdict) -> bool) -> impl Iterator<Item = (&Test, &Record)> {
        self.results.tests().filter(move |(_, record)| wanted(record.verdict()))
    }

    fn named(&self, verdict: Verdict, of: &Test) -> String {
        format!("{} {}", self.palette.verdict(verdict, label(verdict)), test(of, self.several_groups()))
    }

    fn several_groups(&self) -> bool {
        self.results.groups.len() > 1
    }

    fn more(&self, screen: &mut Screen, count: usize, shown: usize) {
        if count > shown {
            let file = self.written.results.as_deref().unwrap_or(self.output_dir);
            screen.line(&format!("… and {} more, all of them in {}", count - shown, path(file)));
        }
    }

    fn heading(&self, screen: &mut Screen, text: &str) {
        screen.line("");
        screen.line(&self.palette.strong(format!("── {text} ──")).to_string());
    }
}

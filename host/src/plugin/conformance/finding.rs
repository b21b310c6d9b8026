//! What a check says.

use std::time::{Duration, Instant};

use super::Figures;
use crate::model::Failure;

/// What was tried, and what came of it.
#[derive(Debug)]
pub struct Finding {
    /// The function of the contract, or what else was looked at.
    pub subject: &'static str,
    pub judgement: Judgement,
}

#[derive(Debug)]
pub enum Judgement {
    /// As it should be; what was seen.
    Good(String),
    /// It can be used, but its author should look at this.
    Odd(String),
    /// It cannot be relied on.
    Bad(String),
}

#[derive(Default)]
pub(super) struct Findings {
    found: Vec<Finding>,
    figures: Figures,
    instances: u32,
    instantiating: Duration,
}

impl Findings {
    pub(super) fn good(&mut self, subject: &'static str, seen: impl Into<String>) {
        self.found.push(Finding { subject, judgement: Judgement::Good(seen.into()) });
    }

    pub(super) fn odd(&mut self, subject: &'static str, why: impl Into<String>) {
        self.found.push(Finding { subject, judgement: Judgement::Odd(why.into()) });
    }

    pub(super) fn bad(&mut self, subject: &'static str, why: impl Into<String>) {
        self.found.push(Finding { subject, judgement: Judgement::Bad(why.into()) });
    }

    /// Whether nothing has been said against this subject.
    pub(super) fn is_clean(&self, subject: &str) -> bool {
        !self.found.iter().any(|finding| finding.subject == subject)
    }

    /// Says that a subject is as it should be, unless something else was said of it.
    pub(super) fn good_if_clean(&mut self, subject: &'static str, seen: impl Into<String>) {
        if self.is_clean(subject) {
            self.good(subject, seen);
        }
    }

    /// Makes an instance and takes the time.
    pub(super) async fn instance<T>(
        &mut self,
        instance: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let instance = instance.await?;
        self.instances += 1;
        self.instantiating += began.elapsed();
        Ok(instance)
    }

    /// Makes a call and takes the time. A trap is said once, with what it was given; then there is no answer.
    pub(super) async fn call<T>(
        &mut self,
        function: &'static str,
        given: &str,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Option<Result<T, Failure>> {
        let began = Instant::now();
        let answer = call.await;
        let took = began.elapsed();
        if self.figures.slowest.is_none_or(|(_, slowest)| took > slowest) {
            self.figures.slowest = Some((function, took));
        }
        match answer {
            Err(failure) if failure.code.starts_with("plugin-") => {
                if self.is_clean(function) {
                    self.bad(function, format!("given {given}: {}", failure.message));
                }
                None
            }
            answer => {
                if let Err(failure) = &answer {
                    self.readable(function, failure);
                }
                Some(answer)
            }
        }
    }

    pub(super) fn memory(&mut self, bytes: usize) {
        self.figures.memory = self.figures.memory.max(bytes);
    }

    /// A failure that says nothing helps nobody.
    fn readable(&mut self, function: &'static str, failure: &Failure) {
        if (failure.message.trim().is_empty() || failure.code.is_empty()) && self.is_clean(function) {
            self.odd(function, "fails without a code or a message that says why");
        }
    }

    pub(super) fn into_parts(mut self) -> (Vec<Finding>, Figures) {
        if self.instances > 0 {
            self.figures.instantiation = self.instantiating / self.instances;
        }
        (self.found, self.figures)
    }
}

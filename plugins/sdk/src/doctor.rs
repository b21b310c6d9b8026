//! What keeps a provider from working here.

pub use crate::bindings::doctor::exports::offload::plugin::doctor::Finding;

use crate::bindings::doctor::exports::offload::plugin::doctor::Guest;
use crate::instance;
use crate::provider::Provider;

/// A provider that can tell what is missing before anything is run.
pub trait Doctor: Provider {
    /// What it looked at, in the order in which a person would mend it: programs, then services, then rights.
    fn examine(&self) -> Vec<Finding>;
}

impl Finding {
    /// Something that is as it should be; `message` says what there is, such as a version.
    pub fn ok(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(subject, "ok", message)
    }

    /// Something that will get in the way of some.
    pub fn warning(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(subject, "warning", message)
    }

    /// Something that keeps tests from being run.
    pub fn problem(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(subject, "problem", message)
    }

    /// Says what mends it: a command, or a change of the configuration.
    #[must_use]
    pub fn mended_by(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    fn new(subject: impl Into<String>, status: &str, message: impl Into<String>) -> Self {
        Self { subject: subject.into(), status: status.to_owned(), message: message.into(), remedy: None }
    }
}

impl<P: Doctor> Guest for P {
    fn examine() -> Vec<Finding> {
        let examined = instance::with(|plugin: &mut P| Ok(plugin.examine()));
        examined.unwrap_or_else(|failure| {
            let finding = Finding::problem("settings", failure.message);
            vec![Finding { remedy: failure.help, ..finding }]
        })
    }
}

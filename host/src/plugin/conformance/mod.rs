//! `offload plugin check`: every function of a component's world under good and hostile input, with processes that are scripted.

mod description;
mod finding;
mod framework;
mod hostile;
mod provider;
mod sample;

use std::time::Duration;

use serde_json::Value;

use super::inspection::{Inspection, inspect};
use super::locator::Kind;
use super::source::Source;
use crate::model::Failure;
use finding::Findings;
pub use finding::{Finding, Judgement};

/// What came of a check.
#[derive(Debug)]
pub struct Conformance {
    pub inspection: Inspection,
    pub findings: Vec<Finding>,
    pub figures: Figures,
}

/// What a component used while it was checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// What it took to make an instance, on average.
    pub instantiation: Duration,
    /// The call that took longest.
    pub slowest: Option<(&'static str, Duration)>,
    /// The most bytes of memory that an instance had.
    pub memory: usize,
}

impl Conformance {
    /// How many findings forbid to use it.
    pub fn failures(&self) -> usize {
        self.findings.iter().filter(|finding| matches!(finding.judgement, Judgement::Bad(_))).count()
    }
}

/// Tries a component with a table of settings, or with one that is made up after its schema.
///
/// # Errors
/// It cannot be loaded or does not describe itself.
pub async fn check(source: &Source, settings: Option<Value>) -> Result<Conformance, Failure> {
    let inspection = inspect(source).await?;
    let mut findings = Findings::default();
    description::check(&inspection, &mut findings);
    let schema = serde_json::from_str(&inspection.info.settings_schema).unwrap_or(Value::Null);
    let settings = settings.unwrap_or_else(|| sample::of(&schema));
    description::check_settings(&schema, &settings, &mut findings);
    let settings = settings.to_string().into();
    match inspection.kind {
        Kind::Framework => framework::check(source, settings, &inspection, &mut findings).await?,
        Kind::Provider => provider::check(source, settings, &inspection, &mut findings).await?,
    }
    let (findings, figures) = findings.into_parts();
    Ok(Conformance { inspection, findings, figures })
}

//! `offload collect`

use std::path::Path;

use serde::Serialize;

use super::args::Format;
use super::output::{complain, print, print_json};
use super::{NOTHING_RUN, project, run};
use crate::framework::{Framework, TestFramework};
use crate::model::{Discovered, GroupName, Mask, Problem, Test};

pub(super) async fn collect(path: &Path, format: Format) -> anyhow::Result<u8> {
    let config = project::load(path).await?;
    let env = run::discovery_env(&config, &[]);
    let frameworks = Framework::from_config(&config, &env);
    let mask = Mask::with_own(&config.provider.env, &config.report.mask);
    print_tests(&frameworks, format, &mask).await
}

/// Prints what is found. Like a run, it is no success when something could not be collected, or when there is nothing.
/// Like the reports of one, it shows no secret.
pub(super) async fn print_tests(frameworks: &[Framework], format: Format, mask: &Mask) -> anyhow::Result<u8> {
    let mut found = Vec::new();
    for framework in frameworks {
        let mut discovered = framework.discover(&[]).await.map_err(|mut failure| {
            mask.failure(&mut failure);
            failure
        })?;
        discovered.problems.iter_mut().for_each(|problem| mask.outcome(&mut problem.outcome));
        found.push((framework.group().clone(), discovered));
    }
    match format {
        Format::Text => print(&text(&found)),
        Format::Json => print_json(&json(&found)?),
    }
    let problems: Vec<_> = found.iter().flat_map(|(_, discovered)| &discovered.problems).collect();
    let failed: Vec<_> = problems.into_iter().filter(|problem| problem.outcome.status.is_failure()).collect();
    for Problem { test, outcome } in &failed {
        complain(&format!("error: {} could not be collected", test.id));
        if let Some(details) = outcome.details.as_ref().or(outcome.message.as_ref()) {
            complain(details);
        }
    }
    let tests: usize = found.iter().map(|(_, discovered)| discovered.tests.len()).sum();
    if tests == 0 && failed.is_empty() {
        complain("no tests were found");
        return Ok(NOTHING_RUN);
    }
    Ok(u8::from(!failed.is_empty()))
}

/// One id a line; an id that is no line by itself is written as a JSON string.
fn text(found: &[(GroupName, Discovered)]) -> String {
    let mut text = String::new();
    for test in found.iter().flat_map(|(_, discovered)| &discovered.tests) {
        let id = test.id.as_str();
        if id.chars().any(char::is_control) || id.trim_start().starts_with("::") {
            text.push_str(&serde_json::Value::from(id).to_string());
        } else {
            text.push_str(id);
        }
        text.push('\n');
    }
    text
}

#[derive(Serialize)]
struct Listing<'a> {
    schema: u32,
    tests: Vec<&'a Test>,
    problems: Vec<ListedProblem<'a>>,
}

#[derive(Serialize)]
struct ListedProblem<'a> {
    group: &'a GroupName,
    id: &'a str,
    status: crate::model::Status,
    message: Option<&'a str>,
}

fn json(found: &[(GroupName, Discovered)]) -> anyhow::Result<String> {
    let problems = found.iter().flat_map(|(_, discovered)| &discovered.problems);
    let listing = Listing {
        schema: 1,
        tests: found.iter().flat_map(|(_, discovered)| &discovered.tests).collect(),
        problems: problems
            .map(|Problem { test, outcome }| ListedProblem {
                group: &test.group,
                id: test.id.as_str(),
                status: outcome.status,
                message: outcome.message.as_deref(),
            })
            .collect(),
    };
    Ok(serde_json::to_string_pretty(&listing)? + "\n")
}

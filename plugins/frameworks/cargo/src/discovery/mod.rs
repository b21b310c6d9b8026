//! Finding the tests: nextest lists them, and is then asked what only it can say of some.

mod listing;
mod question;

use offload_plugin::framework::{Discovery, FinishedRun};
use offload_plugin::types::{Context, Failure, Found, Test};

pub(crate) use listing::Listing;
pub use listing::plan;

use crate::built::Built;
use crate::name::TestName;
use crate::nextest::{Groups, Threads};
use crate::settings::Settings;
use listing::Listed;
use question::Answers;

/// The tag of a test that is not run, with the reason.
const SKIP: &str = "skip:";

/// What offload has to say of the configuration goes to `remark`.
///
/// # Errors
/// A build that failed, a missing nextest, or something that nextest says and that cannot be read.
pub fn go_on(
    settings: &Settings,
    context: &Context,
    paths: &[String],
    previous: &[FinishedRun],
    remark: impl FnMut(String),
) -> Result<Discovery, Failure> {
    let Some(first) = previous.first() else {
        return Ok(Discovery::Run(plan(settings, context)));
    };
    let listed = Listed::of(first, settings)?;
    let question = question::plan(&listed, settings, context);
    let answers = match (question, previous.get(1)) {
        (Some(plan), None) => return Ok(Discovery::Run(plan)),
        (Some(_), Some(answered)) => Answers::of(answered, &listed)?,
        (None, _) => Answers::default(),
    };
    let mut found = Found::new(tests(&listed, paths, &answers));
    if let Some(config) = &listed.config {
        found.max_failures = config.max_failures();
        config.remarks().into_iter().for_each(remark);
    }
    let config = listed.config_for_batches(context);
    let built = Built::of(&listed.listing, &listed.place, listed.packages.as_deref(), config);
    found.memo = built.and_then(|built| serde_json::to_string(&built).ok());
    Ok(Discovery::Found(found))
}

/// The tests that nextest listed; with `paths`, those of a binary or a module that is named there.
fn tests(listed: &Listed, paths: &[String], answers: &Answers) -> Vec<Test> {
    let mut tests = Vec::new();
    for (binary_id, suite) in &listed.listing.suites {
        for (name, case) in &suite.testcases {
            let test = TestName { binary_id, name };
            let Some(skipped) = case.skipped().filter(|_| is_selected(&test, paths)) else { continue };
            let id = test.to_string();
            let mut tags = if skipped { vec![why_skipped(&id, answers)] } else { constraints(&id, listed, answers) };
            // nextest runs each test in a process of its own: those of a binary share nothing.
            tags.push("unit:free".to_owned());
            tests.push(Test {
                unit: Some(binary_id.clone()),
                name: Some(name.clone()),
                classname: Some(binary_id.clone()),
                skipped,
                tags,
                ..Test::new(id)
            });
        }
    }
    tests
}

fn why_skipped(id: &str, answers: &Answers) -> String {
    match answers.reasons.get(id) {
        Some(reason) => format!("{SKIP}{reason}"),
        None => format!("{SKIP}marked #[ignore]"),
    }
}

/// What nextest's configuration promises a test of what runs beside it.
fn constraints(id: &str, listed: &Listed, answers: &Answers) -> Vec<String> {
    let Some(config) = &listed.config else { return Vec::new() };
    let mut tags = Vec::new();
    let mut lock = |name: &str, most: u64| match most {
        1 => tags.push(format!("lock:nextest:{name}")),
        most => tags.push(format!("lock:nextest:{name}={most}")),
    };
    let group = |groups: &Groups| groups.of_test(id).map(str::to_owned);
    if let Some(name) = group(&answers.groups)
        && let Some(most) = answers.groups.most(&name, listed.cpus)
    {
        lock(&name, most.max(1));
    }
    let test_threads = config.test_threads(listed.cpus);
    if let Some(most) = test_threads {
        lock("test-threads", most);
    }
    let threads = group(&answers.threads).and_then(|name| Threads::of_group(&name)).or(config.threads_required());
    let count = match threads {
        None => return tags,
        Some(Threads::All) => None,
        Some(Threads::Count(count)) => Some(count),
        Some(Threads::Cpus) => Some(listed.cpus),
    };
    match count {
        Some(0 | 1) => {}
        Some(count) if test_threads.is_none_or(|most| count < most) => tags.push(format!("threads:{count}")),
        _ => tags.push("alone".to_owned()),
    }
    tags
}

fn is_selected(test: &TestName<'_>, paths: &[String]) -> bool {
    let lies_in = |path: &str, text: &str| {
        text.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with('/'))
    };
    paths.is_empty()
        || paths
            .iter()
            .any(|path| lies_in(path, test.binary_id) || lies_in(path, test.name) || lies_in(path, &test.to_string()))
}

#[cfg(test)]
mod tests;

//! `offload history`

use std::path::Path;

use console::style;
use serde::Serialize;

use super::args::{Format, HistoryArgs};
use super::output::{print, print_json};
use crate::config::load_config;
use crate::history::{History, Insight, RunMark};

/// As many characters of a commit as git shows.
const SHORT_COMMIT: usize = 9;

pub(super) fn history(path: &Path, args: &HistoryArgs) -> anyhow::Result<u8> {
    let config = load_config(path)?;
    let path = config.history_path();
    let insight = match History::read(&path)? {
        Some(history) => history.insight(args.limit)?,
        None => Insight::default(),
    };
    match args.format {
        Format::Json => print_json(&json(&path, &insight)?),
        Format::Text if insight.runs == 0 => print(&nothing(&path, config.history.enabled)),
        Format::Text => print(&text(&path, &insight)),
    }
    Ok(0)
}

#[derive(Serialize)]
struct Listing<'a> {
    schema: u32,
    path: &'a Path,
    #[serde(flatten)]
    insight: &'a Insight,
}

fn json(path: &Path, insight: &Insight) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&Listing { schema: 1, path, insight })? + "\n")
}

fn nothing(path: &Path, enabled: bool) -> String {
    let why = if enabled {
        "`offload run` adds each run"
    } else {
        "it is off: `enabled = true` in the [history] table turns it on"
    };
    format!("There is no run in {} yet; {why}.\n", path.display())
}

fn text(path: &Path, insight: &Insight) -> String {
    let runs = if insight.runs == 1 { "1 run".to_owned() } else { format!("{} runs", insight.runs) };
    let last = insight.last_run.as_ref().map(|run| format!(", the last {}", when(run))).unwrap_or_default();
    let mut text = format!("{runs} in {}{last}\n", path.display());
    let slowest = insight.slowest.iter().map(|slow| {
        let spread = if slow.samples > 1 { format!("± {:.3} s", slow.spread) } else { String::new() };
        [format!("{:.3} s {spread}", slow.seconds), slow.group.clone(), slow.id.clone()]
    });
    section(&mut text, "Slowest", slowest);
    let flakiest = insight
        .flakiest
        .iter()
        .map(|flaky| [format!("{} of {} runs", flaky.flaky, flaky.runs), flaky.group.clone(), flaky.id.clone()]);
    section(&mut text, "Flakiest", flakiest);
    let failing = insight.newly_failing.iter().map(|failing| {
        let told = format!("{} since {}; good {}", failing.verdict, when(&failing.since), when(&failing.last_good));
        [told, failing.group.clone(), failing.id.clone()]
    });
    section(&mut text, "Newly failing", failing);
    text
}

/// A heading and its lines, in columns; nothing where there is none.
fn section(text: &mut String, title: &str, lines: impl Iterator<Item = [String; 3]>) {
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let width = |column: usize| lines.iter().map(|line| line[column].trim_end().chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    text.push_str(&format!("\n{}\n", style(title).bold()));
    for [told, group, id] in &lines {
        let id = id.escape_debug();
        text.push_str(&format!("  {:<first$}  {group:<second$}  {id}\n", told.trim_end()));
    }
}

fn when(run: &RunMark) -> String {
    let time = run.started.split_once('.').map_or(run.started.as_str(), |(seconds, _)| seconds).trim_end_matches('Z');
    let commit = run.commit.as_ref().map(|commit| format!(" ({})", commit.get(..SHORT_COMMIT).unwrap_or(commit)));
    format!("{}{}", time.replace('T', " "), commit.unwrap_or_default())
}

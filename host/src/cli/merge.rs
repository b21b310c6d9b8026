//! `offload merge`

use std::path::Path;

use super::args::MergeArgs;
use super::output::complain;
use crate::config::load_config;
use crate::history::{History, Recorder, commit_of};
use crate::model::Mask;
use crate::report::{Console, ReportOptions, merge};

pub(super) async fn merge_runs(path: &Path, args: MergeArgs) -> anyhow::Result<u8> {
    let MergeArgs { directories, output_dir } = args;
    let options = ReportOptions {
        junit: Some(output_dir.join("junit.xml")),
        output_dir,
        console: Console::Auto,
        stream_output: false,
        mask: Mask::default(),
    };
    let mut recorder = Recorder::default();
    let merged = merge(&directories, options, |event| recorder.handle(event))?;
    if let Err(error) = remember(path, &recorder).await {
        complain(&format!("the history does not have these runs: {error:#}"));
    }
    Ok(merged.exit_code.get())
}

/// Where a configuration is, its history takes the runs in: it is what the machines of the next run can share.
async fn remember(path: &Path, recorder: &Recorder) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let config = load_config(path)?;
    if config.history.enabled {
        let opened = History::open(&config.history_path())?;
        opened.warning.iter().for_each(|warning| complain(warning));
        let (mut history, commit) = (opened.history, commit_of(&config.working_dir()).await);
        history.add(recorder, commit.as_deref())?;
    }
    Ok(())
}

//! Runs one batch in one sandbox and tells the dispatcher what came of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use super::lines::Lines;
use super::news::{Ended, News, NewsSender};
use super::output::{LastOutput, Logs};
use super::settle::{End, NOT_A_FILE, TOO_LONG};
use crate::framework::{Context, Framework, Observation, Plan, Run};
use crate::model::{BatchId, Failure, Stream, Test};
use crate::process::{Captured, Command, Exit, Stdio};
use crate::provider::Sandbox;

/// The longest command line that is tried. Linux takes 128 KiB in one argument, and a provider may pass the whole line
/// as one.
const LONGEST_LINE: usize = 120 << 10;

/// How many chunks of output may wait to be read by the framework.
const CHUNKS: usize = 64;

pub(super) struct Job {
    pub(super) id: BatchId,
    pub(super) sandbox: Sandbox,
    pub(super) framework: Framework,
    pub(super) tests: Vec<Arc<Test>>,
    /// How long its command may run.
    pub(super) limit: Duration,
    /// Where its output goes.
    pub(super) logs: Logs,
    /// Whether its lines are told one by one.
    pub(super) stream: bool,
    /// A directory on this machine for what is brought back.
    pub(super) scratch: PathBuf,
}

/// Runs the batch to its end. Cancelling ends its command early; what was finished until then is still told.
pub(super) async fn run(job: Job, cancelled: CancellationToken, news: NewsSender) {
    let mut ended = Ended { end: End::Cancelled, duration: Duration::ZERO, output: LastOutput::default() };
    ended.end = match execute(&job, &cancelled, &news, &mut ended).await {
        Ok(end) | Err(end) => end,
    };
    news.send(News::Ended(ended)).await;
}

async fn execute(job: &Job, cancelled: &CancellationToken, news: &NewsSender, ended: &mut Ended) -> Result<End, End> {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let context = Context {
        scratch: format!("{}/{}-{nonce}-", job.sandbox.scratch_root(), job.id),
        nonce: nonce.clone(),
        attempt: job.id.get(),
        memo: job.framework.memo().filter(|_| job.sandbox.is_this_machine()),
    };
    let mut run = job.framework.start_run(context, &job.tests).await.map_err(End::FrameworkFailed)?;
    let Plan { mut command, stdin, result_files } = run.command().await.map_err(End::FrameworkFailed)?;
    if line_length(&command) > LONGEST_LINE {
        let message = format!("the command for {} tests is too long for a command line", job.tests.len());
        return Err(End::FrameworkFailed(Failure::new(TOO_LONG, message)));
    }
    command.cwd = command.cwd.or_else(|| job.framework.directory(job.sandbox.is_this_machine()));

    let started = Instant::now();
    let (exit, output) = exec(job, &nonce, &command, stdin, &mut run, cancelled, news).await?;
    ended.duration = started.elapsed();
    ended.output = LastOutput::new(&output.stdout, &output.stderr);
    if run.observes() {
        ended.output = std::mem::take(&mut ended.output).without_records();
    }

    // One that was ended early has still written what it had finished.
    let seen = exit.seen();
    let files = match download(job, &command, &result_files).await {
        Ok(files) => files,
        // Why the command failed says more than that nothing could be brought back afterwards.
        Err(_) if matches!(exit, End::ProviderFailed(_)) => return Err(exit),
        Err(failure) if failure.code == NOT_A_FILE => return Err(End::FrameworkFailed(failure)),
        Err(failure) => return Err(End::ProviderFailed(failure)),
    };
    news.send_all(exit.believed(run.ended(seen).await.map_err(End::FrameworkFailed)?)).await;
    let captured = Captured { exit: seen, ..output };
    match run.results(captured, &files).await {
        Ok(results) => {
            let results = results.into_iter().map(|(id, reported)| Observation::Finished(id, reported));
            news.send_all(exit.believed(results.collect())).await;
        }
        // How it ended says more than that its results are not whole.
        Err(_) if !matches!(exit, End::Exited(_)) => {}
        Err(failure) => return Err(End::FrameworkFailed(failure)),
    }
    for (_, file) in files {
        // Left to the run's own temporary directory if it cannot be removed now.
        let _ = std::fs::remove_file(file);
    }
    Ok(exit)
}

/// Runs the command, and gives how it ended with what it wrote.
async fn exec(
    job: &Job,
    exec_id: &str,
    command: &Command,
    stdin: Vec<u8>,
    run: &mut Run,
    cancelled: &CancellationToken,
    news: &NewsSender,
) -> Result<(End, Captured), End> {
    let (tap, chunks) = mpsc::channel(CHUNKS);
    let tap = (job.stream || run.observes()).then_some(tap);
    let stdout = job.logs.captured(Stream::Stdout, tap.clone()).map_err(End::FrameworkFailed)?;
    let stderr = job.logs.captured(Stream::Stderr, tap).map_err(End::FrameworkFailed)?;
    let stdio = Stdio { stdin: stdin.into(), stdout, stderr };
    let stdio = Arc::new(Mutex::new(stdio));
    let command = async {
        let exec = job.sandbox.exec(exec_id, command, stdio.clone());
        let end = tokio::select! {
            exit = exec => match exit {
                Ok(exit) => End::Exited(exit),
                Err(failure) => End::ProviderFailed(failure),
            },
            () = tokio::time::sleep(job.limit) => End::TimedOut(job.limit),
            () = cancelled.cancelled() => End::Cancelled,
        };
        if end.leaves_processes()
            && let Err(failure) = job.sandbox.cancel(exec_id).await
        {
            news.send(News::Uncancelled(failure)).await;
        }
        let mut stdio = stdio.lock().await;
        (end, std::mem::take(&mut stdio.stdout).capture, std::mem::take(&mut stdio.stderr).capture)
    };
    let (ended, watched) = tokio::join!(command, watch(chunks, job.stream, run, news));
    let (end, stdout, stderr) = ended;
    if !end.leaves_results() {
        return Err(end);
    }
    watched.map_err(End::FrameworkFailed)?;
    let (stdout, stderr) = (stdout.into_bytes(), stderr.into_bytes());
    Ok((end, Captured { exit: Exit::Code(0), stdout, stderr }))
}

/// Reads output as it comes, until the command has ended.
async fn watch(
    mut chunks: mpsc::Receiver<(Stream, Vec<u8>)>,
    stream_lines: bool,
    run: &mut Run,
    news: &NewsSender,
) -> Result<(), Failure> {
    let mut lines = Lines::default();
    let mut result = Ok(());
    while let Some((stream, bytes)) = chunks.recv().await {
        if stream_lines {
            for line in lines.push(stream, &bytes) {
                news.send(News::Line(stream, line)).await;
            }
        }
        // After a failure the rest is still taken, or the command would wait for ever to be read.
        if result.is_ok() && run.observes() {
            match run.observe(stream, &bytes).await {
                Ok(observations) => news.send_all(observations).await,
                Err(failure) => result = Err(failure),
            }
        }
    }
    for (stream, line) in lines.finish() {
        news.send(News::Line(stream, line)).await;
    }
    result
}

/// Brings the result files back: pairs of the name in the plan and the local path.
async fn download(job: &Job, command: &Command, result_files: &[String]) -> Result<Vec<(String, PathBuf)>, Failure> {
    let files: Vec<_> = result_files
        .iter()
        .enumerate()
        .map(|(index, name)| (name.clone(), job.scratch.join(format!("{}-{index}", job.id))))
        .collect();
    let transfers: Vec<_> = files
        .iter()
        .map(|(name, local)| {
            let remote = command.cwd.as_deref().map_or_else(|| PathBuf::from(name), |cwd| cwd.join(name));
            (remote.to_string_lossy().into_owned(), local.as_path())
        })
        .collect();
    job.sandbox.download(&transfers).await?;
    Ok(files)
}

/// How long the command is once it was quoted for a shell, and that for another.
fn line_length(command: &Command) -> usize {
    let arguments = command.argv.iter().map(|argument| {
        let quotes = argument.bytes().filter(|byte| *byte == b'\'').count();
        argument.len() + 13 * quotes + 10
    });
    let variables = command.env.iter().map(|(name, value)| name.len() + value.len() + 20);
    arguments.chain(variables).sum()
}

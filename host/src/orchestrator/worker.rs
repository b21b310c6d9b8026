//! Runs one worker in one sandbox: hands it tests, and tells the dispatcher what it says of them.

use std::fs::File;
use std::future::pending;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::lines::Lines;
use super::news::{Ended, News, NewsSender};
use super::output::{LastOutput, Logs, Recent, Tap};
use super::settle::End;
use crate::framework::{Context, Framework, Launch, Observation, Reported, Worker};
use crate::model::{BatchId, Failure, Masked, Stream, Test, TestId};
use crate::process::{Input, Output, Stdio};
use crate::provider::Sandbox;

/// How long a worker may take to read its standard input: a Python on a busy machine, behind a slow connection.
const FIRST_WORD: Duration = Duration::from_secs(60);

/// How long what a worker says may wait for more of it: to take thousands of short tests one by one costs as much as they do.
const GATHER: Duration = Duration::from_millis(5);

/// How many chunks of output may wait to be read by the framework.
const CHUNKS: usize = 64;

pub(super) struct Job {
    pub(super) id: BatchId,
    pub(super) sandbox: Sandbox,
    pub(super) framework: Framework,
    /// Whether it is to find the tests before it takes any.
    pub(super) discover: bool,
    /// How long one test may take.
    pub(super) limit: Duration,
    /// Where its output goes.
    pub(super) logs: Logs,
    /// Whether its lines are told one by one.
    pub(super) stream: bool,
}

/// What a worker is told.
#[derive(Debug)]
pub(super) enum Order {
    Assign(Vec<Arc<Test>>),
    Withdraw(Vec<TestId>),
    /// Run what is left and come to an end.
    Finish,
}

/// Runs the worker to its end. Cancelling ends it early.
pub(super) async fn run(
    job: Job,
    orders: mpsc::UnboundedReceiver<Order>,
    cancelled: CancellationToken,
    news: NewsSender,
) {
    let mut ended = Ended { end: End::Cancelled, duration: Duration::ZERO, output: LastOutput::default() };
    ended.end = match execute(&job, orders, &cancelled, &news, &mut ended).await {
        Ok(end) => end,
        Err(failure) => End::FrameworkFailed(failure),
    };
    news.send(News::Ended(ended)).await;
}

async fn execute(
    job: &Job,
    orders: mpsc::UnboundedReceiver<Order>,
    cancelled: &CancellationToken,
    news: &NewsSender,
    ended: &mut Ended,
) -> Result<End, Failure> {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let context = Context {
        scratch: format!("{}/{}-{nonce}-", job.sandbox.scratch_root(), job.id),
        nonce: nonce.clone(),
        attempt: job.id.get(),
        memo: job.framework.memo().filter(|_| job.sandbox.is_this_machine()),
    };
    let (worker, launch) = job.framework.start_worker(&context, job.discover).await?;
    let Launch { mut command, greeting } = launch;
    command.cwd = command.cwd.or_else(|| job.framework.directory(job.sandbox.is_this_machine()));

    let (tap, chunks) = mpsc::channel(CHUNKS);
    let (stdin, more) = mpsc::unbounded_channel();
    let stdio = Arc::new(Mutex::new(Stdio {
        stdin: Input { bytes: greeting.into(), more: Some(more) },
        stdout: tapped(tap.clone()),
        stderr: tapped(tap),
    }));
    let overran = CancellationToken::new();
    let watch = Watch {
        worker,
        news,
        stdin: Some(stdin),
        logs: [job.logs.create(Stream::Stdout)?, job.logs.create(Stream::Stderr)?],
        lines: job.stream.then(Lines::default),
        printed: Recent::default(),
        pace: Pace::new(job),
        began: Instant::now(),
        overran: &overran,
    };
    let began = Instant::now();
    let command = async {
        let exec = job.sandbox.exec(&nonce, &command, stdio.clone());
        let end = tokio::select! {
            exit = exec => match exit {
                Ok(exit) => End::Exited(exit),
                Err(failure) => End::ProviderFailed(failure),
            },
            () = overran.cancelled() => End::TimedOut(job.limit),
            () = cancelled.cancelled() => End::Cancelled,
        };
        let duration = began.elapsed();
        if end.leaves_processes()
            && let Err(failure) = job.sandbox.cancel(&nonce).await
        {
            news.send(News::Uncancelled(failure)).await;
        }
        // Dropped, its streams end what watches them.
        let mut stdio = stdio.lock().await;
        drop(std::mem::take(&mut stdio.stdout));
        (end, duration, std::mem::take(&mut stdio.stderr).capture)
    };
    let ((end, duration, stderr), watched) = tokio::join!(command, watch.run(orders, chunks));
    ended.duration = duration;
    let stderr = stderr.into_bytes();
    ended.output = LastOutput::new(&[], &stderr);
    let watch = match watched {
        Ok(watch) => watch,
        // How it ended says more than that it could not be followed to the end.
        Err(_) if !matches!(end, End::Exited(_)) => return Ok(end),
        Err(failure) => return Err(failure),
    };
    let stdout = watch.ended(&end).await?;
    ended.output = LastOutput::new(stdout.bytes(), &stderr);
    Ok(end)
}

fn tapped(tap: Tap) -> Output {
    Output { tap: Some(tap), gather: Some(GATHER), ..Output::default() }
}

/// Follows a worker while it runs.
struct Watch<'a> {
    worker: Worker,
    news: &'a NewsSender,
    /// Absent once nothing more is to come.
    stdin: Option<mpsc::UnboundedSender<Vec<u8>>>,
    logs: [Masked<File>; 2],
    lines: Option<Lines>,
    /// What its standard output says besides what the framework reads there, since the last test began.
    printed: Recent,
    pace: Pace,
    began: Instant,
    overran: &'a CancellationToken,
}

impl Watch<'_> {
    async fn run(
        mut self,
        mut orders: mpsc::UnboundedReceiver<Order>,
        mut chunks: mpsc::Receiver<(Stream, Vec<u8>)>,
    ) -> Result<Self, Failure> {
        let mut listening = true;
        let result = loop {
            let deadline = self.pace.deadline();
            tokio::select! {
                // What it says may be what an order, or the deadline, would be about.
                biased;
                chunk = chunks.recv() => match chunk {
                    None => break Ok(()),
                    Some((stream, bytes)) => {
                        if let Err(failure) = self.hear(stream, &bytes).await {
                            break Err(failure);
                        }
                    }
                },
                order = orders.recv(), if listening => match order {
                    None => listening = false,
                    Some(order) => {
                        if let Err(failure) = self.obey(order).await {
                            break Err(failure);
                        }
                    }
                },
                () = at(deadline), if !self.overran.is_cancelled() => self.overran.cancel(),
            }
        };
        if result.is_err() {
            // It is not understood: it ends, and the rest of what it says is still taken, or it would wait for ever.
            self.overran.cancel();
            while chunks.recv().await.is_some() {}
        }
        result.map(|()| self)
    }

    async fn hear(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Failure> {
        for observation in self.worker.observe(stream, bytes).await? {
            self.tell(stream, observation).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, stream: Stream, observation: Observation) -> Result<(), Failure> {
        self.pace.saw(&observation);
        match observation {
            Observation::Ready => self.news.send(News::Ready).await,
            // The framework puts the parts together.
            Observation::Part(_) => {}
            Observation::Found(found) => self.news.send(News::Found(found, self.began.elapsed())).await,
            Observation::Started(id) => {
                self.printed.clear();
                self.news.send(News::Started(id)).await;
            }
            Observation::Finished(id, reported) => self.news.finished(id, reported).await,
            Observation::Unit(tests) => self.news.send(News::Unit(tests)).await,
            Observation::Returned(ids) => self.news.send(News::Returned(ids)).await,
            Observation::Warnings(count) => self.news.send(News::Warnings(count)).await,
            Observation::Output(bytes) => self.print(stream, &bytes).await?,
        }
        Ok(())
    }

    async fn print(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Failure> {
        if stream == Stream::Stdout {
            self.printed.push(bytes);
        }
        let [stdout, stderr] = &mut self.logs;
        let log = if stream == Stream::Stdout { stdout } else { stderr };
        log.write_all(bytes).map_err(|error| {
            Failure::new("unwritable-log", format!("cannot write the log of a worker: {error}")).with_help("make room")
        })?;
        let lines = self.lines.as_mut().map(|lines| lines.push(stream, bytes)).unwrap_or_default();
        for line in lines {
            self.news.send(News::Line(stream, line)).await;
        }
        Ok(())
    }

    async fn obey(&mut self, order: Order) -> Result<(), Failure> {
        let bytes = match &order {
            Order::Assign(tests) => self.worker.assign(tests).await?,
            Order::Withdraw(ids) => self.worker.withdraw(ids).await?,
            Order::Finish => self.worker.finish().await?,
        };
        self.pace.ordered(&order);
        if let Some(stdin) = &self.stdin {
            // One that has gone takes nothing more: how it ended is told by its end.
            let _ = stdin.send(bytes);
        }
        if matches!(order, Order::Finish) {
            self.stdin = None;
        }
        Ok(())
    }

    /// The process has ended: what it left unsaid. Gives what was printed since the last test began.
    async fn ended(mut self, end: &End) -> Result<Recent, Failure> {
        for observation in end.believed(self.worker.ended(end.seen()).await?) {
            self.tell(Stream::Stdout, observation).await?;
        }
        for (stream, line) in self.lines.take().unwrap_or_default().finish() {
            self.news.send(News::Line(stream, line)).await;
        }
        if let Some((test, since)) = self.pace.running.take() {
            self.news.send(News::Running(test, since.elapsed())).await;
        }
        Ok(self.printed)
    }
}

/// What a worker is at, and until when it has to say something again.
struct Pace {
    limit: Duration,
    /// Until it takes tests: how long that may take.
    starting: Option<Duration>,
    /// How long the discovery that it still owes may take.
    discovering: Option<Duration>,
    /// Tests that it has and that are not done.
    pending: usize,
    finishing: bool,
    running: Option<(TestId, Instant)>,
    /// When it last went on to something else.
    since: Instant,
}

impl Pace {
    fn new(job: &Job) -> Self {
        Self {
            limit: job.limit,
            starting: Some(FIRST_WORD),
            discovering: job.discover.then(|| job.framework.place().limit),
            pending: 0,
            finishing: false,
            running: None,
            since: Instant::now(),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let busy = self.pending > 0 || self.finishing;
        let limit = self.starting.or(self.discovering).or(busy.then_some(self.limit))?;
        Some(self.since + limit)
    }

    fn saw(&mut self, observation: &Observation) {
        match observation {
            Observation::Ready => self.starting = None,
            Observation::Found(_) => self.discovering = None,
            Observation::Started(test) => self.running = Some((test.clone(), Instant::now())),
            // The test goes on, or there is none.
            Observation::Finished(_, Reported::Rerun(_) | Reported::Session(_)) => {}
            Observation::Finished(test, _) => {
                if self.running.as_ref().is_some_and(|(running, _)| running == test) {
                    self.running = None;
                }
                self.pending = self.pending.saturating_sub(1);
            }
            Observation::Returned(tests) => self.pending = self.pending.saturating_sub(tests.len()),
            Observation::Unit(_) | Observation::Part(_) | Observation::Warnings(_) => {}
            // Whoever prints does not thereby come to an end.
            Observation::Output(_) => return,
        }
        self.since = Instant::now();
    }

    fn ordered(&mut self, order: &Order) {
        match order {
            Order::Assign(tests) => {
                if self.pending == 0 {
                    self.since = Instant::now();
                }
                self.pending += tests.len();
            }
            Order::Withdraw(_) => {}
            Order::Finish => {
                if self.pending == 0 {
                    self.since = Instant::now();
                }
                self.finishing = true;
            }
        }
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => pending().await,
    }
}

//! One helper that runs: requests go out, answers find who asked.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufRead, Lines};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::message::{self, Incoming};
use crate::model::{Failure, Stream};
use crate::plugin::component::LogSink;
use crate::plugin::stderr_tail::StderrTail;
use crate::process::{Command, Exit, LineWriter, Resident, ResidentProcess, Stdio};

/// How many pieces of output may wait for an exec that does not keep pace, before all wait.
const WAITING: usize = 256;

/// How long its standard error may take to end once it has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How much of an exec's standard input is sent at once.
const PIECE: usize = 64 << 10;

/// The failure of whatever a helper was asked when it ended.
pub(super) const LOST: &str = "bridge-lost";

/// A helper; clones are the same one.
#[derive(Clone)]
pub struct Helper(Arc<Inner>);

struct Inner {
    program: String,
    lines: Mutex<Option<mpsc::UnboundedSender<String>>>,
    asked: Mutex<Asked>,
    next: AtomicU64,
    said: StderrTail,
    log: LogSink,
}

/// Who waits for what.
#[derive(Default)]
struct Asked {
    waiting: HashMap<u64, mpsc::Sender<Reply>>,
    has_ended: bool,
}

/// What comes back for a request: output of an exec, and in the end an answer.
enum Reply {
    Output(Stream, Vec<u8>),
    Answer(Result<Value, Failure>),
}

impl Helper {
    /// Starts one; the task ends with it.
    pub(super) fn start(command: &Command, log: LogSink) -> io::Result<(Self, JoinHandle<()>)> {
        let Resident { process, stdin, stdout, stderr } = Resident::start(command)?;
        let (lines, outgoing) = mpsc::unbounded_channel();
        let helper = Self(Arc::new(Inner {
            program: command.argv.first().cloned().unwrap_or_default(),
            lines: Mutex::new(Some(lines)),
            asked: Mutex::default(),
            next: AtomicU64::new(1),
            said: StderrTail::default(),
            log,
        }));
        let task = tokio::spawn(helper.clone().live(process, stdin, outgoing, stdout, stderr));
        Ok((helper, task))
    }

    async fn live(
        self,
        mut process: ResidentProcess,
        mut stdin: LineWriter,
        mut outgoing: mpsc::UnboundedReceiver<String>,
        stdout: Lines<impl AsyncBufRead + Unpin>,
        mut stderr: Lines<impl AsyncBufRead + Unpin + Send + 'static>,
    ) {
        let write = async move {
            while let Some(line) = outgoing.recv().await {
                if stdin.write(line).await.is_err() {
                    // It reads no more: what it still has to say is heard all the same.
                    return;
                }
            }
        };
        let listener = self.clone();
        let listening = tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                tracing::info!("{}: {line}", listener.0.program);
                listener.said(&line);
            }
        });
        let talk = async {
            tokio::join!(write, self.hear(stdout));
        };
        tokio::pin!(talk);
        tokio::select! {
            () = &mut talk => {}
            // What it left running may hold its streams for ever.
            () = process.wait() => drop(tokio::time::timeout(LAST_WORDS, &mut talk).await),
        }
        self.close();
        process.ended().await;
        // Its last words say why it ended; what it left running may hold its standard error for ever.
        let _ = tokio::time::timeout(LAST_WORDS, listening).await;
        let waiting: Vec<_> = {
            let mut asked = self.asked();
            asked.has_ended = true;
            asked.waiting.drain().collect()
        };
        for (_, asker) in waiting {
            // Who no longer listens needs no answer.
            let _ = asker.try_send(Reply::Answer(Err(self.lost())));
        }
    }

    async fn hear(&self, mut stdout: Lines<impl AsyncBufRead + Unpin>) {
        // A line that is not UTF-8 is the end of it, as is one that makes no sense: nothing after it could be trusted.
        while let Ok(Some(line)) = stdout.next_line().await {
            let (id, reply) = match message::read(&line) {
                Ok(Incoming::Answer { id, result }) => (id, Reply::Answer(result)),
                Ok(Incoming::Output { id, stream, bytes }) => (id, Reply::Output(stream, bytes)),
                Ok(Incoming::Log { level, message }) => {
                    (self.0.log)(level, message);
                    continue;
                }
                Err(why) => {
                    let shown: String = line.chars().take(200).collect();
                    self.said(&format!("it wrote {shown:?}, which is no message: {why}"));
                    break;
                }
            };
            let asker = match reply {
                Reply::Answer(_) => self.asked().waiting.remove(&id),
                Reply::Output(..) => self.asked().waiting.get(&id).cloned(),
            };
            if let Some(asker) = asker {
                let _ = asker.send(reply).await;
            }
        }
        self.close();
    }

    /// One request, one answer.
    pub async fn call(&self, method: &str, params: &Value) -> Result<Value, Failure> {
        let mut request = self.ask(method, params)?;
        loop {
            match request.replies.recv().await {
                Some(Reply::Answer(answer)) => return answer,
                Some(Reply::Output(..)) => {}
                None => return Err(self.lost()),
            }
        }
    }

    /// One request that runs a command with these streams.
    pub async fn exec(&self, method: &str, params: &Value, stdio: &mut Stdio) -> Result<Exit, Failure> {
        let mut request = self.ask(method, params)?;
        let Stdio { stdin, stdout, stderr } = stdio;
        let unwritten = |error: io::Error| Failure::new("unwritable-log", error.to_string());
        let senseless = |why| Failure::new("helper-failed", format!("`{}` failed: {why}", self.0.program));
        let mut fed = false;
        loop {
            tokio::select! {
                reply = request.replies.recv() => match reply {
                    Some(Reply::Output(Stream::Stdout, bytes)) => {
                        stdout.write(Stream::Stdout, &bytes).await.map_err(unwritten)?;
                    }
                    Some(Reply::Output(Stream::Stderr, bytes)) => {
                        stderr.write(Stream::Stderr, &bytes).await.map_err(unwritten)?;
                    }
                    Some(Reply::Answer(answer)) => return message::exit(&answer?).map_err(senseless),
                    None => return Err(self.lost()),
                },
                bytes = stdin.next(PIECE), if !fed => match bytes {
                    Some(bytes) => self.send(message::stdin(request.id, &bytes)),
                    None => {
                        fed = true;
                        self.send(message::stdin_end(request.id));
                    }
                },
            }
        }
    }

    /// Whether it has ended, or is about to.
    pub(super) fn has_ended(&self) -> bool {
        self.asked().has_ended || self.lines().is_none()
    }

    /// Gives it nothing more to read, by which it ends.
    pub(super) fn close(&self) {
        self.lines().take();
    }

    fn ask(&self, method: &str, params: &Value) -> Result<Request<'_>, Failure> {
        let (asker, replies) = mpsc::channel(WAITING);
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut asked = self.asked();
        if asked.has_ended {
            return Err(self.lost());
        }
        asked.waiting.insert(id, asker);
        drop(asked);
        self.send(message::request(id, method, params));
        Ok(Request { helper: self, id, replies })
    }

    fn send(&self, line: String) {
        if let Some(lines) = &*self.lines() {
            // Nobody reads once it has ended, and then whoever asked is told.
            let _ = lines.send(line);
        }
    }

    fn lost(&self) -> Failure {
        let said = self.0.said.text();
        let program = &self.0.program;
        let message = match said.trim() {
            "" => format!("the helper `{program}` ended and said nothing"),
            said => format!("the helper `{program}` ended; the last that it said: {said}"),
        };
        Failure::new(LOST, message).retryable()
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> MutexGuard<'_, Option<mpsc::UnboundedSender<String>>> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn said(&self, line: &str) {
        self.0.said.push(format!("{line}\n").as_bytes());
    }
}

/// A request that is open. Whoever no longer waits for it says so.
struct Request<'h> {
    helper: &'h Helper,
    id: u64,
    replies: mpsc::Receiver<Reply>,
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if self.helper.asked().waiting.remove(&self.id).is_some() {
            self.helper.send(message::cancel(self.id));
        }
    }
}

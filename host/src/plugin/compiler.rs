//! Turns components into machine code.
//!
//! How long that takes, and how much memory, is for the component to say: a small one can be made so that it takes minutes and
//! gigabytes. So components that do not come with offload are compiled by a process of their own, which has limits.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use nix::sys::resource::{Resource, setrlimit};
use wasmtime::Engine;

use super::engine;
use super::locator::MOST_BYTES;
use crate::process::{self, Command, Exit, Output, Stdio};

/// The first argument of a process that compiles a component.
pub const ARGUMENT: &str = "compile-component-from-standard-input";

/// How many bytes of memory compiling may take, and for each byte of the component besides.
const MEMORY: (u64, u64) = (256 << 20, 24);

/// How many seconds of processor time it may take, and for each started MiB of the component besides.
const SECONDS: (u64, u64) = (20, 10);

/// How often that time may pass by the clock on the wall: the machine may have much else to do.
const WALL: u32 = 4;

/// For each byte of a component, so many of machine code are too many.
const CODE: u64 = 64;

/// How many threads compile. Each takes memory of its own.
const THREADS: &str = "4";

/// What the first byte on standard output says of the others.
const CODE_FOLLOWS: u8 = 0;
const ERROR_FOLLOWS: u8 = 1;

/// The program that compiles when it is given [`ARGUMENT`].
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Says that this program has [`compile`] called where its first argument is [`ARGUMENT`]. A program that is not offload itself
/// compiles in its own process.
pub fn is_this_program() {
    if let Ok(program) = std::env::current_exe() {
        let _ = PROGRAM.set(program);
    }
}

/// The machine code of a component of a stranger, in the form that the engine of these settings loads.
pub(super) fn machine_code(engine: &Engine, component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    match PROGRAM.get() {
        Some(program) => elsewhere(program, component).map_err(wasmtime::Error::msg),
        None => engine.precompile_component(component),
    }
}

/// What is to be done in the process that compiles: reads a component and writes its machine code, or why there is none.
///
/// # Errors
/// Standard input or output is broken.
pub fn compile() -> io::Result<()> {
    // The engine's settings depend on the limits that everybody has.
    let engine = Engine::new(&engine::settings());
    let mut component = Vec::new();
    io::stdin().lock().take(MOST_BYTES).read_to_end(&mut component)?;
    limit(component.len() as u64)?;
    let mut out = io::stdout().lock();
    match engine.and_then(|engine| engine.precompile_component(&component)) {
        Ok(code) => {
            out.write_all(&[CODE_FOLLOWS])?;
            out.write_all(&code)?;
        }
        Err(error) => {
            out.write_all(&[ERROR_FOLLOWS])?;
            write!(out, "{error:#}")?;
        }
    }
    out.flush()
}

fn limit(bytes: u64) -> io::Result<()> {
    for (resource, most) in [
        (Resource::RLIMIT_DATA, memory(bytes)),
        (Resource::RLIMIT_CPU, seconds(bytes)),
        // What is left of a process that was ended is of no use to anybody.
        (Resource::RLIMIT_CORE, 0),
    ] {
        let (_, hard) = nix::sys::resource::getrlimit(resource)?;
        setrlimit(resource, most.min(hard), hard)?;
    }
    Ok(())
}

fn memory(bytes: u64) -> u64 {
    MEMORY.0 + MEMORY.1 * bytes
}

fn seconds(bytes: u64) -> u64 {
    SECONDS.0 + SECONDS.1 * bytes.div_ceil(1 << 20)
}

/// Starts a process that compiles the component, and waits for its end.
fn elsewhere(program: &std::path::Path, component: &[u8]) -> Result<Vec<u8>, String> {
    let bytes = component.len() as u64;
    let command = Command {
        argv: vec![program.to_string_lossy().into_owned(), ARGUMENT.to_owned()],
        env: vec![("RAYON_NUM_THREADS".to_owned(), THREADS.to_owned())],
        ..Command::default()
    };
    let kept = Kept { bytes: Arc::default(), most: bytes * CODE + (1 << 20) };
    let stdout = Output { log: Some(Box::new(kept.clone())), ..Output::default() };
    let mut stdio = Stdio { stdin: component.to_vec().into(), stdout, ..Stdio::default() };
    let time = Duration::from_secs(seconds(bytes)) * WALL;
    // This function may be called on a thread of a runtime, which cannot start another there.
    let ended = std::thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let running = async { tokio::time::timeout(time, process::run(&command, &mut stdio)).await };
            runtime.block_on(running).map_err(|_| io::ErrorKind::TimedOut.into()).flatten()
        };
        scope.spawn(run).join().unwrap_or_else(|_| Err(io::Error::other("the thread that waits for it panicked")))
    });
    let said = String::from_utf8_lossy(&std::mem::take(&mut stdio.stderr.capture).into_bytes()).trim().to_owned();
    match ended {
        Ok(Exit::Code(0)) => kept.code(),
        Ok(Exit::Signal(signal)) if signal == nix::libc::SIGXCPU || signal == nix::libc::SIGKILL => {
            Err(too_slow(bytes))
        }
        Ok(Exit::Signal(_)) if said.contains("memory allocation") => {
            Err(format!("compiling it takes more than {} MiB of memory", memory(bytes) >> 20))
        }
        Ok(exit) => Err(format!("the process that compiles it ended with {exit:?}: {said}")),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(too_slow(bytes)),
        Err(error) => Err(format!("the process that compiles it: {error}")),
    }
}

fn too_slow(bytes: u64) -> String {
    format!("compiling it takes more than {} s", seconds(bytes))
}

/// What a process prints, up to a limit.
#[derive(Clone)]
struct Kept {
    bytes: Arc<Mutex<Vec<u8>>>,
    most: u64,
}

impl Kept {
    fn code(self) -> Result<Vec<u8>, String> {
        let mut bytes = std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner));
        match bytes.first() {
            Some(&CODE_FOLLOWS) => {
                bytes.remove(0);
                Ok(bytes)
            }
            Some(_) => Err(String::from_utf8_lossy(&bytes[1..]).into_owned()),
            None => Err("the process that compiles it said nothing".to_owned()),
        }
    }
}

impl Write for Kept {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        if (bytes.len() + piece.len()) as u64 > self.most {
            return Err(io::Error::other("it has too much machine code"));
        }
        bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! `io`: the standard streams of a command, held by the host.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use wasmtime::component::Resource;

use crate::model::Stream;
use crate::plugin::bindings::imports::io::{self, Input};
use crate::plugin::store::State;
use crate::process::Stdio;

/// What the resource `stdio` stands for.
pub struct SharedStdio(Arc<Mutex<Stdio>>);

impl SharedStdio {
    pub(in crate::plugin) fn new(stdio: Arc<Mutex<Stdio>>) -> Self {
        Self(stdio)
    }

    pub(super) fn streams(&self) -> Arc<Mutex<Stdio>> {
        self.0.clone()
    }
}

impl io::Host for State {}

impl io::HostStdio for State {
    async fn read_stdin(
        &mut self,
        stdio: Resource<SharedStdio>,
        at_most: u32,
        wait_ms: Option<u32>,
    ) -> wasmtime::Result<Input> {
        let streams = self.table.get(&stdio)?.streams();
        let mut streams = streams.lock().await;
        let next = streams.stdin.next(at_most as usize);
        let next = match wait_ms {
            None => next.await,
            Some(limit) => match tokio::time::timeout(Duration::from_millis(limit.into()), next).await {
                Ok(next) => next,
                Err(_) => return Ok(Input::Nothing),
            },
        };
        Ok(next.map_or(Input::End, Input::Bytes))
    }

    async fn write_stdout(&mut self, stdio: Resource<SharedStdio>, bytes: Vec<u8>) -> wasmtime::Result<()> {
        let streams = self.table.get(&stdio)?.streams();
        Ok(streams.lock().await.stdout.write(Stream::Stdout, &bytes).await?)
    }

    async fn write_stderr(&mut self, stdio: Resource<SharedStdio>, bytes: Vec<u8>) -> wasmtime::Result<()> {
        let streams = self.table.get(&stdio)?.streams();
        Ok(streams.lock().await.stderr.write(Stream::Stderr, &bytes).await?)
    }

    async fn drop(&mut self, stdio: Resource<SharedStdio>) -> wasmtime::Result<()> {
        self.table.delete(stdio)?;
        Ok(())
    }
}

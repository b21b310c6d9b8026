//! `bridge`: it is part of every provider's world, and what some tools make imports all of its world. No helper is kept yet,
//! and whoever opens one is told so.

use wasmtime::component::Resource;

use super::io::SharedStdio;
use crate::plugin::bindings::imports::bridge;
use crate::plugin::bindings::imports::types::{Command, Exit, Failure};
use crate::plugin::store::State;

/// What the resource `connection` stands for: there is none.
pub enum Connection {}

impl bridge::Host for State {}

impl bridge::HostConnection for State {
    async fn open(&mut self, _: Command) -> wasmtime::Result<Result<Resource<Connection>, Failure>> {
        Ok(Err(Failure {
            code: "no-bridge".into(),
            message: "this offload keeps no helper processes for plugins".into(),
            help: Some("start the program anew for each call, with process.run or process.capture".into()),
            retryable: false,
        }))
    }

    async fn call(
        &mut self,
        connection: Resource<Connection>,
        _: String,
        _: String,
    ) -> wasmtime::Result<Result<String, Failure>> {
        match *self.table.get(&connection)? {}
    }

    async fn exec(
        &mut self,
        connection: Resource<Connection>,
        _: String,
        _: String,
        _: Resource<SharedStdio>,
    ) -> wasmtime::Result<Result<Exit, Failure>> {
        match *self.table.get(&connection)? {}
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        match self.table.delete(connection)? {}
    }
}

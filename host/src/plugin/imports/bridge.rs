//! `bridge`: the resident helpers of a plugin.

use serde_json::Value;
use wasmtime::component::Resource;

use super::io::SharedStdio;
use super::process::could_not_start;
use crate::model;
use crate::plugin::bindings::imports::bridge;
use crate::plugin::bindings::imports::types::{Command, Exit, Failure};
use crate::plugin::bridge::Helper;
use crate::plugin::scripted::Processes;
use crate::plugin::store::State;

/// What the resource `connection` stands for.
pub struct Connection(Helper);

impl bridge::Host for State {}

impl bridge::HostConnection for State {
    async fn open(&mut self, command: Command) -> wasmtime::Result<Result<Resource<Connection>, Failure>> {
        let command = match self.rights.command(command) {
            Ok(command) => command,
            Err(denial) => return Ok(Err(self.deny(denial))),
        };
        if let Processes::Scripted(_) = &self.processes {
            let failure = model::Failure::new("no-bridge", "a script in place of programs keeps no helper")
                .with_help("test what speaks to a helper against the real one");
            return Ok(Err(failure.into()));
        }
        let opened = self.helpers.open(command, &self.log, |command, error| could_not_start(command, error).into());
        match opened {
            Ok(helper) => Ok(Ok(self.table.push(Connection(helper))?)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    async fn call(
        &mut self,
        connection: Resource<Connection>,
        method: String,
        params: String,
    ) -> wasmtime::Result<Result<String, Failure>> {
        let helper = self.table.get(&connection)?.0.clone();
        let answer = match parameters(&params) {
            Ok(params) => helper.call(&method, &params).await,
            Err(failure) => Err(failure),
        };
        Ok(answer.map(|answer| answer.to_string()).map_err(Failure::from))
    }

    async fn exec(
        &mut self,
        connection: Resource<Connection>,
        method: String,
        params: String,
        stdio: Resource<SharedStdio>,
    ) -> wasmtime::Result<Result<Exit, Failure>> {
        let helper = self.table.get(&connection)?.0.clone();
        let streams = self.table.get(&stdio)?.streams();
        let mut streams = streams.lock().await;
        let exit = match parameters(&params) {
            Ok(params) => helper.exec(&method, &params, &mut streams).await,
            Err(failure) => Err(failure),
        };
        Ok(exit.map(Exit::from).map_err(Failure::from))
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

fn parameters(params: &str) -> Result<Value, model::Failure> {
    serde_json::from_str(params)
        .map_err(|error| model::Failure::new("bad-call", format!("the parameters for the helper are no JSON: {error}")))
}

//! `host`: settings and log.

use crate::model::NoticeLevel;
use crate::plugin::bindings::imports::{host, types};
use crate::plugin::store::State;

impl types::Host for State {}

impl host::Host for State {
    async fn settings(&mut self) -> wasmtime::Result<String> {
        Ok(self.settings.to_string())
    }

    async fn log(&mut self, level: String, message: String) -> wasmtime::Result<()> {
        let plugin = &self.plugin;
        match level.as_str() {
            "debug" => tracing::debug!("{plugin}: {message}"),
            "info" => (self.log)(NoticeLevel::Info, message),
            "error" => (self.log)(NoticeLevel::Error, message),
            _ => (self.log)(NoticeLevel::Warning, message),
        }
        Ok(())
    }
}

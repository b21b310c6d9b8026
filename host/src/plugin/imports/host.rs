//! `host`: settings and log.

use std::sync::atomic::Ordering;

use crate::model::NoticeLevel;
use crate::plugin::bindings::imports::{host, types};
use crate::plugin::store::State;

/// What a plugin says beyond this, in messages of a run and in characters of one, nobody reads.
const MOST_MESSAGES: u32 = 100;
const LONGEST_MESSAGE: usize = 4096;

impl types::Host for State {}

impl host::Host for State {
    async fn settings(&mut self) -> wasmtime::Result<String> {
        Ok(self.settings.to_string())
    }

    async fn log(&mut self, level: String, message: String) -> wasmtime::Result<()> {
        let plugin = &self.plugin;
        if level == "debug" {
            tracing::debug!("{plugin}: {message}");
            return Ok(());
        }
        let message = match message.char_indices().nth(LONGEST_MESSAGE) {
            Some((end, _)) => format!("{}…", &message[..end]),
            None => message,
        };
        let said = self.messages.fetch_add(1, Ordering::Relaxed);
        if said >= MOST_MESSAGES {
            if said == MOST_MESSAGES {
                let rest = format!("plugin `{plugin}` says more than {MOST_MESSAGES} things: the rest is left out");
                (self.log)(NoticeLevel::Warning, rest);
            }
            return Ok(());
        }
        match level.as_str() {
            "info" => (self.log)(NoticeLevel::Info, message),
            "error" => (self.log)(NoticeLevel::Error, message),
            _ => (self.log)(NoticeLevel::Warning, message),
        }
        Ok(())
    }
}

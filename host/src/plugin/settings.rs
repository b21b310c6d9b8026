//! What a component is told of its configuration.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

/// A plugin's own table of the configuration as a JSON object.
pub type Settings = Arc<str>;

/// The table that a typed configuration stands for.
pub fn settings_of(config: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(config) {
        Ok(Value::Object(settings)) => settings,
        // Configurations are structs of plain values, which always make an object.
        Ok(_) | Err(_) => Map::new(),
    }
}

//! Values of environment variables may be secrets, and what is printed for debugging ends up in logs.

use std::fmt;

use serde_json::{Map, Value};

/// Shows the names only.
pub(super) struct Names<'a>(pub(super) &'a [(String, String)]);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Shows a plugin's settings without the values of their `env`.
pub(super) struct Settings<'a>(pub(super) &'a Map<String, Value>);

impl fmt::Debug for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.0 {
            match value {
                Value::Object(variables) if key == "env" => {
                    map.entry(key, &variables.keys().collect::<Vec<_>>());
                }
                value => {
                    map.entry(key, value);
                }
            }
        }
        map.finish()
    }
}

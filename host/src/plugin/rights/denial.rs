//! What a component wanted and was not given, in words.

use std::sync::Arc;

use crate::model::Failure;

/// The failure of a call that wanted more than was granted.
const DENIED: &str = "denied";

/// What a component wanted and was not given.
#[derive(Clone, Debug)]
pub struct Denial {
    pub(super) plugin: Arc<str>,
    pub(super) wanted: String,
    pub(super) help: String,
}

impl From<Denial> for Failure {
    fn from(Denial { plugin, wanted, help }: Denial) -> Self {
        Self::new(DENIED, format!("plugin `{plugin}` may not {wanted}")).with_help(help)
    }
}

/// The name of a plugin's table, as TOML needs it.
pub fn table_of(plugin: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let name = if !plugin.is_empty() && plugin.bytes().all(bare) { plugin.to_owned() } else { quoted(plugin) };
    format!("plugins.{name}")
}

/// Text as TOML needs it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A command line that a person can read: on one line, and not longer than that.
pub(in crate::plugin) fn shown(argv: &[String]) -> String {
    const LONGEST: usize = 200;
    let line: String = shell_words::join(argv).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

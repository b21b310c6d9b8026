//! The component of the crate whose tests run.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

/// Where components are compiled for.
const TARGET: &str = "wasm32-wasip2";

/// What cargo says of what it made.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Compiles the crate in this directory, for which `env!("CARGO_MANIFEST_DIR")` stands, as a component; returns where that is.
///
/// # Panics
/// It does not compile: cargo has said why by then.
pub fn build(crate_dir: impl AsRef<Path>) -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    let output = command.current_dir(crate_dir).stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run cargo: {error}"));
    assert!(output.status.success(), "the component does not compile: cargo says why above");
    let messages = output.stdout.split(|byte| *byte == b'\n');
    let messages = messages.filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let made = messages.filter(|message| message.reason == "compiler-artifact").flat_map(|message| message.filenames);
    // The crate's own comes after those of what it depends on.
    let component =
        made.fold(None, |last, file| if file.extension() == Some(OsStr::new("wasm")) { Some(file) } else { last });
    component.unwrap_or_else(|| panic!("cargo made no component: is crate-type in Cargo.toml [\"cdylib\", \"rlib\"]?"))
}

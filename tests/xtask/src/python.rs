//! Virtual environments under target/, made from pinned requirements.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{program, workspace};

/// All that the real suites import.
const SUITE_PINS: &[&str] = &[
    "pytest==9.2.0",
    "pytest-xdist==3.8.0",
    "attrs==26.1.0",
    "freezegun==1.5.5",
    "hypothesis==6.170.15",
    "pretend==1.0.9",
    "trio==0.35.0",
];

/// What a small project needs.
const PYTEST_PINS: &[&str] = &["pytest==9.2.0"];

/// The plugins of pytest that most projects have some of.
const PLUGIN_PINS: &[&str] = &[
    "pytest==9.2.0",
    "pytest-asyncio==1.5.0",
    "pytest-cov==7.1.0",
    "pytest-dependency==0.6.1",
    "pytest-django==4.14.0",
    "pytest-mock==3.17.0",
    "pytest-order==1.5.0",
    "pytest-rerunfailures==16.7",
    "pytest-timeout==2.4.0",
    "pytest-xdist==3.8.0",
    "coverage==7.17.3",
    "Django==5.2.19",
    "hypothesis==6.170.15",
];

/// Modal's SDK, which brings the protocol that the stand-in for its servers speaks.
const MODAL_PINS: &[&str] = &["modal==1.6.4"];

/// The oldest and the middle of the major versions that offload works with, and the newest.
const PYTEST_VERSIONS: &[(&str, &str)] =
    &[("pytest7-venv", "pytest==7.4.4"), ("pytest8-venv", "pytest==8.4.2"), ("pytest9-venv", "pytest==9.2.0")];

/// The environment that the real suites run in; its `bin` directory.
pub fn for_suites() -> Result<PathBuf> {
    environment("suites-venv", SUITE_PINS)
}

/// The environment with pytest alone, for the demo and small tests; its `bin` directory.
pub fn with_pytest() -> Result<PathBuf> {
    environment("pytest-venv", PYTEST_PINS)
}

/// The environment with pytest and its plugins.
pub fn with_plugins() -> Result<()> {
    environment("plugins-venv", PLUGIN_PINS).map(drop)
}

/// The environment with Modal's SDK.
pub fn with_modal() -> Result<()> {
    environment("modal-venv", MODAL_PINS).map(drop)
}

/// The environment that makes components of Python, with what the example plugin pins; its `bin` directory.
pub fn with_componentize() -> Result<PathBuf> {
    let pins = workspace::root().join("plugins/examples/unittest/requirements.txt");
    let pins = fs::read_to_string(&pins).with_context(|| format!("failed to read {}", pins.display()))?;
    environment("componentize-venv", &pins.lines().collect::<Vec<_>>())
}

/// An environment for each major version of pytest.
pub fn with_each_pytest() -> Result<()> {
    PYTEST_VERSIONS.iter().try_for_each(|(name, pin)| environment(name, &[pin]).map(drop))
}

fn environment(name: &str, pins: &[&str]) -> Result<PathBuf> {
    let dir = workspace::target().join(name);
    let bin = dir.join("bin");
    // Written last, so that an installation that was interrupted is made again.
    let stamp = dir.join("pins.txt");
    let wanted = pins.join("\n");
    // Without its configuration a Python there is that of the system.
    let is_whole = dir.join("pyvenv.cfg").is_file();
    if is_whole && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(bin);
    }
    make(&dir)?;
    program::run(Command::new(bin.join("python")).args(["-m", "pip", "install", "--quiet"]).args(pins))
        .with_context(|| format!("failed to install {} into {}", pins.join(", "), dir.display()))?;
    fs::write(&stamp, wanted).with_context(|| format!("failed to write {}", stamp.display()))?;
    Ok(bin)
}

fn make(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("failed to make {}", dir.display()))?;
    program::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(dir))
        .context("failed to make a virtual environment; on Debian and Ubuntu `apt-get install python3-venv` brings it")
}

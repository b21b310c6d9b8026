//! `cargo xtask package`: the crate `offload` with all that it needs besides its own code.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{components, console, program, toolchain, workspace};

/// What the packages of all components begin with; what follows is the name of their file.
const PREFIX: &str = "offload-";

/// The workspace's profile, which the crate does not bring along.
const PROFILE: [&str; 3] = [
    "profile.dev.debug=\"line-tables-only\"",
    "profile.dev.package.\"*\".opt-level=2",
    "profile.dev.package.\"*\".debug=false",
];

/// Builds the components, puts them into the crate and packages that. Whether it installs is for a test to say.
pub fn run() -> Result<()> {
    let root = workspace::root();
    let packaged = root.join("host").join("packaged");
    console::step("wasm target", toolchain::wasm_target)?;
    if packaged.exists() {
        fs::remove_dir_all(&packaged).with_context(|| format!("failed to empty {}", packaged.display()))?;
    }
    console::step("components", || components(&packaged.join("components")))?;
    console::step("sources for authors of plugins", || sources(root, &packaged.join("sources")))?;
    console::step("crate", || {
        program::run(program::cargo(root).args(["package", "--package", "offload", "--no-verify", "--allow-dirty"]))
    })
}

/// Installs the packaged crate into `target/installed` by a compiler that knows no WebAssembly, as people without this
/// repository would, but for optimisation. What it depends on is built as in the workspace, so that this is not done twice.
pub fn install() -> Result<()> {
    let target = workspace::target();
    let place = tempfile::tempdir().context("failed to make a directory")?;
    let crates = target.join("package");
    let name = concat!("offload-", env!("CARGO_PKG_VERSION"));
    program::run(
        Command::new("tar").arg("-xzf").arg(crates.join(format!("{name}.crate"))).arg("-C").arg(place.path()),
    )?;
    let compiler = place.path().join("rustc");
    let script = "#!/bin/sh\ncase \" $* \" in *' --target wasm32'*) echo 'no such target' >&2; exit 1 ;; esac\nexec rustc \"$@\"\n";
    fs::write(&compiler, script).context("failed to write a script")?;
    fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).context("failed to make a script executable")?;
    let mut install = program::cargo(place.path());
    install.args(["install", "--debug", "--locked", "--force", "--path", name]).env("RUSTC", compiler);
    install.arg("--root").arg(target.join("installed")).env("CARGO_TARGET_DIR", &target);
    for setting in PROFILE {
        install.args(["--config", setting]);
    }
    program::run(&mut install)
}

/// The components that the host embeds, compiled as it compiles them.
fn components(folder: &Path) -> Result<()> {
    let packages = plugins(workspace::root())?;
    components::build(packages.iter().map(String::as_str))?;
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    for package in packages {
        let built = components::file(&package);
        let plugin = package.strip_prefix(PREFIX).unwrap_or(&package);
        let to = folder.join(format!("{plugin}.wasm"));
        fs::copy(&built, &to).with_context(|| format!("failed to copy {} to {}", built.display(), to.display()))?;
    }
    Ok(())
}

/// What `offload plugin new` puts into projects. Manifests get another name: cargo leaves folders with one out.
fn sources(root: &Path, to: &Path) -> Result<()> {
    let listed = program::output(Command::new("git").current_dir(root).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "plugins/sdk",
        "wit",
        "Cargo.toml",
        "LICENSE",
    ]))?;
    for path in listed.lines() {
        let name = if path.ends_with("Cargo.toml") { format!("{path}.in") } else { path.to_owned() };
        let file = to.join(name);
        let folder = file.parent().context("a file without a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
        fs::copy(root.join(path), &file).with_context(|| format!("failed to copy {path}"))?;
    }
    Ok(())
}

/// The packages of the components that come with offload: a folder each below those of the kinds.
fn plugins(root: &Path) -> Result<Vec<String>> {
    let mut plugins = Vec::new();
    for (kind, folder) in [("framework", "frameworks"), ("provider", "providers")] {
        let folder: PathBuf = root.join("plugins").join(folder);
        let entries = fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))?;
        for entry in entries {
            let name = entry.context("failed to list plugins")?.file_name();
            plugins.push(format!("{PREFIX}{kind}-{}", name.to_string_lossy()));
        }
    }
    ensure!(!plugins.is_empty(), "there are no plugins in {}", root.display());
    Ok(plugins)
}

//! Builds the built-in plugins as components and hands them to `src/plugin/embedded.rs`.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";
const PREBUILT: &str = "OFFLOAD_PREBUILT_PLUGINS";
/// Where `cargo xtask package` puts the components into the crate.
const PACKAGED: &str = "packaged/components";
const PLUGINS: [&str; 6] =
    ["provider-default", "provider-local", "framework-cargo", "framework-default", "framework-go", "framework-pytest"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={PREBUILT}");
    let out = PathBuf::from(variable("OUT_DIR"));
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let components = match env::var_os(PREBUILT) {
        Some(folder) => prebuilt(Path::new(&folder)),
        None if root.join("../plugins/sdk").is_dir() => build(&out),
        // Not a checkout: the crate was packaged, with what it needs.
        None => prebuilt(&root.join(PACKAGED)),
    };
    let table = table(&components);
    let file = out.join("components.rs");
    fs::write(&file, table).unwrap_or_else(|error| fail(&format!("cannot write {}: {error}", file.display())));
}

/// Packagers, and machines that cannot have the WebAssembly target, bring the components themselves.
fn prebuilt(folder: &Path) -> Vec<(&'static str, PathBuf)> {
    println!("cargo::rerun-if-changed={}", folder.display());
    PLUGINS
        .iter()
        .map(|name| {
            let file = folder.join(format!("{name}.wasm"));
            if !file.is_file() {
                fail(&format!(
                    "there is no {name}.wasm in {}. {PREBUILT} must name a folder with {}; a crate brings them along if it is \
                     packaged by `cargo xtask package`",
                    folder.display(),
                    PLUGINS.map(|name| format!("{name}.wasm")).join(", "),
                ));
            }
            (*name, file.canonicalize().unwrap_or(file))
        })
        .collect()
}

fn build(out: &Path) -> Vec<(&'static str, PathBuf)> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("..");
    // Whole folders would be watched with whatever an editor leaves in them; these are all that a plugin is made of.
    for input in ["wit", "Cargo.toml", "Cargo.lock", "plugins"] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    require_target();
    let target_dir = out.join("plugins");
    let mut cargo = Command::new(variable("CARGO"));
    cargo.current_dir(&root);
    scrub(&mut cargo);
    // A target folder of its own: the outer cargo holds the lock of the shared one.
    cargo.args(["build", "--profile", "plugin", "--target", TARGET, "--target-dir"]).arg(&target_dir);
    for plugin in PLUGINS {
        cargo.arg("--package").arg(format!("offload-{plugin}"));
    }
    if env::var("CARGO_NET_OFFLINE").as_deref() == Ok("true") {
        cargo.arg("--offline");
    }
    match cargo.status() {
        Err(error) => fail(&format!("cannot run cargo for the built-in plugins: {error}")),
        Ok(status) if !status.success() => fail("building the built-in plugins failed; the messages above say why"),
        Ok(_) => {}
    }
    let built = target_dir.join(TARGET).join("plugin");
    PLUGINS.iter().map(|name| (*name, built.join(format!("offload_{}.wasm", name.replace('-', "_"))))).collect()
}

fn require_target() {
    let query = Command::new(variable("RUSTC")).args(["--print", "target-libdir", "--target", TARGET]).output();
    let installed = query.is_ok_and(|output| {
        output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    });
    if !installed {
        fail(&format!(
            "the built-in plugins are WebAssembly components, and the Rust target {TARGET} is not installed. \
             Run `rustup target add {TARGET}`, or set {PREBUILT} to a folder of built components."
        ));
    }
}

/// What the outer cargo set is meant for the host and would be wrong, or needlessly rebuild, for the guests.
fn scrub(cargo: &mut Command) {
    const NAMES: [&str; 11] = [
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
        "CARGO_MAKEFLAGS",
        "CARGO_TARGET_DIR",
        "OUT_DIR",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTFLAGS",
        "TARGET",
    ];
    const PREFIXES: [&str; 5] = ["CARGO_CFG_", "CARGO_FEATURE_", "CARGO_PKG_", "CARGO_PROFILE_", "LLVM_PROFILE"];
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if NAMES.contains(&&*text) || PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
}

fn table(components: &[(&str, PathBuf)]) -> String {
    let mut table = format!("pub(super) static COMPONENTS: [Embedded; {}] = [\n", components.len());
    for (name, file) in components {
        let bytes = fs::read(file).unwrap_or_else(|error| fail(&format!("cannot read {}: {error}", file.display())));
        let hash = blake3::hash(&bytes);
        writeln!(
            table,
            "    Embedded {{ name: {name:?}, bytes: include_bytes!({file:?}), hash: {:?} }},",
            hash.as_bytes()
        )
        .expect("writing to a string");
    }
    table + "];\n"
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("cargo did not set {name}")))
}

fn fail(message: &str) -> ! {
    println!("cargo::error={}", message.replace('\n', " "));
    std::process::exit(1)
}

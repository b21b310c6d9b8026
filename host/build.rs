//! Builds the built-in plugins as components and hands them to `src/plugin/embedded.rs`, and gathers what
//! `offload plugin new` writes.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use lzma_rust2::{LzmaOptions, LzmaWriter};

const TARGET: &str = "wasm32-wasip2";
const PREBUILT: &str = "OFFLOAD_PREBUILT_PLUGINS";
/// Where `cargo xtask package` puts into the crate what a checkout has elsewhere.
const PACKAGED: &str = "packaged";
/// Those that most runs need come first, since what precedes a component is unpacked with it.
const PLUGINS: [&str; 11] = [
    "provider-local",
    "framework-pytest",
    "framework-cargo",
    "framework-vitest",
    "framework-default",
    "framework-go",
    "provider-docker",
    "provider-ssh",
    "provider-modal",
    "provider-slurm",
    "provider-default",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={PREBUILT}");
    let out = PathBuf::from(variable("OUT_DIR"));
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let components = match env::var_os(PREBUILT) {
        Some(folder) => prebuilt(Path::new(&folder)),
        None if root.join("../plugins/sdk").is_dir() => build(&out),
        // Not a checkout: the crate was packaged, with what it needs.
        None => prebuilt(&root.join(PACKAGED).join("components")),
    };
    write(&out.join("components.rs"), &table(&out, &components));
    write(&out.join("templates.rs"), &texts("TEMPLATES", &templates()));
    write(&out.join("vendored.rs"), &texts("VENDORED", &vendored()));
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
    for input in ["wit", "Cargo.toml", "Cargo.lock", "plugins/sdk", "plugins/providers", "plugins/frameworks"] {
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

/// They are packed, since they are only unpacked where their compiled form is not in the cache; and as one stream, since they have
/// much in common: it is half as long as one stream each.
fn table(out: &Path, components: &[(&str, PathBuf)]) -> String {
    let (mut joined, mut rows) = (Vec::new(), String::new());
    for (name, file) in components {
        let bytes = fs::read(file).unwrap_or_else(|error| fail(&format!("cannot read {}: {error}", file.display())));
        let (start, length, hash) = (joined.len(), bytes.len(), blake3::hash(&bytes));
        joined.extend(bytes);
        let hash = hash.as_bytes();
        writeln!(rows, "    Embedded {{ name: {name:?}, start: {start}, length: {length}, hash: {hash:?} }},")
            .expect("writing to a string");
    }
    let packed = out.join("components.lzma");
    pack(&joined)
        .and_then(|stream| fs::write(&packed, stream))
        .unwrap_or_else(|error| fail(&format!("cannot write {}: {error}", packed.display())));
    let count = components.len();
    format!(
        "pub(super) static COMPONENTS: [Embedded; {count}] = [\n{rows}];\n\n\
         static PACKED: &[u8] = include_bytes!({packed:?});\n"
    )
}

fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut options = LzmaOptions::with_preset(9);
    // What unpacks it sets as much memory aside.
    options.dict_size = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    let mut writer = LzmaWriter::new_use_header(Vec::new(), &options, Some(bytes.len() as u64))?;
    writer.write_all(bytes)?;
    writer.finish()
}

/// The files of the projects that `offload plugin new` begins, by their paths below `templates/`.
fn templates() -> Vec<(String, PathBuf)> {
    files_below(&PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("src/cli/plugin/new/templates"), "")
}

/// What such a project brings along, by paths in the workspace: the contract, and the kit for authors in Rust with what its
/// manifest refers to.
fn vendored() -> Vec<(String, PathBuf)> {
    let crate_dir = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let root = crate_dir.join("..");
    if root.join("plugins/sdk").is_dir() {
        let files = ["Cargo.toml", "LICENSE"].map(|name| (name.to_owned(), root.join(name)));
        return ["plugins/sdk", "wit"].iter().flat_map(|folder| files_below(&root, folder)).chain(files).collect();
    }
    // A crate that was packaged brings them along; a folder with a manifest would have been left out of it.
    let packaged = files_below(&crate_dir.join(PACKAGED).join("sources"), "");
    packaged.into_iter().map(|(path, file)| (path.strip_suffix(".in").unwrap_or(&path).to_owned(), file)).collect()
}

/// All files below `root/folder`, by their paths below `root`, in the same order everywhere.
fn files_below(root: &Path, folder: &str) -> Vec<(String, PathBuf)> {
    // What tools leave behind is no source.
    const NO_SOURCES: [&str; 3] = ["__pycache__", "node_modules", "target"];
    let directory = root.join(folder);
    println!("cargo::rerun-if-changed={}", directory.display());
    let unreadable = |error| -> ! { fail(&format!("cannot read {}: {error}", directory.display())) };
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| unreadable(error));
    let entries = entries.map(|entry| entry.unwrap_or_else(|error| unreadable(error)));
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !NO_SOURCES.contains(&name.as_str()));
    names.sort();
    let paths = names.into_iter().map(|name| if folder.is_empty() { name } else { format!("{folder}/{name}") });
    let found = paths.flat_map(|path| match root.join(&path) {
        below if below.is_dir() => files_below(root, &path),
        file => vec![(path, file)],
    });
    found.collect()
}

fn texts(table: &str, files: &[(String, PathBuf)]) -> String {
    let mut text = format!("pub(super) static {table}: [(&str, &str); {}] = [\n", files.len());
    for (path, file) in files {
        writeln!(text, "    ({path:?}, include_str!({file:?})),").expect("writing to a string");
    }
    text + "];\n"
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap_or_else(|error| fail(&format!("cannot write {}: {error}", file.display())));
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("cargo did not set {name}")))
}

fn fail(message: &str) -> ! {
    println!("cargo::error={}", message.replace('\n', " "));
    std::process::exit(1)
}

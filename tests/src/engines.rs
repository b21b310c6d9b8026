//! What the tests need to have been built or installed before; a test that misses something says what, and what brings it.

use std::path::{Path, PathBuf};

/// The binary under test.
pub fn offload() -> PathBuf {
    built("offload")
}

/// The binary that was installed from the packaged crate.
pub fn installed_offload() -> PathBuf {
    there(target().join("installed").join("bin").join("offload"), "the offload of the packaged crate")
}

/// The program of `library/program.rs`.
pub fn library_program() -> PathBuf {
    built("library")
}

/// A Python that has pytest and nothing else, so that it starts fast.
pub fn python() -> PathBuf {
    there(python_bin().join("python"), "a Python environment with pytest")
}

/// A Python that has this major version of pytest, and nothing else.
pub fn old_python(version: u32) -> PathBuf {
    there(
        target().join(format!("pytest{version}-venv")).join("bin").join("python"),
        "a Python environment with an old pytest",
    )
}

/// A Python that has pytest with the plugins of it that most projects have some of.
pub fn plugins_python() -> PathBuf {
    there(target().join("plugins-venv").join("bin").join("python"), "the Python environment with plugins of pytest")
}

/// A Python that has Modal's SDK.
pub fn modal_python() -> PathBuf {
    there(target().join("modal-venv").join("bin").join("python"), "the Python environment with Modal's SDK")
}

/// The machine's Go. No checkout of ours brings one.
#[track_caller]
pub fn go() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join("go")).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("Go is missing. On Debian and Ubuntu `apt-get install golang-go` brings it"))
}

/// What Go finds in its environment: it builds below `target/` and fetches nothing.
#[track_caller]
pub fn go_environment() -> [(&'static str, PathBuf); 5] {
    // The cache takes the place of the user's own, so that nothing outside of `target/` is changed.
    [
        ("GOCACHE", target().join("go-cache")),
        ("GOENV", "off".into()),
        ("GOFLAGS", "".into()),
        ("GOPROXY", "off".into()),
        ("GOTOOLCHAIN", "local".into()),
    ]
}

/// A plugin that misbehaves as its settings say: `framework` or `provider`.
pub fn guest(kind: &str) -> PathBuf {
    component(&format!("guest_{kind}"))
}

/// A component of this workspace, compiled by itself: `framework_cargo`, `example_http_sandboxes`.
pub fn component(name: &str) -> PathBuf {
    there(target().join("guests/wasm32-wasip2/plugin").join(format!("offload_{name}.wasm")), "a plugin for tests")
}

/// An example plugin that is written in another language: `unittest`, `node_test`.
pub fn example(name: &str) -> PathBuf {
    there(target().join("examples").join(format!("{name}.wasm")), "an example plugin")
}

/// The packages of this major version of vitest: a `node_modules`.
pub fn vitest(version: u32) -> PathBuf {
    there(target().join(format!("vitest{version}")).join("node_modules"), "a vitest")
}

/// The directory with that Python and its scripts.
pub fn python_bin() -> PathBuf {
    target().join("pytest-venv").join("bin")
}

/// A Python that has pytest and all that the real suites import.
pub fn suite_python() -> PathBuf {
    there(target().join("suites-venv").join("bin").join("python"), "the Python environment of the real suites")
}

/// A real suite: `py/packaging-25.0`, `rs/semver-1.0.26`.
pub fn suite(name: &str) -> PathBuf {
    there(target().join("suites").join(name), "a real test suite")
}

fn built(name: &str) -> PathBuf {
    there(profile().join(name), "a program of this workspace")
}

/// `target/debug`, from `target/debug/deps/e2e-…`.
fn profile() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let deps = test.parent().expect("a test lies in a directory");
    if deps.ends_with("deps") { deps.parent().unwrap_or(deps).to_owned() } else { deps.to_owned() }
}

/// Where cargo puts what it builds, and xtask what it brings.
pub fn target() -> PathBuf {
    profile().parent().expect("the profile's directory lies in the target directory").to_owned()
}

#[track_caller]
fn there(path: PathBuf, what: &str) -> PathBuf {
    assert!(Path::new(&path).exists(), "{what} is missing: {}. `cargo xtask test` brings it", path.display());
    path
}

use std::{error::Error, fs, path::Path};

use super::super::load_config;

#[track_caller]
fn check(path: &Path, message: &str) {
    let error = load_config(path).expect_err("no configuration");
    assert_eq!(error.to_string(), message.replace("PATH", &path.display().to_string()));
}

#[test]
fn a_path_without_a_readable_file_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("offload.toml");
    check(&file, "there is no configuration file at `PATH`");
    check(directory.path(), "`PATH` is a directory, not a configuration file");
    fs::write(&file, b"a = 1\nb = \"\xff\"\n").expect("a file");
    check(&file, "`PATH` is not UTF-8 text: see line 2");
    check(&file.join("below"), "the configuration file `PATH` cannot be read");
    check(Path::new("/dev/zero"), "`PATH` is larger than 16 MiB");
}

#[test]
fn what_the_system_said_is_the_cause() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = load_config(&file.path().join("below")).expect_err("no directory");
    assert!(error.source().expect("a cause").to_string().contains("ot a directory"));
}

#[test]
fn the_root_is_the_directory_of_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("offload.toml");
    fs::write(&file, "\u{feff}[groups.a]\r\ntype = \"pytest\"\r\n").expect("a file");
    assert_eq!(load_config(&file).expect("a configuration").root, directory.path());
}

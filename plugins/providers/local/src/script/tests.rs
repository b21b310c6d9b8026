//! The scripts, run by the shell of this machine.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;

use super::*;

const NASTY: &str = "-it's a \"$HOME\" `id`\n*";

/// A directory that goes with the test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("local-provider-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a test directory can be made");
        Self(path.canonicalize().expect("it has a physical path"))
    }

    fn with(self, file: &str, contents: &str) -> Self {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("files are below the directory")).expect("directories can be made");
        fs::write(path, contents).expect("files can be written");
        self
    }

    fn path(&self, below: &str) -> String {
        self.0.join(below).to_str().expect("paths are UTF-8").to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn output(command: &Command, temporary: &Place) -> Output {
    std::process::Command::new(&command.argv[0])
        .args(&command.argv[1..])
        .env("TMPDIR", &temporary.0)
        .output()
        .expect("sh starts")
}

#[track_caller]
fn succeed(command: &Command, temporary: &Place) -> String {
    let output = output(command, temporary);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("paths are UTF-8")
}

#[test]
fn a_scratch_directory_is_private_and_goes_with_its_parent() {
    let temporary = Place::new("scratch");
    let one = succeed(&create("r1", "one", None), &temporary);
    let two = succeed(&create("r1", NASTY, None), &temporary);
    assert_eq!(one, temporary.path("offload-r1/one"));
    assert_eq!(fs::metadata(&one).expect("it exists").permissions().mode() & 0o777, 0o700);

    succeed(&remove([one.as_str()]), &temporary);
    assert!(!Path::new(&one).exists() && Path::new(&two).exists());
    succeed(&remove([one.as_str(), two.as_str()]), &temporary);
    assert!(!Path::new(&temporary.path("offload-r1")).exists());
}

#[test]
fn what_a_broken_off_creation_left_is_replaced() {
    let temporary = Place::new("leftover").with("offload-r1/one/work/stale", "");
    let scratch = succeed(&create("r1", "one", None), &temporary);
    assert_eq!(fs::read_dir(scratch).expect("it exists").count(), 0);
}

#[test]
fn does_not_follow_a_link_that_somebody_placed() {
    let temporary = Place::new("link").with("victim/file", "");
    symlink(temporary.path("victim"), temporary.path("offload-r1")).expect("links can be made");
    let output = output(&create("r1", "victim", None), &temporary);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("offload-r1"));
    assert!(Path::new(&temporary.path("victim/file")).exists());
}

#[test]
fn a_private_copy_holds_the_whole_tree() {
    let temporary = Place::new("copy-to");
    let original = Place::new("copy-from").with(&format!("{NASTY}/.hidden"), "text");
    symlink("dangling", original.path("link")).expect("links can be made");
    let source = original.path("");
    let scratch = succeed(&create("r1", "one", Some(&source)), &temporary);
    let copy = Path::new(&scratch).join("work");
    assert_eq!(fs::read_to_string(copy.join(NASTY).join(".hidden")).expect("it was copied"), "text");
    assert!(copy.join("link").is_symlink());
}

#[test]
fn never_copies_a_tree_into_itself() {
    let tree = Place::new("inside").with("tmp/file", "");
    let temporary = Place(PathBuf::from(tree.path("tmp")));
    let source = tree.path("");
    // Test directories are below the system's temporary directory, where the copy may go instead.
    let scratch = succeed(&create("inside", "one", Some(&source)), &temporary);
    assert!(!scratch.starts_with(&source), "{scratch}");
    succeed(&remove([scratch.as_str()]), &temporary);
    assert_eq!(output(&create("inside", "one", Some("/")), &temporary).status.code(), Some(3));
}

#[test]
fn a_tree_that_is_missing_is_named_and_leaves_nothing() {
    let temporary = Place::new("no-tree");
    let output = output(&create("r1", "one", Some("/no/such/tree")), &temporary);
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/tree"));
    assert!(!Path::new(&temporary.path("offload-r1")).exists());
}

#[test]
fn directories_are_merged_into_their_target() {
    let place = Place::new("dirs").with(&format!("{NASTY}/a"), "new").with("to/deep/b", "old");
    succeed(&copy_directory(&place.path(NASTY), &place.path("to/deep")), &place);
    assert_eq!(fs::read_to_string(place.path("to/deep/a")).expect("it was copied"), "new");
    assert!(Path::new(&place.path("to/deep/b")).exists());
    assert_eq!(output(&copy_directory(&place.path("missing"), &place.path("to")), &place).status.code(), Some(3));
}

#[test]
fn missing_files_are_told_by_position() {
    let place = Place::new("files").with(NASTY, "contents");
    let (there, missing, to) = (place.path(NASTY), place.path("missing\n0"), place.path("copy of it"));
    let pairs = [(missing.as_str(), "/nowhere"), (there.as_str(), to.as_str()), (missing.as_str(), "/nowhere")];
    let sandbox = place.path("");
    assert_eq!(succeed(&copy_files(&sandbox, pairs), &place), "0\n2\n");
    assert_eq!(fs::read_to_string(&to).expect("it was copied"), "contents");
    assert_eq!(succeed(&copy_files(&sandbox, []), &place), "");
    assert!(!output(&copy_files(&sandbox, [(sandbox.as_str(), "/nowhere")]), &place).status.success());
    assert_eq!(output(&copy_files(&missing, pairs), &place).status.code(), Some(3), "the sandbox is gone");
}

#[test]
fn removes_what_may_not_be_written_to() {
    let temporary = Place::new("read-only");
    let scratch = succeed(&create("r1", "one", None), &temporary);
    let locked = Path::new(&scratch).join("locked");
    fs::create_dir(&locked).expect("directories can be made");
    fs::write(locked.join("file"), "").expect("files can be written");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).expect("permissions can be set");
    succeed(&remove([scratch.as_str()]), &temporary);
    assert!(!Path::new(&scratch).exists());
}

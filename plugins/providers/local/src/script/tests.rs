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
    let one = succeed(&create("r1", "one", None, None), &temporary);
    let two = succeed(&create("r1", NASTY, None, None), &temporary);
    assert_eq!(one, temporary.path("offload-r1/one"));
    assert_eq!(fs::metadata(&one).expect("it exists").permissions().mode() & 0o777, 0o700);

    succeed(&remove([one.as_str()]), &temporary);
    assert!(!Path::new(&one).exists() && Path::new(&two).exists());
    succeed(&remove([one.as_str(), two.as_str()]), &temporary);
    assert!(!Path::new(&temporary.path("offload-r1")).exists());
}

#[test]
fn a_temporary_directory_goes_with_its_sandbox_and_what_the_run_shares_stays() {
    let temporary = Place::new("tmp").with("ofl-abcdef/one/stale", "");
    let tmp = temporary.path("ofl-abcdef/one");
    let scratch = succeed(&create("r1", "one", None, Some(&tmp)), &temporary);
    assert_eq!(fs::read_dir(&tmp).expect("it exists").count(), 0);
    assert_eq!(fs::metadata(&tmp).expect("it exists").permissions().mode() & 0o777, 0o700);
    succeed(&remove([tmp.as_str(), scratch.as_str()]), &temporary);
    assert!(!Path::new(&tmp).exists() && Path::new(&temporary.path("ofl-abcdef")).exists());

    let scratch = succeed(&create("r1", "two", None, Some("tmp")), &temporary);
    assert!(Path::new(&scratch).join("tmp").is_dir());
    let failed = output(&create("r1", "three", None, Some("/no/such/directory")), &temporary);
    assert!(!failed.status.success() && !Path::new(&temporary.path("offload-r1/three")).exists());
}

#[test]
fn what_a_broken_off_creation_left_is_replaced() {
    let temporary = Place::new("leftover").with("offload-r1/one/work/stale", "");
    let scratch = succeed(&create("r1", "one", None, None), &temporary);
    assert_eq!(fs::read_dir(scratch).expect("it exists").count(), 0);
}

#[test]
fn does_not_follow_a_link_that_somebody_placed() {
    let temporary = Place::new("link").with("victim/file", "");
    symlink(temporary.path("victim"), temporary.path("offload-r1")).expect("links can be made");
    let output = output(&create("r1", "victim", None, None), &temporary);
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
    let scratch = succeed(&create("r1", "one", Some(&source), None), &temporary);
    let copy = Path::new(&scratch).join("work");
    assert_eq!(fs::read_to_string(copy.join(NASTY).join(".hidden")).expect("it was copied"), "text");
    assert!(copy.join("link").is_symlink());
}

/// A project beside other directories, with links of all kinds.
fn linked(name: &str) -> Place {
    let place =
        Place::new(name).with("project/src/it's here", "").with("project/src/.bin/x", "").with("shared/data", "");
    let whole = place.path("project/src/it's here");
    for (link, held) in [
        ("out", "../shared/data"),
        ("src/out\nof it", "../../shared"),
        ("src/by", "../out"),
        ("chain", "src/out\nof it/data"),
        ("above", ".."),
        ("self", "."),
        ("in", "src/it's here"),
        ("src/.bin/up", "../it's here"),
        ("around", "../project/src/it's here"),
        ("whole", &whole),
        ("elsewhere", "/usr/bin/env"),
        ("nowhere", "../no/such/file"),
        ("missing", "../shared/not-yet"),
        ("loop", "pool"),
        ("pool", "loop"),
        ("loop out", "../project/loop out"),
        ("broken", "no-such-file"),
    ] {
        symlink(held, place.path(&format!("project/{link}"))).expect("links can be made");
    }
    place
}

#[track_caller]
fn check_links(place: &Place, copy: &Path) {
    let held = |link: &str| fs::read_link(copy.join(link)).expect(link).to_str().expect("UTF-8").to_owned();
    let copied = |below: &str| copy.join(below).to_str().expect("UTF-8").to_owned();
    assert_eq!(held("out"), place.path("shared/data"));
    assert_eq!(held("src/out\nof it"), place.path("shared"));
    assert_eq!(held("around"), copied("src/it's here"));
    assert_eq!(held("whole"), copied("src/it's here"));
    assert_eq!(held("loop out"), copied("loop out"));
    assert_eq!(held("missing"), place.path("shared/not-yet"));
    for (link, same) in [
        ("src/by", "../out"),
        ("chain", "src/out\nof it/data"),
        ("self", "."),
        ("in", "src/it's here"),
        ("src/.bin/up", "../it's here"),
        ("elsewhere", "/usr/bin/env"),
        ("nowhere", "../no/such/file"),
        ("loop", "pool"),
        ("broken", "no-such-file"),
    ] {
        assert_eq!(held(link), same, "{link}");
    }
    for link in ["out", "src/by", "chain", "around", "whole", "in", "src/.bin/up"] {
        assert!(copy.join(link).is_file(), "{link} leads to a file");
    }
}

#[test]
fn links_that_lead_out_of_a_tree_lead_there_from_its_copy() {
    let (temporary, place) = (Place::new("links-to"), linked("links-from"));
    let project = place.path("project");
    let scratch = succeed(&create("r1", "one", Some(&project), None), &temporary);
    let copy = Path::new(&scratch).join("work");
    check_links(&place, &copy);
    assert_eq!(copy.join("above").canonicalize().expect("it leads somewhere"), place.0);
}

#[test]
fn links_are_mended_where_find_cannot_print_them() {
    let (temporary, place) = (Place::new("links-plain"), linked("links-plainly"));
    // As of busybox and POSIX.
    let find = "#!/bin/sh\nfor word do case $word in -printf|-lname) echo \"find: unknown: $word\" >&2; exit 1 ;; esac; done\nexec /usr/bin/find \"$@\"\n";
    let temporary = temporary.with("bin/find", find);
    fs::set_permissions(temporary.path("bin/find"), fs::Permissions::from_mode(0o755)).expect("permissions can be set");
    let command = create("r1", "one", Some(&place.path("project")), None);
    let path = format!("{}:{}", temporary.path("bin"), std::env::var("PATH").expect("PATH is set"));
    let done = std::process::Command::new(&command.argv[0])
        .args(&command.argv[1..])
        .envs([("TMPDIR", temporary.path("")), ("PATH", path)])
        .output()
        .expect("sh starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    check_links(&place, Path::new(&temporary.path("offload-r1/one/work")));
}

#[test]
fn a_link_that_cannot_be_mended_is_named() {
    let (temporary, place) = (Place::new("links-fail"), linked("links-failing"));
    let ln = "#!/bin/sh\necho 'ln: Disk quota exceeded' >&2\nexit 1\n";
    let temporary = temporary.with("bin/ln", ln);
    fs::set_permissions(temporary.path("bin/ln"), fs::Permissions::from_mode(0o755)).expect("permissions can be set");
    let command = create("r1", "one", Some(&place.path("project")), None);
    let path = format!("{}:{}", temporary.path("bin"), std::env::var("PATH").expect("PATH is set"));
    let done = std::process::Command::new(&command.argv[0])
        .args(&command.argv[1..])
        .envs([("TMPDIR", temporary.path("")), ("PATH", path)])
        .output()
        .expect("sh starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.contains("the link ") && said.contains("Disk quota exceeded"), "{said}");
    assert!(!Path::new(&temporary.path("offload-r1")).exists());
}

#[test]
fn links_of_a_directory_that_is_brought_along_lead_where_they_led() {
    let place = linked("links-dirs");
    let to = place.path("deep/copies/copy");
    succeed(&copy_directory(&place.path("project"), &to), &place);
    check_links(&place, Path::new(&to));
    // What is brought along beside it is what its links lead to there.
    let beside = place.path("other/project");
    succeed(&copy_directory(&place.path("shared"), &place.path("other/shared")), &place);
    succeed(&copy_directory(&place.path("project"), &beside), &place);
    assert_eq!(fs::read_link(Path::new(&beside).join("out")).expect("a link"), Path::new("../shared/data"));
}

#[test]
fn never_copies_a_tree_into_itself() {
    let tree = Place::new("inside").with("tmp/file", "");
    let temporary = Place(PathBuf::from(tree.path("tmp")));
    let source = tree.path("");
    // Test directories are below the system's temporary directory, where the copy may go instead.
    let scratch = succeed(&create("inside", "one", Some(&source), None), &temporary);
    assert!(!scratch.starts_with(&source), "{scratch}");
    succeed(&remove([scratch.as_str()]), &temporary);
    assert_eq!(output(&create("inside", "one", Some("/"), None), &temporary).status.code(), Some(3));
}

#[test]
fn a_tree_that_is_missing_is_named_and_leaves_nothing() {
    let temporary = Place::new("no-tree");
    let output = output(&create("r1", "one", Some("/no/such/tree"), None), &temporary);
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
    for no_file in [sandbox.as_str(), "/dev/zero"] {
        assert_eq!(output(&copy_files(&sandbox, [(no_file, "/nowhere")]), &place).status.code(), Some(4));
    }
    assert_eq!(output(&copy_files(&missing, pairs), &place).status.code(), Some(3), "the sandbox is gone");
}

/// Anybody may put a link into a directory that all can write to: what it leads to may well be mine.
#[test]
fn links_of_others_lead_to_nothing_that_is_left() {
    let temporary = Place::new("planted").with("home/documents/letter", "dear");
    let planted = temporary.path("offload-20260101-000000-abcdef");
    symlink(temporary.path("home"), &planted).expect("a link");
    assert_eq!(succeed(&leftovers(), &temporary), "");
    succeed(&remove([format!("{planted}/documents").as_str()]), &temporary);
    assert!(Path::new(&temporary.path("home/documents/letter")).exists());
}

#[test]
fn removes_what_may_not_be_written_to() {
    let temporary = Place::new("read-only");
    let scratch = succeed(&create("r1", "one", None, None), &temporary);
    let locked = Path::new(&scratch).join("locked");
    fs::create_dir(&locked).expect("directories can be made");
    fs::write(locked.join("file"), "").expect("files can be written");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).expect("permissions can be set");
    succeed(&remove([scratch.as_str()]), &temporary);
    assert!(!Path::new(&scratch).exists());
}

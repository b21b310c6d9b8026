//! Grants, and what they do not grant.

use std::path::PathBuf;

use super::granted::really_inside;
use super::*;
use crate::config::Allow;
use crate::model::Failure;

fn granted(requests: &[&str], allow: Allow) -> Rights {
    let requests = requests.iter().map(|text| text.parse().unwrap()).collect();
    Rights::Granted(Box::new(Granted::new("acme".into(), "/project".into(), allow, requests)))
}

fn run(rights: &Rights, line: &str) -> String {
    let command = Command { argv: shell_words::split(line).unwrap(), env: Vec::new(), cwd: None };
    rights.check(&command).map_or_else(|denial| Failure::from(denial).to_string(), |()| "granted".to_owned())
}

fn list(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_program_needs_a_grant() {
    let rights = granted(&["run:kubectl"], Allow::default());
    assert_eq!(
        run(&rights, "kubectl get 'all pods'"),
        "plugin `acme` may not run `kubectl get 'all pods'`\n  help: to allow it, write in offload.toml:\n\n\
         [plugins.acme.allow]\nrun = [\"kubectl\"]"
    );
    let rights = granted(&["run:kubectl"], Allow { run: list(&["kubectl"]), ..Allow::default() });
    assert_eq!(run(&rights, "kubectl get pods"), "granted");
}

#[test]
fn a_grant_is_no_grant_of_namesakes() {
    let rights = granted(&["run:*"], Allow { run: list(&["kubectl", "/usr/bin/git"]), ..Allow::default() });
    for line in ["./kubectl", "/tmp/kubectl", "kubectl2", "sh -c kubectl", "git", "'kubectl get'", ""] {
        assert!(run(&rights, line).starts_with("plugin `acme` may not run"), "{line}");
    }
    assert_eq!(run(&rights, "/usr/bin/git status"), "granted");
}

#[test]
fn arguments_that_are_named_must_come_first() {
    let rights = granted(&["run:git"], Allow { run: list(&["git status"]), ..Allow::default() });
    assert_eq!(run(&rights, "git status --short"), "granted");
    assert!(run(&rights, "git -c alias.status=!sh status").contains("run = [\"git status\", \"git\"]"));
    assert!(run(&rights, "git statuses").starts_with("plugin `acme` may not run"));
}

#[test]
fn what_was_not_asked_for_is_not_given() {
    let rights = granted(&["run:git status"], Allow { run: list(&["git", "sh"]), ..Allow::default() });
    assert_eq!(run(&rights, "git status"), "granted");
    assert_eq!(
        run(&rights, "sh -c id"),
        "plugin `acme` may not run `sh -c id`\n  help: the plugin does not say that it needs this: its author has to \
         name `run:sh` in its requests"
    );
    assert!(run(&rights, "git push").contains("its author has to name"));
}

#[test]
fn variables_are_granted_one_by_one() {
    let allow = Allow { run: list(&["git"]), env: list(&["TOKEN"]), ..Allow::default() };
    let rights = granted(&["run:git", "env:TOKEN", "env:OTHER"], allow);
    let with = |name: &str| {
        let command = Command { argv: list(&["git"]), env: vec![(name.to_owned(), "x".to_owned())], cwd: None };
        rights.check(&command).map_err(|denial| Failure::from(denial).to_string())
    };
    assert_eq!(with("TOKEN"), Ok(()));
    assert!(with("OFFLOAD_SLOT").unwrap_err().contains("are for offload itself to set"));
    assert!(with("OTHER").unwrap_err().contains("env = [\"TOKEN\", \"OTHER\"]"));
    assert!(with("LD_PRELOAD").unwrap_err().contains("may not set LD_PRELOAD for `git`"));
    let Environment::Only(names) = rights.environment() else { panic!("nothing is inherited") };
    assert_eq!(names, list(&["PATH", "HOME", "USER", "LANG", "TMPDIR", "TOKEN"]));
}

#[test]
fn what_steers_programs_is_granted_to_be_set() {
    let requests = ["run:git", "env:PATH", "env:TOKEN", "set-env:GIT_DIR", "set-env:PATH", "set-env:MODE"];
    let allow = Allow {
        run: list(&["git"]),
        env: list(&["PATH", "GIT_DIR", "TOKEN"]),
        set_env: list(&["GIT_DIR", "MODE"]),
        ..Allow::default()
    };
    let rights = granted(&requests, allow);
    let set = |name: &str| {
        let command = Command { argv: list(&["git"]), env: vec![(name.to_owned(), "x".to_owned())], cwd: None };
        rights.check(&command).map_err(|denial| Failure::from(denial).to_string())
    };
    assert_eq!((set("TOKEN"), set("GIT_DIR"), set("MODE")), (Ok(()), Ok(()), Ok(())));
    assert!(set("PATH").unwrap_err().contains("set_env = [\"GIT_DIR\", \"MODE\", \"PATH\"]"));
    assert!(set("LD_PRELOAD").unwrap_err().contains("its author has to name `set-env:LD_PRELOAD`"));
}

#[test]
fn a_provider_passes_on_what_offload_tells_tests() {
    let rights = granted(&["run:git"], Allow { run: list(&["git"]), ..Allow::default() });
    let set = |name: &str| {
        let env = vec![(name.to_owned(), "x".to_owned())];
        rights.command(Command { argv: list(&["git"]), env, cwd: None }).is_ok()
    };
    assert!(set("OFFLOAD_SLOT") && set("OFFLOAD_EXEC_ID") && set("OFFLOAD_OF_ITS_OWN"));
    assert!(!set("OFFLOAD_CACHE_DIR") && !set("offload_log"));
}

#[test]
fn a_framework_works_below_the_directory_that_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("project");
    std::fs::create_dir_all(root.join("below")).unwrap();
    std::os::unix::fs::symlink("/etc", root.join("link")).unwrap();
    let requests = vec!["run:git".parse().unwrap()];
    let allow = Allow { run: list(&["git"]), ..Allow::default() };
    let rights = Rights::Granted(Box::new(Granted::new("acme".into(), root.clone(), allow, requests)));
    let works =
        |cwd: &str| rights.check(&Command { argv: list(&["git"]), env: Vec::new(), cwd: Some(cwd.to_owned()) }).is_ok();
    assert!(works("below") && works("made/later") && works(&root.join("below").display().to_string()));
    assert!(!works("/etc") && !works("../..") && !works("below/../../x") && !works("link"));
    assert!(rights.may_work_in(&root.join("below"), &[&root]).is_ok());
    assert!(rights.may_work_in(&root.join("link"), &[&root]).is_err());
}

#[test]
fn hosts_are_granted_with_their_port() {
    let rights =
        granted(&["net:api.acme.dev:443", "net:b:80"], Allow { net: list(&["API.acme.dev:443"]), ..Allow::default() });
    let connect = |host: &str, port| rights.connect(host, port).map_err(|denial| Failure::from(denial).to_string());
    assert_eq!(connect("api.Acme.dev", 443), Ok(()));
    assert!(connect("api.acme.dev", 80).unwrap_err().contains("its author has to name `net:api.acme.dev:80`"));
    assert!(connect("evil.api.acme.dev", 443).is_err());
    assert!(connect("b", 80).unwrap_err().contains("net = [\"API.acme.dev:443\", \"b:80\"]"));
}

#[test]
fn directories_need_both_words() {
    let allow = Allow { read: list(&["./images", "other"]), write: list(&["out"]), ..Allow::default() };
    let rights = granted(&["read:.", "write:elsewhere"], allow);
    let seen = rights.directories();
    assert_eq!(
        seen,
        [("./images", PathBuf::from("/project/./images"), false), ("other", PathBuf::from("/project/other"), false)]
    );
}

#[test]
fn all_that_is_asked_for_can_be_granted() {
    let requests = ["run:git status", "env:*", "net:*"].map(|request| request.parse().expect("a request"));
    let rights = Rights::Granted(Box::new(Granted::as_asked("acme".into(), "/project".into(), requests.into())));
    assert_eq!(run(&rights, "git status -s"), "granted");
    assert!(run(&rights, "git push").contains("may not run"), "it was not asked for");
    assert!(rights.connect("example.com", 443).is_ok());
    assert!(rights.directories().is_empty());
}

#[test]
fn files_are_read_where_both_words_allow_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("junit.xml");
    let allow = Allow { read: vec![folder.path().display().to_string()], ..Allow::default() };
    assert!(granted(&[], allow.clone()).may_read(&file, &[]).is_err(), "it was not asked for");
    assert!(granted(&["read:*"], Allow::default()).may_read(&file, &[]).is_err(), "it was not granted");
    assert!(granted(&["read:*"], allow).may_read(&file, &[]).is_ok());
}

#[test]
fn results_are_those_of_the_command() {
    let rights = granted(&[], Allow::default());
    let check = |file: &str| rights.check_results(&list(&[file]), "/tmp/s/1-").is_ok();
    assert!(check("junit.xml") && check("out/junit.xml") && check("/tmp/s/1-junit.xml"));
    assert!(!check("../../etc/passwd") && !check("/etc/passwd") && !check("/tmp/s/1-/../../../etc/passwd"));
}

#[test]
fn links_and_dots_lead_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let [inner, outer] = ["inner", "outer"].map(|name| folder.path().join(name));
    [&inner, &outer].iter().for_each(|path| std::fs::create_dir(path).unwrap());
    std::fs::write(outer.join("secret"), "").unwrap();
    std::os::unix::fs::symlink(&outer, inner.join("link")).unwrap();
    for path in ["link/secret", "../outer/secret", "link", "new/../../outer/secret", "link/new"] {
        assert!(!really_inside(&inner.join(path), &inner), "{path}");
    }
    for path in ["", "new", "new/file"] {
        assert!(really_inside(&inner.join(path), &inner), "{path}");
    }
}

//! What a sandbox is: a scratch directory, and a working directory that may be a private copy.

use offload_plugin::types::Failure;
use serde::{Deserialize, Serialize};

/// What a sandbox's temporary directory is called in its scratch directory, where the run has none that its sandboxes share.
pub const OWN_TMP: &str = "tmp";

/// How the name of the directory begins that the run's sandboxes share.
const RUN_TMP_PREFIX: &str = "ofl-";

/// Everything that a later call must know of a sandbox; its JSON is the sandbox's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The directory that belongs to this sandbox alone and goes with it: `…/offload-<run>/<name>`.
    pub scratch: String,
    pub run_id: String,
    pub name: String,
    /// Where commands run that name no directory, or one relative to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Whether its run is over and ended nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub orphan: bool,
    /// The directory that `working_dir` is a private copy of, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<String>,
    /// The temporary directory of its own, where it has one: `…/ofl-<random>/<name>`, or `tmp` in its scratch directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tmp: Option<String>,
    /// The control group that its processes are in, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl Sandbox {
    pub fn id(&self) -> String {
        serde_json::to_string(self).expect("text fields can always be written as JSON")
    }

    /// # Errors
    /// `unknown-sandbox`, for an id that [`Sandbox::id`] never gave or whose scratch directory is not one of ours: what is
    /// removed with `rm -r` is looked at twice.
    pub fn from_id(id: &str) -> Result<Self, Failure> {
        let sandbox: Self = serde_json::from_str(id)
            .map_err(|error| Failure::new("unknown-sandbox", format!("{id:?} names no local sandbox: {error}")))?;
        let own_place = format!("/offload-{}/{}", sandbox.run_id, sandbox.name);
        let is_ours = is_component(&sandbox.run_id)
            && is_component(&sandbox.name)
            && sandbox.scratch.starts_with('/')
            && sandbox.scratch.ends_with(&own_place)
            && !sandbox.scratch.split('/').any(|component| component == "..")
            && sandbox.tmp.as_deref().is_none_or(|tmp| sandbox.may_own(tmp))
            && sandbox.group.as_ref().is_none_or(|group| group.ends_with(&format!("/{}", sandbox.group_name())));
        if is_ours {
            Ok(sandbox)
        } else {
            Err(Failure::new(
                "unknown-sandbox",
                format!("{id:?} names no local sandbox: its directory is not offload's own"),
            ))
        }
    }

    /// Whether a temporary directory is one that [`OWN_TMP`] or [`tmp_in`] names.
    fn may_own(&self, tmp: &str) -> bool {
        let inside = below(tmp, &self.scratch) == Some(OWN_TMP);
        let parent = tmp.strip_suffix(&self.name).and_then(|parent| parent.strip_suffix('/'));
        let run = parent.and_then(|parent| parent.rsplit_once('/')).filter(|(above, _)| above.starts_with('/'));
        let in_the_runs = run.is_some_and(|(_, name)| name.starts_with(RUN_TMP_PREFIX));
        inside || in_the_runs && !tmp.split('/').any(|component| component == "..")
    }

    /// What its control group is called.
    pub fn group_name(&self) -> String {
        format!("offload-{}-{}", self.run_id, self.name)
    }

    /// Where a command runs that asks for `cwd`.
    pub fn directory(&self, cwd: Option<&str>) -> Option<String> {
        match cwd {
            Some(cwd) => Some(self.locate(cwd)),
            None => self.working_dir.clone(),
        }
    }

    /// Where a path of the contract really is: relative ones start from the working directory, and those of the
    /// original tree are meant in the private copy.
    pub fn locate(&self, path: &str) -> String {
        let Some(working_dir) = &self.working_dir else { return path.to_owned() };
        if !path.starts_with('/') {
            return format!("{}/{path}", working_dir.trim_end_matches('/'));
        }
        match self.copied_from.as_deref().and_then(|tree| below(path, tree)) {
            Some("") => working_dir.clone(),
            Some(inside) => format!("{working_dir}/{inside}"),
            None => path.to_owned(),
        }
    }

    /// Whether a command in `directory` works in this sandbox's own copy, or there is none.
    pub fn keeps_private(&self, directory: &str) -> bool {
        self.copied_from.is_none() || below(directory, &self.scratch).is_some()
    }
}

/// The temporary directory of a sandbox within the one that the run's sandboxes share.
pub fn tmp_in(run_tmp: &str, name: &str) -> String {
    format!("{}/{name}", run_tmp.trim_end_matches('/'))
}

/// The part of `path` below `tree`; empty for the tree itself.
fn below<'a>(path: &'a str, tree: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(tree.trim_end_matches('/'))?;
    match rest.strip_prefix('/') {
        Some(inside) => Some(inside.trim_start_matches('/')),
        None => rest.is_empty().then_some(""),
    }
}

/// Whether a name stands for one directory entry.
pub fn is_component(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private_copy() -> Sandbox {
        Sandbox {
            scratch: "/tmp/offload-r1/local-1".to_owned(),
            run_id: "r1".to_owned(),
            name: "local-1".to_owned(),
            working_dir: Some("/tmp/offload-r1/local-1/work".to_owned()),
            orphan: false,
            copied_from: Some("/home/me/it's a $project".to_owned()),
            tmp: Some("/tmp/ofl-abcdef/local-1".to_owned()),
            group: Some("/sys/fs/cgroup/a/offload-r1-local-1".to_owned()),
        }
    }

    fn shared() -> Sandbox {
        Sandbox { working_dir: Some("/home/me".to_owned()), copied_from: None, ..private_copy() }
    }

    #[track_caller]
    fn check(sandbox: &Sandbox, path: &str, expected: &str) {
        assert_eq!(sandbox.locate(path), expected);
    }

    #[test]
    fn an_id_holds_everything() {
        assert_eq!(Sandbox::from_id(&private_copy().id()), Ok(private_copy()));
        assert_eq!(Sandbox::from_id(&shared().id()), Ok(shared()));
    }

    #[test]
    fn refuses_directories_that_are_not_its_own() {
        let refused = |scratch: &str, run_id: &str, name: &str| {
            let (scratch, run_id, name) = (scratch.to_owned(), run_id.to_owned(), name.to_owned());
            Sandbox::from_id(&Sandbox { scratch, run_id, name, ..shared() }.id()).is_err()
        };
        assert!(refused("/home/me", "r1", "local-1"));
        assert!(refused("/", "", ""));
        assert!(refused("/tmp/offload-r1/", "r1", ""));
        assert!(refused("/tmp/offload-r1/..", "r1", ".."));
        assert!(refused("/tmp/../offload-r1/local-1", "r1", "local-1"));
        assert!(refused("offload-r1/local-1", "r1", "local-1"));
        assert!(refused("/tmp/offload-r1/a/b", "r1", "a/b"));
        let with_tmp = |tmp: &str| Sandbox::from_id(&Sandbox { tmp: Some(tmp.to_owned()), ..shared() }.id());
        for tmp in [
            "/tmp",
            "/tmp/local-1",
            "/tmp/ofl-abcdef",
            "ofl-abcdef/local-1",
            "/tmp/../ofl-a/local-1",
            "/ofl-a/b/local-1",
        ] {
            assert!(with_tmp(tmp).is_err(), "{tmp}");
        }
        assert!(with_tmp("/tmp/offload-r1/local-1/tmp").is_ok());
        assert!(Sandbox::from_id("").is_err());
        assert!(Sandbox::from_id(&Sandbox { group: Some("/sys/fs/cgroup".to_owned()), ..shared() }.id()).is_err());
    }

    #[test]
    fn finds_paths_of_the_original_in_the_copy() {
        let sandbox = private_copy();
        check(&sandbox, "/home/me/it's a $project", "/tmp/offload-r1/local-1/work");
        check(&sandbox, "/home/me/it's a $project/", "/tmp/offload-r1/local-1/work");
        check(&sandbox, "/home/me/it's a $project/sub/x.xml", "/tmp/offload-r1/local-1/work/sub/x.xml");
        check(&sandbox, "/home/me/it's a $projects/x", "/home/me/it's a $projects/x");
        check(&sandbox, "junit.xml", "/tmp/offload-r1/local-1/work/junit.xml");
        check(&sandbox, "/tmp/offload-r1/local-1/1-junit.xml", "/tmp/offload-r1/local-1/1-junit.xml");
    }

    #[test]
    fn leaves_paths_alone_where_the_directory_is_shared() {
        check(&shared(), "/home/me/x", "/home/me/x");
        check(&shared(), "x", "/home/me/x");
        check(&Sandbox { working_dir: None, ..shared() }, "x", "x");
    }

    #[test]
    fn commands_run_in_the_working_directory_unless_told_otherwise() {
        assert_eq!(private_copy().directory(None).as_deref(), Some("/tmp/offload-r1/local-1/work"));
        assert_eq!(
            private_copy().directory(Some("/home/me/it's a $project/a")).as_deref(),
            Some("/tmp/offload-r1/local-1/work/a")
        );
        assert_eq!(shared().directory(Some("/elsewhere")).as_deref(), Some("/elsewhere"));
    }

    #[test]
    fn knows_what_escapes_the_copy() {
        assert!(private_copy().keeps_private("/tmp/offload-r1/local-1/work/a"));
        assert!(!private_copy().keeps_private("/home/me"));
        assert!(shared().keeps_private("/anywhere"));
    }
}

//! What a later call must know of a sandbox.

use offload_plugin::types::Failure;
use serde::{Deserialize, Serialize};

/// An allocation and its directories; its JSON is the sandbox's id in the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The job's number.
    pub job: u64,
    /// The directory on its node below which our own is. Absent for what an earlier run left: the node finds it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Our own directory below that: see [`place`].
    pub place: String,
    /// Where its commands run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The directory that `directory` is a private copy of, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<String>,
}

impl Sandbox {
    pub fn id(&self) -> String {
        serde_json::to_string(self).expect("text fields can always be written as JSON")
    }

    /// # Errors
    /// `unknown-sandbox`, for text that [`Sandbox::id`] never gave, or with a directory that is not offload's own: what is
    /// removed with `rm -r` is looked at twice.
    pub fn from_id(id: &str) -> Result<Self, Failure> {
        let unknown = |why: String| {
            Failure::new("unknown-sandbox", format!("{id:?} names no sandbox of the slurm provider: {why}"))
        };
        let sandbox: Self = serde_json::from_str(id).map_err(|error| unknown(error.to_string()))?;
        let is_absolute = sandbox.base.as_deref().is_none_or(|base| base.starts_with('/') || base.is_empty());
        if is_absolute && is_ours(&sandbox.place) {
            Ok(sandbox)
        } else {
            Err(unknown("its directory is not offload's own".to_owned()))
        }
    }

    /// The directory that belongs to it alone.
    pub fn scratch(&self) -> String {
        format!("{}/{}", self.base.as_deref().unwrap_or_default(), self.place)
    }

    /// Where a path of the contract really is: relative ones start from where commands run, and those of the original tree
    /// are meant in the private copy.
    pub fn locate(&self, path: &str) -> String {
        let Some(directory) = &self.directory else { return path.to_owned() };
        let directory = directory.trim_end_matches('/');
        if !path.starts_with('/') {
            return format!("{directory}/{path}");
        }
        let original = self.copied_from.as_deref().map(|original| original.trim_end_matches('/'));
        match original.and_then(|original| path.strip_prefix(original)) {
            Some(below) if below.is_empty() || below.starts_with('/') => format!("{directory}{below}"),
            _ => path.to_owned(),
        }
    }
}

/// The path of a sandbox's own directory below whatever base its node has.
pub fn place(run_id: &str, name: &str) -> String {
    format!("offload-{run_id}/{name}")
}

fn is_ours(place: &str) -> bool {
    let parts = place.strip_prefix("offload-").and_then(|rest| rest.split_once('/'));
    parts.is_some_and(|(run_id, name)| !run_id.is_empty() && is_component(name))
}

/// Whether a name stands for one directory entry.
fn is_component(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private_copy() -> Sandbox {
        Sandbox {
            job: 12,
            base: Some("/tmp".to_owned()),
            place: place("r1", "slurm-1"),
            directory: Some("/tmp/offload-r1/slurm-1/work".to_owned()),
            copied_from: Some("/home/me/it's a $project".to_owned()),
        }
    }

    #[test]
    fn an_id_holds_everything() {
        let leftover = Sandbox { base: None, directory: None, copied_from: None, ..private_copy() };
        for sandbox in [private_copy(), leftover] {
            assert_eq!(Sandbox::from_id(&sandbox.id()), Ok(sandbox));
        }
    }

    #[test]
    fn refuses_directories_that_are_not_its_own() {
        for place in [
            "",
            "/",
            "home/me",
            "offload-r1",
            "offload-r1/",
            "offload-/x",
            "offload-r1/..",
            "offload-r1/a/b",
            "/offload-r1/x",
        ] {
            let sandbox = Sandbox { place: place.to_owned(), ..private_copy() };
            assert!(Sandbox::from_id(&sandbox.id()).is_err(), "{place}");
        }
        assert!(Sandbox::from_id(&Sandbox { base: Some("relative".to_owned()), ..private_copy() }.id()).is_err());
        assert!(Sandbox::from_id("12").is_err());
    }

    #[test]
    fn finds_paths_of_the_original_in_the_copy() {
        let sandbox = private_copy();
        assert_eq!(sandbox.locate("/home/me/it's a $project/sub"), "/tmp/offload-r1/slurm-1/work/sub");
        assert_eq!(sandbox.locate("/home/me/it's a $project"), "/tmp/offload-r1/slurm-1/work");
        assert_eq!(sandbox.locate("/home/me/it's a $projects"), "/home/me/it's a $projects");
        assert_eq!(sandbox.locate("junit.xml"), "/tmp/offload-r1/slurm-1/work/junit.xml");
    }

    #[test]
    fn leaves_other_paths_alone() {
        let shared = Sandbox { directory: Some("/home/me/".to_owned()), copied_from: None, ..private_copy() };
        assert_eq!(shared.locate("/home/me/x"), "/home/me/x");
        assert_eq!(shared.locate("x"), "/home/me/x");
    }
}

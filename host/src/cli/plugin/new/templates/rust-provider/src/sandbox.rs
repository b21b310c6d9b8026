//! What a sandbox is: a directory with a copy of the project in `work`, and room for offload's own files in `tmp`.

use offload_plugin::prelude::*;

/// What the names of all these directories begin with.
pub const PREFIX: &str = "offload-@NAME@-";

/// A sandbox; the path of its directory is its id.
pub struct Sandbox {
    directory: String,
}

impl Sandbox {
    /// The sandbox that an id stands for. What is removed with `rm -r` is looked at twice.
    ///
    /// # Errors
    /// `unknown-sandbox`, for an id that is none of ours.
    pub fn from_id(id: &str) -> Result<Self, Failure> {
        let is_ours = id.starts_with('/')
            && id.rsplit('/').next().is_some_and(|name| name.len() > PREFIX.len() && name.starts_with(PREFIX))
            && id.split('/').all(|step| step != "..");
        if is_ours {
            Ok(Self { directory: id.to_owned() })
        } else {
            Err(Failure::new("unknown-sandbox", format!("{id:?} names no sandbox of @NAME@")))
        }
    }

    pub fn id(&self) -> &str {
        &self.directory
    }

    /// Where offload may write.
    pub fn scratch(&self) -> String {
        format!("{}/tmp", self.directory)
    }

    /// A path as offload says it: relative ones start from the copy of the project.
    pub fn locate(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { format!("{}/work/{path}", self.directory) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_directory_of_ours() {
        let id = "/tmp/offload-@NAME@-a1B2c3";
        assert_eq!(Sandbox::from_id(id).expect("it is ours").id(), id);
        for id in ["", "/", "/tmp", "/tmp/offload-@NAME@-", "offload-@NAME@-x", "/tmp/../offload-@NAME@-x", "/offload-@NAME@-x/.."]
        {
            assert_eq!(Sandbox::from_id(id).err().expect(id).code, "unknown-sandbox");
        }
    }

    #[test]
    fn relative_paths_start_from_the_copy() {
        let sandbox = Sandbox::from_id("/tmp/offload-@NAME@-x").expect("it is ours");
        assert_eq!(sandbox.locate("out/junit.xml"), "/tmp/offload-@NAME@-x/work/out/junit.xml");
        assert_eq!(sandbox.locate("/tmp/offload-@NAME@-x/tmp/1-a"), "/tmp/offload-@NAME@-x/tmp/1-a");
        assert_eq!(sandbox.scratch(), "/tmp/offload-@NAME@-x/tmp");
    }
}

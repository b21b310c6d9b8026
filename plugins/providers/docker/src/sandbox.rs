//! What a later call must know of a container.

use offload_plugin::prelude::*;

/// The longest name that is asked for: some engines make the container's host name of it, which takes no more.
const LONGEST_NAME: usize = 63;

/// A container of ours; its JSON is the sandbox's id in the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The container's name.
    pub name: String,
    /// Our own directory in it.
    pub scratch: String,
    /// Where its commands run; absent means where the image says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
}

impl Sandbox {
    pub fn new(run_id: &str, name: &str, workdir: Option<&str>) -> Self {
        let mut container = format!("offload-{run_id}-{name}").replace(|letter| !is_of_names(letter), "_");
        // What is in front tells runs apart, and what is behind sandboxes.
        if container.len() > LONGEST_NAME {
            let surplus = container.len() - LONGEST_NAME;
            container.replace_range(LONGEST_NAME / 2..LONGEST_NAME / 2 + surplus, "");
        }
        Self { workdir: workdir.map(str::to_owned), ..Self::named(&container) }
    }

    /// One that is there already.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), scratch: format!("/tmp/{name}"), workdir: None }
    }

    /// A path in the container; relative ones start from its working directory, where that is known.
    pub fn locate(&self, path: &str) -> String {
        match &self.workdir {
            Some(workdir) if !path.starts_with('/') => format!("{}/{path}", workdir.trim_end_matches('/')),
            _ => path.to_owned(),
        }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text fields can always be written as JSON")
    }

    /// # Errors
    /// `unknown-sandbox`, for text that [`Sandbox::to_json`] never gave.
    pub fn from_json(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json).map_err(|error| {
            Failure::new("unknown-sandbox", format!("{json:?} names no sandbox of the docker provider: {error}"))
        })
    }
}

fn is_of_names(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_.-".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_everything() {
        let sandbox = Sandbox::new("20260101-000000-abcdef", "docker-1", Some("/app/"));
        assert_eq!(sandbox.name, "offload-20260101-000000-abcdef-docker-1");
        assert_eq!(Sandbox::from_json(&sandbox.to_json()), Ok(sandbox.clone()));
        assert_eq!((sandbox.locate("a").as_str(), sandbox.locate("/a").as_str()), ("/app/a", "/a"));
        assert_eq!(Sandbox::named(&sandbox.name), Sandbox { workdir: None, ..sandbox });
        assert!(Sandbox::from_json("sb-1").is_err());
    }

    #[test]
    fn names_are_such_as_engines_take() {
        assert_eq!(Sandbox::new("r1", "it's a-1", None).name, "offload-r1-it_s_a-1");
        let long = Sandbox::new("20260101-000000-abcdef", &format!("{}-17", "é".repeat(90)), None).name;
        assert_eq!(long.len(), LONGEST_NAME);
        assert!(long.starts_with("offload-20260101-000000-abcdef") && long.ends_with("-17"), "{long}");
    }
}

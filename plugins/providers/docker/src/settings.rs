//! What `[provider]` may say with `type = "docker"`.

use std::collections::BTreeMap;

use offload_plugin::prelude::*;

use crate::mounts;

/// Containers of docker or podman.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// The engine's command line, with arguments if need be: "docker", "podman", "docker --context build-box".
    #[serde(default = "default_command")]
    #[schemars(length(min = 1))]
    pub command: String,
    /// The image that containers are made of. Either this or dockerfile is set.
    #[schemars(length(min = 1))]
    pub image: Option<String>,
    /// When the image is fetched from its registry, before the first container: if it is not here (missing), in every run (always), or
    /// not at all (never).
    #[serde(default)]
    pub pull: Pull,
    /// Dockerfile that the image is built from, once in a run and with the engine's cache; relative to working_dir.
    #[schemars(length(min = 1))]
    pub dockerfile: Option<String>,
    /// Directory that the Dockerfile may copy from; relative to working_dir, and by default the same.
    #[schemars(length(min = 1))]
    pub context: Option<String>,
    /// Values for the Dockerfile's ARG instructions.
    #[serde(default)]
    pub build_args: BTreeMap<String, String>,
    /// Directory in the container where commands run, if not the one that the image says.
    #[schemars(regex(pattern = "^/"))]
    pub workdir: Option<String>,
    /// How many processors' time a container may use: 1.5 for one and a half.
    #[schemars(range(min = 0.01))]
    pub cpus: Option<f64>,
    /// How much memory a container may use: a number with the unit k, m or g, such as "2g", or millions of bytes.
    #[schemars(regex(pattern = "^([0-9]+[kmgKMG]|[0-9]{7,}[bB]?)$"))]
    pub memory: Option<String>,
    /// The network of the containers: "none", "host", "bridge", or the name of one of the engine's networks.
    #[schemars(length(min = 1))]
    pub network: Option<String>,
    /// What containers share with this machine, as host:container or host:container:ro. A host side that begins with / or . is a path,
    /// relative to working_dir; any other is the name of a volume.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^[^:]+:/[^:]*(:[^:]+)?$")))]
    pub mounts: Vec<String>,
    /// User that commands run as, in the image's terms: a name, or uid:gid.
    #[schemars(length(min = 1))]
    pub user: Option<String>,
    /// Whether a small init process reaps what tests leave behind as zombies (--init).
    #[serde(default = "default_init")]
    pub init: bool,
    /// More arguments for the engine's run command, such as "--shm-size=1g".
    #[serde(default)]
    pub extra_args: Vec<String>,
    /// How long building the image, or starting a container, may take, in seconds; tests are bounded by test_timeout_secs instead.
    // The host watches this.
    #[schemars(range(min = 1))]
    pub timeout_secs: Option<u64>,
    /// Directories to bring into each container, as local:remote.
    // They come with each sandbox's specification.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^.+:.+$")))]
    pub copy_dirs: Vec<String>,
    /// Environment variables of the tests. No command line and no container's description shows them.
    // They come back with every command.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Directory on this machine in which the engine's commands run, and that paths of this table start from; relative to the working
    /// directory of `[offload]`, and by default the same. In the container it means nothing: see workdir.
    // The host makes it absolute.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
}

/// The `pull` key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// If it is not here.
    #[default]
    Missing,
    /// In every run.
    Always,
    /// Not at all.
    Never,
}

/// Where the image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    Image(&'a str),
    Dockerfile(&'a str),
}

impl Settings {
    /// Where the image comes from, if the table says it once.
    ///
    /// # Errors
    /// `invalid-settings`, with what to change.
    pub fn source(&self) -> Result<Source<'_>, Failure> {
        match (&self.image, &self.dockerfile) {
            (Some(image), None) if self.context.is_none() && self.build_args.is_empty() => Ok(Source::Image(image)),
            (Some(_), None) => Err(invalid("context and build_args are of no use to an image that is not built")
                .with_help("set dockerfile instead of image, or remove them")),
            (None, Some(dockerfile)) => Ok(Source::Dockerfile(dockerfile)),
            (None, None) => Err(invalid("it is not said what containers are made of")
                .with_help("set image = \"NAME\", or dockerfile = \"PATH\" to build one")),
            (Some(_), Some(_)) => Err(invalid("image and dockerfile both say what containers are made of")
                .with_help("remove one of them: an image that is built needs no name")),
        }
    }

    /// Whether the table makes sense as a whole.
    ///
    /// # Errors
    /// `invalid-settings`, with what to change.
    pub fn check(&self) -> Result<(), Failure> {
        self.source()?;
        self.mounts.iter().try_for_each(|mount| mounts::resolve(mount, self.working_dir.as_deref()).map(drop))
    }
}

pub fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("invalid-settings", message)
}

fn default_command() -> String {
    "docker".to_owned()
}

fn default_init() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(table: &str) -> Settings {
        offload_plugin::settings::parse(table).expect("the table has the right shape")
    }

    #[track_caller]
    fn check_refused(table: &str, words: &[&str]) {
        let refused = settings(table).check().expect_err("the settings are refused");
        assert_eq!(refused.code, "invalid-settings");
        assert!(words.iter().all(|word| refused.message.contains(word)), "{}", refused.message);
        assert!(refused.help.is_some());
    }

    #[test]
    fn an_image_or_a_dockerfile_suffices() {
        let of_image = settings(r#"{"image": "python:3.12"}"#);
        assert_eq!(of_image.source(), Ok(Source::Image("python:3.12")));
        assert_eq!((of_image.command.as_str(), of_image.pull, of_image.init), ("docker", Pull::Missing, true));
        assert_eq!(settings(r#"{"dockerfile": "Dockerfile"}"#).source(), Ok(Source::Dockerfile("Dockerfile")));
        assert_eq!(settings(r#"{"image": "a", "cpus": 2, "memory": "64m"}"#).check(), Ok(()));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        check_refused("{}", &["what containers are made of"]);
        check_refused(r#"{"image": "a", "dockerfile": "b"}"#, &["image", "dockerfile"]);
        check_refused(r#"{"image": "a", "context": "."}"#, &["context"]);
    }
}

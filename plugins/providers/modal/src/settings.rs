//! What `[provider]` may say with `type = "modal"`.

use std::collections::BTreeMap;

use offload_plugin::prelude::*;
use offload_plugin::shell;

/// Sandboxes of Modal.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// The app of Modal that the sandboxes belong to; it is made if there is none of that name.
    #[serde(default = "default_app_name")]
    #[schemars(length(min = 1))]
    pub app_name: String,
    /// Dockerfile that the sandboxes' image is built from; relative to the provider's working directory.
    #[schemars(length(min = 1))]
    pub dockerfile: Option<String>,
    /// An image in place of a Dockerfile: a name that a registry knows, or the id of one of Modal's (im-…).
    #[schemars(length(min = 1))]
    pub image: Option<String>,
    /// Directory that COPY in the Dockerfile takes files from; by default the provider's working directory.
    #[schemars(length(min = 1))]
    pub context: Option<String>,
    /// How long a sandbox may live, in seconds; what is made for one run must outlast it. Preparing the image and making a
    /// sandbox may take as long.
    // The host watches the latter.
    #[serde(default = "default_timeout_secs")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout_secs: u32,
    /// Environment variables of the tests.
    // They come with each sandbox's specification.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How many processors each sandbox asks for; fractions are allowed.
    #[schemars(range(min = 0.125))]
    pub cpu: Option<f64>,
    /// How much memory each sandbox asks for, in MiB.
    #[schemars(range(min = 128))]
    pub memory: Option<u32>,
    /// The region in which the sandboxes run.
    #[schemars(length(min = 1))]
    pub region: Option<String>,
    /// Names of Modal's secrets whose variables the tests get.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub secrets: Vec<String>,
    /// Directories to bring into each sandbox, as local:remote. What rarely changes is better copied by the Dockerfile.
    // They come with each sandbox's specification.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^.+:.+$")))]
    pub copy_dirs: Vec<String>,
    /// Directory in the sandbox in which tests run; by default the image's own.
    #[schemars(regex(pattern = "^/"))]
    pub remote_dir: Option<String>,
    /// Command that starts a Python that has the package `modal`; by default python3 if it has, or else one that uv makes.
    #[schemars(length(min = 1))]
    pub python: Option<String>,
    /// Directory on this machine from which paths start; relative to the working directory of `[offload]`, and by default
    /// the same.
    // The host makes it absolute.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
}

fn default_app_name() -> String {
    "offload-sandbox".to_owned()
}

fn default_timeout_secs() -> u32 {
    3600
}

impl Settings {
    /// Whether they say what no run can do without.
    ///
    /// # Errors
    /// `invalid-settings`, with the key and what to write.
    pub fn check(&self) -> Result<(), Failure> {
        match (&self.dockerfile, &self.image) {
            (Some(_), None) | (None, Some(_)) => {}
            (None, None) => {
                return Err(invalid("neither dockerfile nor image is set")
                    .with_help("set `dockerfile` to one that installs what the tests need"));
            }
            (Some(_), Some(_)) => {
                return Err(invalid("both dockerfile and image are set").with_help("keep the one that is meant"));
            }
        }
        if self.context.is_some() && self.image.is_some() {
            return Err(invalid("context is of no use with an image").with_help("remove `context`"));
        }
        self.python_words().map(drop)
    }

    /// The words of `python`; none if it is not set.
    ///
    /// # Errors
    /// `invalid-settings`, where they cannot be told apart.
    pub fn python_words(&self) -> Result<Vec<String>, Failure> {
        let line = self.python.as_deref().unwrap_or_default();
        shell::split(line).map_err(|error| invalid(format!("python {line:?} is no command: {error}")))
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("invalid-settings", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> Settings {
        offload_plugin::settings::parse(json).expect("the table is valid")
    }

    #[track_caller]
    fn check_refused(json: &str, word: &str) {
        let refused = settings(json).check().expect_err("the settings are refused");
        assert_eq!(refused.code, "invalid-settings");
        assert!(refused.message.contains(word), "{}", refused.message);
    }

    #[test]
    fn a_dockerfile_suffices() {
        let settings = settings(r#"{"dockerfile": ".devcontainer/Dockerfile"}"#);
        assert_eq!(settings.check(), Ok(()));
        assert_eq!(settings.app_name, "offload-sandbox");
        assert_eq!(settings.timeout_secs, 3600);
        assert_eq!(settings.python_words(), Ok(Vec::new()));
    }

    #[test]
    fn one_image_must_be_meant() {
        check_refused("{}", "neither");
        check_refused(r#"{"dockerfile": "Dockerfile", "image": "python:3.12"}"#, "both");
        check_refused(r#"{"image": "python:3.12", "context": "."}"#, "context");
        assert_eq!(settings(r#"{"image": "python:3.12"}"#).check(), Ok(()));
    }

    #[test]
    fn python_is_a_command() {
        let settings = settings(r#"{"image": "i", "python": "uv run 'my python'"}"#);
        assert_eq!(settings.python_words(), Ok(vec!["uv".into(), "run".into(), "my python".into()]));
        check_refused(r#"{"image": "i", "python": "it's"}"#, "python");
    }
}

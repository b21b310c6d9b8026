//! The person's commands, filled in.

use offload_plugin::shell::{join, quote};
use offload_plugin::template::expand;

use crate::sandbox::Sandbox;
use crate::settings::Settings;

/// The line of `create_command`.
pub fn create(settings: &Settings, image: Option<&str>) -> String {
    match image {
        Some(image) => expand(&settings.create_command, &[("image_id", &quote(image))]),
        None => settings.create_command.clone(),
    }
}

/// The line of `exec_command` that runs `line`, a POSIX command line, in the sandbox.
pub fn exec(settings: &Settings, sandbox: &Sandbox, line: &str) -> String {
    expand(&settings.exec_command, &[("sandbox_id", &quote(&sandbox.id)), ("command", &quote(line))])
}

/// The line of `destroy_command`.
pub fn destroy(settings: &Settings, sandbox: &Sandbox) -> String {
    expand(&settings.destroy_command, &[("sandbox_id", &quote(&sandbox.id))])
}

/// The line of a `download_command` for pairs of remote and local paths.
pub fn download(download_command: &str, sandbox: &Sandbox, files: &[(String, String)]) -> String {
    let paths = join(files.iter().map(|(remote, local)| format!("{remote}:{local}")));
    expand(download_command, &[("sandbox_id", &quote(&sandbox.id)), ("paths", &paths)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        offload_plugin::settings::parse(
            r#"{
                "create_command": "create {image_id} ${HOME}",
                "exec_command": "exec {sandbox_id} {command}",
                "destroy_command": "destroy {sandbox_id}"
            }"#,
        )
        .expect("the table is complete")
    }

    fn sandbox() -> Sandbox {
        Sandbox::new("it's {command}".to_owned(), "r1", "default-1", None)
    }

    #[test]
    fn every_value_is_one_word() {
        assert_eq!(create(&settings(), Some("image 1")), "create 'image 1' ${HOME}");
        assert_eq!(create(&settings(), None), "create {image_id} ${HOME}");
        assert_eq!(exec(&settings(), &sandbox(), "echo 'a'"), r"exec 'it'\''s {command}' 'echo '\''a'\'''");
        assert_eq!(destroy(&settings(), &sandbox()), r"destroy 'it'\''s {command}'");
    }

    #[test]
    fn paths_are_words_of_remote_and_local() {
        let files = [("/tmp/a b".to_owned(), "/out/a".to_owned()), ("c".to_owned(), "d".to_owned())];
        assert_eq!(download("get {paths}", &sandbox(), &files), "get '/tmp/a b:/out/a' c:d");
    }
}

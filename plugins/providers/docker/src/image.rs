//! The image that containers are made of: built, fetched or found, once in a run.

use offload_plugin::prelude::*;

use crate::engine::Engine;
use crate::settings::{Pull, Settings, Source};
use crate::trouble;

/// The label of images that we built.
const IMAGE_LABEL: &str = "offload.image";

/// Gives what containers are to be made of: an id, so that all of a run have the same, whatever becomes of the name.
///
/// # Errors
/// What the engine says.
pub fn provide(settings: &Settings, engine: &Engine, rebuild: bool) -> Result<String, Failure> {
    match settings.source()? {
        Source::Image(image) => find(engine, image, settings.pull),
        Source::Dockerfile(dockerfile) => {
            let mut build = engine.command(build(settings, dockerfile, rebuild));
            build.env.extend(settings.build_args.clone());
            let built = build.capture()?;
            if built.exit != Exit::Code(0) {
                return Err(trouble::failure("build-failed", format!("building {dockerfile} failed"), &built));
            }
            last_line(&built.stdout).ok_or_else(|| {
                Failure::new("build-failed", format!("building {dockerfile} gave no image: {}", built.complaint()))
            })
        }
    }
}

/// The id of an image that is here.
///
/// # Errors
/// The engine could not be started.
pub fn id(engine: &Engine, image: &str) -> Result<Result<String, Captured>, Failure> {
    let inspected = engine.command(["image", "inspect", "--format={{.Id}}", image]).capture()?;
    Ok(match last_line(&inspected.stdout) {
        Some(id) if inspected.exit == Exit::Code(0) => Ok(id),
        _ => Err(inspected),
    })
}

fn find(engine: &Engine, image: &str, pull: Pull) -> Result<String, Failure> {
    if pull != Pull::Always {
        match id(engine, image)? {
            Ok(id) => return Ok(id),
            Err(inspected) if pull == Pull::Never => {
                let what = format!("the image {image} is not here, and pull = \"never\"");
                return Err(trouble::failure("no-image", what, &inspected));
            }
            Err(_) => host::log("info", &format!("pulling {image}")),
        }
    }
    let pulled = engine.command(["pull", "--quiet", image]).capture()?;
    if pulled.exit != Exit::Code(0) {
        return Err(trouble::failure("no-image", format!("pulling {image} failed"), &pulled));
    }
    id(engine, image)?.map_err(|inspected| {
        trouble::failure("no-image", format!("{image} was pulled, but it is not here"), &inspected)
    })
}

fn build(settings: &Settings, dockerfile: &str, rebuild: bool) -> Vec<String> {
    let context = settings.context.as_deref().unwrap_or(".");
    let mut words = vec!["build".to_owned(), "--quiet".to_owned(), format!("--file={dockerfile}")];
    words.push(format!("--tag={}", tag(settings.working_dir.as_deref().unwrap_or_default(), dockerfile, context)));
    words.push(format!("--label={IMAGE_LABEL}=built"));
    if rebuild {
        words.push("--no-cache".to_owned());
    }
    // Their values are in the engine's environment, where nobody else can read them.
    words.extend(settings.build_args.keys().map(|name| format!("--build-arg={name}")));
    words.push(context.to_owned());
    words
}

/// A name that only this Dockerfile has, so that what was built before loses it to what is built now.
fn tag(working_dir: &str, dockerfile: &str, context: &str) -> String {
    // FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
    let bytes = [working_dir, dockerfile, context].into_iter().flat_map(|part| part.bytes().chain([0]));
    let digest = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("offload-built:{digest:016x}")
}

fn last_line(stdout: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stdout);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_is_built_from_its_context() {
        let table =
            r#"{"dockerfile": "ci/Dockerfile", "context": "app", "build_args": {"A": "1 2"}, "working_dir": "/p"}"#;
        let settings = offload_plugin::settings::parse(table).expect("the table is complete");
        let words = build(&settings, "ci/Dockerfile", true);
        let tag = tag("/p", "ci/Dockerfile", "app");
        let expected =
            ["build", "--quiet", "--file=ci/Dockerfile", &format!("--tag={tag}"), "--label=offload.image=built"];
        assert_eq!(words[..5], expected);
        assert_eq!(words[5..], ["--no-cache", "--build-arg=A", "app"]);
        assert!(!build(&settings, "ci/Dockerfile", false).contains(&"--no-cache".to_owned()));
    }

    #[test]
    fn each_dockerfile_has_a_tag_of_its_own() {
        assert_ne!(tag("/p", "ab", "c"), tag("/p", "a", "bc"));
        assert_eq!(tag("/p", "a", "b"), tag("/p", "a", "b"));
    }

    #[test]
    fn the_id_is_what_is_said_last() {
        assert_eq!(last_line(b"STEP 1\nsha256:12\n\n").as_deref(), Some("sha256:12"));
        assert_eq!(last_line(b"\n"), None);
    }
}

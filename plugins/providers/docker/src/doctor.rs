//! What keeps containers from being run here.

use offload_plugin::prelude::*;

use crate::engine::Engine;
use crate::image;
use crate::settings::{Pull, Settings, Source};
use crate::trouble;

/// Looks at the program, then at the engine behind it, then at the image; what is in the way of the rest ends it.
pub fn examine(settings: &Settings, engine: &Engine) -> Vec<Finding> {
    let mut findings = Vec::new();
    for look in [program, answer, image] {
        let finding = look(settings, engine);
        let stands_in_the_way = finding.status == "problem";
        findings.push(finding);
        if stands_in_the_way {
            break;
        }
    }
    findings
}

fn program(_: &Settings, engine: &Engine) -> Finding {
    let subject = engine.shown();
    match engine.command(["--version"]).capture() {
        Ok(finished) if finished.exit == Exit::Code(0) => {
            let version = String::from_utf8_lossy(&finished.stdout);
            Finding::ok(subject, version.lines().next().unwrap_or("it is there").trim())
        }
        Ok(finished) => of_failure(subject, trouble::failure("no-engine", "it does not start", &finished)),
        Err(failure) => Finding::problem(subject, failure.message)
            .mended_by("install docker or podman, or set `command` in [provider] to the one that is there"),
    }
}

fn answer(_: &Settings, engine: &Engine) -> Finding {
    match engine.command(["ps", "--quiet"]).capture() {
        Ok(finished) if finished.exit == Exit::Code(0) => Finding::ok("engine", "it answers"),
        Ok(finished) => of_failure("engine", trouble::failure("no-engine", "it does not answer", &finished)),
        Err(failure) => of_failure("engine", failure),
    }
}

fn image(settings: &Settings, engine: &Engine) -> Finding {
    match settings.source() {
        Ok(Source::Image(name)) => {
            let subject = format!("image {name}");
            match image::id(engine, name) {
                Ok(Ok(id)) => Finding::ok(subject, format!("it is here: {id}")),
                Ok(Err(inspected)) if settings.pull == Pull::Never => {
                    let failure = trouble::failure("no-image", "it is not here, and pull = \"never\"", &inspected);
                    Finding::problem(subject, failure.message).mended_by(format!("{} pull {name}", engine.shown()))
                }
                Ok(Err(_)) => Finding::warning(subject, "it is not here yet: the first run pulls it")
                    .mended_by(format!("{} pull {name}", engine.shown())),
                Err(failure) => of_failure(subject, failure),
            }
        }
        Ok(Source::Dockerfile(path)) => {
            let subject = format!("dockerfile {path}");
            let context = settings.context.as_deref().unwrap_or(".");
            let found = engine.around(Command::script("[ -f \"$1\" ] && [ -d \"$2\" ]", [path, context])).capture();
            match found {
                Ok(finished) if finished.exit == Exit::Code(0) => Finding::ok(subject, "it is there, with its context"),
                Ok(_) => Finding::problem(subject, format!("there is no such file, or no directory {context}"))
                    .mended_by("correct dockerfile and context in [provider]: they start from working_dir"),
                Err(failure) => of_failure(subject, failure),
            }
        }
        Err(failure) => of_failure("image", failure),
    }
}

fn of_failure(subject: impl Into<String>, failure: Failure) -> Finding {
    let finding = Finding::problem(subject, failure.message);
    Finding { remedy: failure.help, ..finding }
}

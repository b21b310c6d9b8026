//! What go says when it cannot build something.

use offload_plugin::excerpt;
use offload_plugin::types::Outcome;

/// What is kept of it.
const LIMIT: usize = 8192;

/// The error result of something that needs a package that could not be built. `said` is all that go said of anything, and
/// `unbuilt` what it names as the cause, if it does.
pub fn error(id: &str, package: &str, unbuilt: &str, said: &str) -> Outcome {
    // A package may be broken by another, which it imports.
    let about = [unbuilt, package].iter().find_map(|name| section(said, name));
    let text = about.unwrap_or_else(|| said.trim_end().to_owned());
    let reason = text.lines().find(|line| !line.starts_with('#') && !line.trim().is_empty());
    let message = format!("{package} could not be built: {}", reason.unwrap_or("go does not say why").trim());
    let mut outcome = Outcome::new(id, "error").with_message(message);
    outcome.details = (!text.is_empty()).then(|| excerpt::head_and_tail(&text, LIMIT).into_owned());
    outcome
}

/// The lines below the headers that name the package: `# p`, `# p [p.test]` for what it is with its tests, `# p_test [p.test]`.
fn section(said: &str, package: &str) -> Option<String> {
    if package.is_empty() {
        return None;
    }
    let (mut section, mut is_inside) = (String::new(), false);
    for line in said.lines() {
        // Vet repeats the package in brackets.
        if let Some(header) = line.strip_prefix("# ").filter(|header| !header.starts_with('[')) {
            let name = header.split_once(" [").map_or(header, |(name, _)| name);
            is_inside = header == package || name == package || name.strip_suffix("_test") == Some(package);
        }
        if is_inside {
            section.push_str(line);
            section.push('\n');
        }
    }
    (!section.is_empty()).then(|| section.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "go: downloading x\n# m/lib\nlib/lib.go:3:1: syntax error\n# m/a [m/a.test]\na/a_test.go:1:2: undefined: x\n\
                        # m/b_test [m/b.test]\nb/b_test.go:4:2: unused\n# m/v\n# [m/v]\nv/v_test.go:5:2: wrong format\n";

    #[track_caller]
    fn check(package: &str, unbuilt: &str, message: &str, details: &str) {
        let outcome = error("id", package, unbuilt, SAID);
        assert_eq!(outcome.message.as_deref(), Some(message));
        assert_eq!(outcome.details.as_deref(), Some(details));
    }

    #[test]
    fn a_package_is_told_of_what_broke_it() {
        check(
            "m/a",
            "",
            "m/a could not be built: a/a_test.go:1:2: undefined: x",
            "# m/a [m/a.test]\na/a_test.go:1:2: undefined: x",
        );
        check(
            "m/b",
            "m/b_test [m/b.test]",
            "m/b could not be built: b/b_test.go:4:2: unused",
            "# m/b_test [m/b.test]\nb/b_test.go:4:2: unused",
        );
        check(
            "m/v",
            "",
            "m/v could not be built: v/v_test.go:5:2: wrong format",
            "# m/v\n# [m/v]\nv/v_test.go:5:2: wrong format",
        );
        check(
            "m/c",
            "m/lib",
            "m/c could not be built: lib/lib.go:3:1: syntax error",
            "# m/lib\nlib/lib.go:3:1: syntax error",
        );
        check("m/d", "", "m/d could not be built: go: downloading x", SAID.trim_end());
    }

    #[test]
    fn silence_is_told_too() {
        let outcome = error("id", "m", "", "");
        assert_eq!(outcome.message.as_deref(), Some("m could not be built: go does not say why"));
    }
}

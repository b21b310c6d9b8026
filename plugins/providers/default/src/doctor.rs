//! Whether the programs of the person's commands are there.

use offload_plugin::prelude::*;
use offload_plugin::printed::at_positions;
use offload_plugin::shell;

use crate::script;
use crate::settings::Settings;

/// Looks for the program of each command.
pub fn examine(settings: &Settings) -> Vec<Finding> {
    let commands = commands(settings);
    let programs: Vec<_> = commands.iter().map(|(_, program)| program.as_str()).collect();
    let finished = match script::missing(settings, &programs).capture() {
        Ok(finished) => finished,
        Err(failure) => {
            let finding = Finding::problem("sh", failure.message);
            return vec![Finding { remedy: failure.help, ..finding }];
        }
    };
    let keys: Vec<_> = commands.iter().map(|(key, _)| (*key).to_owned()).collect();
    let missing = at_positions(&finished.stdout, &keys);
    commands.iter().map(|(key, program)| finding(key, program, missing.iter().any(|other| other == key))).collect()
}

fn finding(key: &str, program: &str, is_missing: bool) -> Finding {
    if is_missing {
        Finding::problem(key, format!("`{program}` is no program that the shell finds"))
            .mended_by(format!("install {program}, make it executable, or correct {key} in [provider]"))
    } else {
        Finding::ok(key, format!("starts with {program}"))
    }
}

/// Each command's key and the program that it begins with, as far as that can be told without a shell.
fn commands(settings: &Settings) -> Vec<(&'static str, String)> {
    let keys = [
        ("prepare_command", settings.prepare_command.as_deref()),
        ("create_command", Some(settings.create_command.as_str())),
        ("exec_command", Some(settings.exec_command.as_str())),
        ("download_command", settings.download_command.as_deref()),
        ("destroy_command", Some(settings.destroy_command.as_str())),
    ];
    keys.into_iter().filter_map(|(key, line)| Some((key, program(line?)?))).collect()
}

fn program(line: &str) -> Option<String> {
    // An assignment of what a command prints may hold blanks: what is split off there is no word of the line's own.
    let is_literal = |word: &String| word.contains('=') && !word.contains(['$', '`']);
    let first = shell::split(line).ok()?.into_iter().find(|word| !is_literal(word))?;
    let is_plain = !first.is_empty() && !first.contains(['$', '`', '(', ')', '{', '&', '|', ';', '<', '>', '!']);
    is_plain.then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_seen_where_a_line_begins_with_one() {
        assert_eq!(program("docker exec -i {sandbox_id} sh -c {command}").as_deref(), Some("docker"));
        assert_eq!(program("A=1 B='x y' './my script' x").as_deref(), Some("./my script"));
        for line in ["", "{ a; }", "place=$(mktemp -d) && echo $place", "$TOOL run", "(a)", "'unclosed"] {
            assert_eq!(program(line), None, "{line}");
        }
    }
}

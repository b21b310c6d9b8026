//! How a test command becomes a process.

use offload_plugin::shell;
use offload_plugin::types::Command;

use crate::cgroup;
use crate::sandbox::Sandbox;

/// The longest command line that is handed over as one argument. Linux takes 128 KiB (`MAX_ARG_STRLEN`), its final NUL
/// and what the shell adds included.
const LONGEST_LINE: usize = 120 * 1024;

/// The variables by which programs find the directory for temporary files.
const TMP_VARIABLES: [&str; 3] = ["TMPDIR", "TMP", "TEMP"];

/// The command as `<shell> -c <line>`, in the sandbox's idea of its directory and with its temporary directory, unless the
/// person has named another.
pub fn in_shell(shell: &str, sandbox: &Sandbox, command: Command) -> Command {
    let cwd = sandbox.directory(command.cwd.as_deref());
    let line = format!("exec {}", shell::join(&command.argv));
    let mut argv = vec![shell.to_owned(), "-c".to_owned()];
    if line.len() <= LONGEST_LINE {
        argv.push(line);
    } else {
        // Each argument for itself may be as long as a line.
        argv.extend([r#"exec "$@""#.to_owned(), "offload".to_owned()]);
        argv.extend(command.argv);
    }
    if let Some(group) = &sandbox.group {
        let enter = Command::script(cgroup::ENTER, [group.as_str()]);
        argv = enter.argv.into_iter().chain(argv).collect();
    }
    let mut env = command.env;
    if let Some(tmp) = &sandbox.tmp {
        let named = |variable: &str| env.iter().any(|(name, _)| name == variable);
        let missing: Vec<_> = TMP_VARIABLES.into_iter().filter(|variable| !named(variable)).collect();
        env.extend(missing.into_iter().map(|variable| (variable.to_owned(), tmp.clone())));
    }
    Command { argv, env, cwd }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox() -> Sandbox {
        Sandbox {
            scratch: "/tmp/offload-r1/one".to_owned(),
            run_id: "r1".to_owned(),
            name: "one".to_owned(),
            working_dir: Some("/tmp/offload-r1/one/work".to_owned()),
            orphan: false,
            copied_from: Some("/project".to_owned()),
            tmp: None,
            group: None,
        }
    }

    fn planned(argv: &[&str]) -> Command {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        let env = vec![("NAME".to_owned(), "a value".to_owned())];
        in_shell("sh", &sandbox(), Command { argv, env, cwd: Some("/project/sub".to_owned()) })
    }

    #[track_caller]
    fn check_words(words: &[&str]) {
        let command = planned(&[&["printf", "%s\\0"], words].concat());
        let output = std::process::Command::new(&command.argv[0]).args(&command.argv[1..]).output();
        let printed = String::from_utf8(output.expect("sh starts").stdout).expect("words are UTF-8");
        assert_eq!(printed.split_terminator('\0').collect::<Vec<_>>(), words);
    }

    #[test]
    fn the_shell_gets_one_quoted_line() {
        let command = planned(&["pytest", "a b"]);
        assert_eq!(command.argv, ["sh", "-c", "exec pytest 'a b'"]);
        assert_eq!(command.env, [("NAME".to_owned(), "a value".to_owned())]);
        assert_eq!(command.cwd.as_deref(), Some("/tmp/offload-r1/one/work/sub"));
    }

    #[test]
    fn its_temporary_directory_is_told_unless_the_person_named_one() {
        let sandbox = Sandbox { tmp: Some("/tmp/ofl-abcdef/one".to_owned()), ..sandbox() };
        let env = vec![("TMP".to_owned(), "/mine".to_owned())];
        let command = in_shell("sh", &sandbox, Command { env, ..Command::new(["pytest"]) });
        let told: Vec<_> = command.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(told, ["TMP=/mine", "TMPDIR=/tmp/ofl-abcdef/one", "TEMP=/tmp/ofl-abcdef/one"]);
    }

    #[test]
    fn a_shell_enters_the_group_first() {
        let sandbox = Sandbox { group: Some("/g/offload-r1-one".to_owned()), ..sandbox() };
        let command = in_shell("bash", &sandbox, Command::new(["pytest"]));
        assert_eq!(
            command.argv,
            ["sh", "-c", cgroup::ENTER, "offload", "/g/offload-r1-one", "bash", "-c", "exec pytest"]
        );
    }

    #[test]
    fn no_word_is_read_as_shell_text() {
        check_words(&["a b", "it's", "\"", "$HOME", "`id`", "$(id)", "a\nb", "-n", "*", "", "é", "\u{1}", "\\", "!"]);
    }

    #[test]
    fn commands_of_any_length_are_run() {
        let word = "it's ".repeat(4096);
        check_words(&vec![word.as_str(); 40]);
    }
}

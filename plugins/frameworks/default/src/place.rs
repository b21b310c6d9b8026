//! Ids that are absolute paths. Discovery prints where a file lies in the project; in a sandbox it lies somewhere else.
//!
//! So a path below the directory where discovery ran is told relative to it, which is the same on every machine, and is handed
//! over as an absolute path of the directory where the tests run, since tools such as jest ask for one.

use offload_plugin::junit::Case;
use offload_plugin::shell;
use offload_plugin::types::Test;

/// Marks a test whose id was printed as an absolute path.
pub const TAG: &str = "absolute-path";

/// Has the shell variable that [`word`] refers to, and whatever the command line starts.
pub const KNOW_PLACE: &str = "OFFLOAD_WORKING_DIR=$(pwd -P); export OFFLOAD_WORKING_DIR";

/// Prints the directory that a shell is in: as it is, and as the shell calls it, which may be by a link. NUL ends each.
pub const PRINT_PLACE: &str = r#"printf '%s\0' "$(pwd -P)" "$PWD""#;

/// What of an id lies below one of these directories, which end with NUL each.
pub fn below<'a>(id: &'a str, directories: &[u8]) -> Option<&'a str> {
    directories.split(|byte| *byte == 0).find_map(|directory| {
        let directory = std::str::from_utf8(directory).ok().filter(|directory| directory.len() > 1)?;
        id.strip_prefix(directory)?.strip_prefix('/').filter(|rest| !rest.is_empty() && !rest.starts_with('/'))
    })
}

pub fn is_path(test: &Test) -> bool {
    test.tags.iter().any(|tag| tag == TAG)
}

/// What stands for a test in a command line.
pub fn word(test: &Test) -> String {
    let quoted = shell::quote(&test.id);
    if is_path(test) { format!("\"$OFFLOAD_WORKING_DIR\"/{quoted}") } else { quoted }
}

/// Has cases speak of the files below `directory` as ids do.
pub fn make_relative(cases: &mut [Case], directory: &str) {
    let inside = |text: &str| Some(text.strip_prefix(directory)?.strip_prefix('/')?.to_owned());
    let shorten = |text: &mut String| {
        if let Some(rest) = inside(text) {
            *text = rest;
        }
    };
    for case in cases {
        shorten(&mut case.name);
        case.classname.iter_mut().for_each(shorten);
        case.file.iter_mut().for_each(shorten);
        if let Some(rest) = case.suite.as_deref().and_then(inside) {
            case.suite = Some(rest.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_lies_below_a_directory() {
        let directories = b"/real/shop\0/link/shop\0";
        assert_eq!(below("/real/shop/a b.js", directories), Some("a b.js"));
        assert_eq!(below("/link/shop/x/a.rb[1:2]", directories), Some("x/a.rb[1:2]"));
        for elsewhere in ["/real/shops/a.js", "/real/shop", "/real/shop/", "/real/shop//a.js", "a.js", "", "/"] {
            assert_eq!(below(elsewhere, directories), None, "{elsewhere}");
        }
        assert_eq!(below("/etc/a.js", b"/\0/\0"), None);
        assert_eq!(below("/etc/a.js", b""), None);
        assert_eq!(below("/etc/a.js", b"\xff\0"), None);
    }

    #[test]
    fn hands_over_paths_of_where_the_tests_run() {
        let path = Test { tags: vec![TAG.to_owned()], ..Test::new("it's/a.js") };
        assert_eq!(word(&path), r#""$OFFLOAD_WORKING_DIR"/'it'\''s/a.js'"#);
        assert_eq!(word(&Test::new("a b")), "'a b'");
    }

    #[test]
    fn cases_speak_of_files_as_ids_do() {
        let case = |name: &str, text: &str| Case {
            name: name.to_owned(),
            suite: Some(text.into()),
            classname: Some(text.to_owned()),
            file: Some(text.to_owned()),
            ..Case::default()
        };
        let mut cases = [case("/copy/a.js", "/copy/x/b.js"), case("adds /copy/a.js", "/copying/b.js")];
        make_relative(&mut cases, "/copy");
        assert_eq!(cases, [case("a.js", "x/b.js"), case("adds /copy/a.js", "/copying/b.js")]);
    }
}

//! What pytest's own JUnit XML calls a test.

/// Stands before four hexadecimal digits for a character that no id can hold (NUL, lone surrogates), and for itself.
const ESCAPE: char = '\u{241b}';

/// The `classname` and `name` of a test in pytest's JUnit XML, from its node id: the rules are those of
/// `mangle_test_address` and `bin_xml_escape` in pytest 9's `_pytest/junitxml.py`.
pub(crate) fn classname_and_name(id: &str) -> (String, String) {
    // A bracket in a path is no parameter, and two colons in a parameter separate nothing.
    let (path, rest) = match id.split_once("::") {
        Some((path, rest)) => (path, Some(rest)),
        None => (id, None),
    };
    let module = path.replace('/', ".");
    let module = module.strip_suffix(".py").unwrap_or(&module);
    let Some(rest) = rest else { return (String::new(), as_xml_text(module)) };
    let (names, parameters) = rest.split_at(rest.find('[').unwrap_or(rest.len()));
    let (holders, function) = match names.rsplit_once("::") {
        Some((holders, function)) => (format!("{module}.{}", holders.replace("::", ".")), function),
        None => (module.to_owned(), names),
    };
    (as_xml_text(&holders), as_xml_text(&format!("{function}{parameters}")))
}

/// Spells characters that XML cannot hold as pytest does: `#x1B`.
fn as_xml_text(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let code = match character {
            ESCAPE => match rest.as_str().get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
                Some(code) => {
                    rest.nth(3);
                    code
                }
                None => u32::from(ESCAPE),
            },
            other => u32::from(other),
        };
        match char::from_u32(code) {
            Some(character) if is_xml(character) => written.push(character),
            _ if code <= 0xFF => written.push_str(&format!("#x{code:02X}")),
            _ => written.push_str(&format!("#x{code:04X}")),
        }
    }
    written
}

fn is_xml(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{80}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, classname: &str, name: &str) {
        assert_eq!(classname_and_name(id), (classname.to_owned(), name.to_owned()));
    }

    #[test]
    fn a_path_becomes_dotted() {
        check("tests/unit/test_a.py::test_b", "tests.unit.test_a", "test_b");
        check("tests/test_a.py::TestB::TestC::test_d", "tests.test_a.TestB.TestC", "test_d");
        check("docs/a.rst::a.rst", "docs.a.rst", "a.rst");
        check("tests/test_a.py", "", "tests.test_a");
    }

    #[test]
    fn parameters_are_opaque() {
        check("test_a.py::test_b[x::y/z.py[1]]", "test_a", "test_b[x::y/z.py[1]]");
        check("test_a.py::TestC::test_b[::]", "test_a.TestC", "test_b[::]");
        check("odd[1]/test_a.py::test_b", "odd[1].test_a", "test_b");
    }

    #[test]
    fn what_xml_cannot_hold_is_spelled() {
        check("test_a.py::test_b[\u{1b}]", "test_a", "test_b[#x1B]");
        check("test_a.py::test_b[\u{241b}0000]", "test_a", "test_b[#x00]");
        check("test_a.py::test_b[\u{241b}d83d]", "test_a", "test_b[#xD83D]");
        check("test_a.py::test_b[\u{241b}241b]", "test_a", "test_b[\u{241b}]");
        check("test_a.py::test_b[\u{ffff}\u{7f}]", "test_a", "test_b[#xFFFF#x7F]");
        check("test_a.py::test_b[\u{1f980} \n]", "test_a", "test_b[\u{1f980} \n]");
    }
}

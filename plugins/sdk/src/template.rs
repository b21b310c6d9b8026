//! Commands with `{name}` placeholders, as people write them into offload.toml.

/// The template with each `{name}` of `values` replaced by its value. Everything else stays as it is, since shell text is
/// full of braces: `${VAR}`, `{a,b}`, `{ …; }` and names that are not among `values`. `${name}` is a shell variable and
/// never a placeholder. What a value holds is not expanded again.
pub fn expand(template: &str, values: &[(&str, &str)]) -> String {
    let mut expanded = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, name, after)) =
        next_placeholder(rest, |name| values.iter().any(|(known, _)| *known == name))
    {
        expanded.push_str(before);
        expanded.extend(values.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value).take(1));
        rest = after;
    }
    expanded.push_str(rest);
    expanded
}

/// Whether the template has the placeholder `{name}`.
pub fn mentions(template: &str, name: &str) -> bool {
    next_placeholder(template, |found| found == name).is_some()
}

/// The text before the first placeholder that is known, its name, and the text behind it.
fn next_placeholder(text: &str, is_known: impl Fn(&str) -> bool) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (before, inside) = (&text[..at], &text[at + 1..]);
        let (name, after) = inside.split_once('}')?;
        (!before.ends_with('$') && is_known(name)).then_some((before, name, after))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(template: &str, expected: &str) {
        assert_eq!(expand(template, &[("command", "'a {paths}'"), ("paths", "p"), ("empty", "")]), expected);
    }

    #[test]
    fn expands_what_is_known_once() {
        check("exec {command}", "exec 'a {paths}'");
        check("{paths}{paths}-{empty}-", "pp--");
        check("{command", "{command");
        check("{{paths}}", "{p}");
        check("{ {paths}; }", "{ p; }");
    }

    #[test]
    fn leaves_shell_text_alone() {
        check("echo ${HOME} {a,b} {unknown} { true; } ${paths}", "echo ${HOME} {a,b} {unknown} { true; } ${paths}");
        check("", "");
    }

    #[test]
    fn finds_placeholders() {
        assert!(mentions("jest {tests} --ci", "tests"));
        assert!(!mentions("jest ${tests} {test}", "tests"));
    }

    proptest! {
        #[test]
        fn text_without_placeholders_stays(text in "[a-c{}$ é]{0,30}") {
            prop_assert_eq!(expand(&text, &[("name", "value")]), text);
        }

        #[test]
        fn a_value_is_inserted_as_it_is(value in any::<String>()) {
            prop_assert_eq!(expand("<{name}>", &[("name", &value)]), format!("<{value}>"));
        }
    }
}

//! Shell-style expansion in the values of `[provider.env]`.

use std::env::VarError;

use thiserror::Error;

/// Why a value could not be expanded. Never holds the value of a variable.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum VariableError {
    #[error("the environment variable `{name}` is not set")]
    Unset { name: String, token: String },
    #[error("the environment variable `{name}` is not UTF-8 text")]
    NotUnicode { name: String, token: String },
    #[error("`${{` has no closing `}}`")]
    Unclosed { token: String },
    #[error("`{token}` does not name a variable")]
    Malformed { token: String },
}

impl VariableError {
    /// The part of the value that could not be expanded, as written.
    pub(super) fn token(&self) -> &str {
        match self {
            Self::Unset { token, .. }
            | Self::NotUnicode { token, .. }
            | Self::Unclosed { token }
            | Self::Malformed { token } => token,
        }
    }

    /// What the user can do about it.
    pub(super) fn help(&self) -> String {
        match self {
            Self::Unset { name, .. } => format!("set it, or give a default: `${{{name}:-default}}`"),
            Self::NotUnicode { .. } => "give it a value in UTF-8".to_owned(),
            Self::Unclosed { .. } | Self::Malformed { .. } => {
                "write `${VAR}`, or `${VAR:-default}`, or `$$` for a dollar sign itself".to_owned()
            }
        }
    }
}

/// Replaces `${VAR}` and `${VAR:-default}` by what `lookup` knows, and `$$` by `$`.
///
/// As in a shell, `:-` counts an empty variable as unset. The default is taken literally and ends at the first `}`. Any
/// other `$` stands for itself.
pub(super) fn expand(value: &str, lookup: impl Fn(&str) -> Result<String, VarError>) -> Result<String, VariableError> {
    let mut expanded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$$") {
            expanded.push('$');
            rest = after;
        } else if let Some(inside) = rest.strip_prefix("${") {
            let Some(length) = inside.find('}') else {
                return Err(VariableError::Unclosed { token: rest.to_owned() });
            };
            let (token, after) = rest.split_at("${".len() + length + "}".len());
            expanded.push_str(&resolve(&inside[..length], token, &lookup)?);
            rest = after;
        } else {
            expanded.push('$');
            rest = &rest[1..];
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn resolve(
    expression: &str,
    token: &str,
    lookup: impl Fn(&str) -> Result<String, VarError>,
) -> Result<String, VariableError> {
    let (name, default) = match expression.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (expression, None),
    };
    let token = token.to_owned();
    if !is_name(name) {
        return Err(VariableError::Malformed { token });
    }
    match (lookup(name), default) {
        (Ok(value), None) => Ok(value),
        (Ok(value), Some(_)) if !value.is_empty() => Ok(value),
        (Ok(_) | Err(VarError::NotPresent), Some(default)) => Ok(default.to_owned()),
        (Err(VarError::NotPresent), None) => Err(VariableError::Unset { name: name.to_owned(), token }),
        (Err(VarError::NotUnicode(_)), _) => Err(VariableError::NotUnicode { name: name.to_owned(), token }),
    }
}

/// A name in the sense of POSIX: letters, digits and underscores, no digit first.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && text.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lookup(name: &str) -> Result<String, VarError> {
        match name {
            "NAME" => Ok("offload".to_owned()),
            "DOLLAR" => Ok("${NAME}$$".to_owned()),
            "EMPTY" => Ok(String::new()),
            "BYTES" => Err(VarError::NotUnicode("bytes".into())),
            _ => Err(VarError::NotPresent),
        }
    }

    #[track_caller]
    fn check(value: &str, expected: &str) {
        assert_eq!(expand(value, lookup).as_deref(), Ok(expected), "{value}");
    }

    #[track_caller]
    fn check_fails(value: &str, message: &str, token: &str) {
        let error = expand(value, lookup).expect_err(value);
        assert_eq!((error.to_string().as_str(), error.token()), (message, token), "{value}");
    }

    #[test]
    fn what_the_shell_would_give() {
        check("${NAME}", "offload");
        check("a${NAME}b${NAME}", "aoffloadboffload");
        check("${NAME:-other}", "offload");
        check("${UNSET:-other}", "other");
        check("${UNSET:-}", "");
        check("${EMPTY:-other}", "other");
        check("${EMPTY}", "");
    }

    #[test]
    fn a_default_is_literal_up_to_the_first_brace() {
        check("${UNSET:-a:-b}", "a:-b");
        check("${UNSET:-$$ ${NAME}}", "$$ ${NAME}");
        check("${UNSET:-naïve 🦀}", "naïve 🦀");
    }

    #[test]
    fn a_value_is_not_expanded_again() {
        check("${DOLLAR}", "${NAME}$$");
    }

    #[test]
    fn any_other_dollar_stands_for_itself() {
        check("$$100", "$100");
        check("$$$${NAME}", "$${NAME}");
        check("$$${NAME}", "$offload");
        check("$NAME $ 5$", "$NAME $ 5$");
        check("$(id) `id` $é", "$(id) `id` $é");
    }

    #[test]
    fn what_cannot_be_expanded_is_named() {
        check_fails("a ${UNSET} b", "the environment variable `UNSET` is not set", "${UNSET}");
        check_fails("${BYTES:-x}", "the environment variable `BYTES` is not UTF-8 text", "${BYTES:-x}");
        check_fails("a ${NAME", "`${` has no closing `}`", "${NAME");
        check_fails("${}", "`${}` does not name a variable", "${}");
        check_fails("${:-x}", "`${:-x}` does not name a variable", "${:-x}");
        check_fails("${1ST}", "`${1ST}` does not name a variable", "${1ST}");
        check_fails("${NAME:=x}", "`${NAME:=x}` does not name a variable", "${NAME:=x}");
    }

    proptest! {
        #[test]
        fn text_without_a_dollar_is_unchanged(text in "[^$]*") {
            prop_assert_eq!(expand(&text, lookup), Ok(text));
        }

        #[test]
        fn an_escaped_text_expands_to_itself(text in ".*|[${}:a-z-]*") {
            prop_assert_eq!(expand(&text.replace('$', "$$"), lookup), Ok(text));
        }

        #[test]
        fn no_text_panics(text in ".*|[${}:A-Z-]*") {
            let _ = expand(&text, lookup);
        }
    }
}

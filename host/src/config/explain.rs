//! Tells in the words of the file what a JSON Schema found wrong with it.

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

use super::{
    document::Document,
    error::Problem,
    pointer,
    suggestion::{all_of, nearest, one_of},
    tables,
};

/// Translates the errors of one table. No message quotes a value, since variables in it are expanded.
pub(super) struct Explain<'a> {
    /// Where the table is in the document.
    pub(super) base: &'a str,
    pub(super) schema: &'a Value,
    pub(super) document: Option<&'a Document>,
}

impl Explain<'_> {
    pub(super) fn error(&self, error: &ValidationError<'_>) -> Vec<Problem> {
        use ValidationErrorKind as Kind;
        let at = format!("{}{}", self.base, error.instance_path());
        let limit = |limit: &dyn ToString, bound: &str| self.out_of_range(error, &at, bound, &limit.to_string());
        let problem = match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                return unexpected.iter().map(|key| self.unknown_key(error, &at, key)).collect();
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => return self.no_form(error, &at, context),
            Kind::PropertyNames { error: name } => match name.kind() {
                Kind::MinLength { .. } => {
                    let place = self.document.and_then(|document| document.key(&pointer::child(&at, "")));
                    Problem::new(format!("{} has an empty name in it", pointer::table(&at))).at(place, "has no name")
                }
                _ => self.not_allowed(error, &at),
            },
            Kind::Type { kind } => self.wrong_type(error, &at, &expected_types(kind)),
            Kind::Required { property } => self.missing_key(error, &at, property),
            Kind::Minimum { limit: least } => limit(least, "at least"),
            Kind::Maximum { limit: most } => limit(most, "at most"),
            Kind::ExclusiveMinimum { limit: bound } => limit(bound, "more than"),
            Kind::ExclusiveMaximum { limit: bound } => limit(bound, "less than"),
            Kind::MinLength { limit: 1 } | Kind::MinItems { limit: 1 } | Kind::MinProperties { limit: 1 } => {
                Problem::new(format!("{} must not be empty", self.name(error, &at)))
                    .at(self.value(&at), "is empty")
                    .with_help(self.description(error))
            }
            Kind::Enum { options } => self.no_option(error, &at, options),
            Kind::Pattern { pattern } => self.no_match(error, &at, pattern),
            _ => self.not_allowed(error, &at),
        };
        vec![problem]
    }

    fn unknown_key(&self, error: &ValidationError<'_>, table: &str, key: &str) -> Problem {
        let place = self.document.and_then(|document| document.key(&pointer::child(table, key)));
        let known = self.beside(error, "properties").and_then(Value::as_object);
        let known = || known.into_iter().flat_map(|known| known.keys().map(String::as_str));
        let is_table = error.instance().get(key).is_some_and(Value::is_object);
        let unknown = pointer::written(key);
        let (message, label) = if table.is_empty() && is_table {
            (format!("unknown table [{unknown}]"), "no such table")
        } else if table.is_empty() {
            (format!("unknown key `{unknown}` outside of any table"), "no such key here")
        } else {
            (format!("unknown key `{unknown}` in {}", pointer::table(table)), "no such key")
        };
        let help = if let Some(near) = nearest(key, known()) {
            format!("did you mean `{near}`?")
        } else if let Some(home) = tables::home_of(key) {
            format!("`{key}` belongs in [{home}]")
        } else if known().next().is_none() {
            "remove it".to_owned()
        } else if table.is_empty() {
            format!("the tables are {}", all_of(known()))
        } else {
            format!("the keys of {} are {}", pointer::table(table), all_of(known()))
        };
        Problem::new(message).at(place, label).with_help(help)
    }

    fn missing_key(&self, error: &ValidationError<'_>, table: &str, key: &Value) -> Problem {
        let key = key.as_str().unwrap_or_default();
        let place = self.document.and_then(|document| document.key(table));
        let description = self.beside(error, "properties").and_then(|properties| text(&properties[key], "description"));
        let help = description.map_or_else(|| format!("add `{key} = …`"), |means| format!("add `{key} = …`: {means}"));
        Problem::new(format!("{} has no `{key}`", pointer::table(table)))
            .at(place, format!("needs `{key}`"))
            .with_help(help)
    }

    fn wrong_type(&self, error: &ValidationError<'_>, at: &str, expected: &[JsonType]) -> Problem {
        let found = JsonType::from(error.instance().as_ref());
        let names: Vec<_> = expected.iter().copied().map(type_name).collect();
        let hint = self.retyped(at, expected, found).map(|written| format!("write {written}"));
        Problem::new(format!("{} must be {}", self.key_name(at), names.join(" or ")))
            .at(self.value(at), format!("this is {}", value_name(error.instance())))
            .with_help(hint.or_else(|| self.description(error)))
    }

    /// How to write the same thing in the type that is expected.
    fn retyped(&self, at: &str, expected: &[JsonType], found: JsonType) -> Option<String> {
        let written = self.document?.written(at)?;
        let key = pointer::last(at).filter(|key| key.parse::<usize>().is_err());
        let assign = |value: &str| match &key {
            Some(key) => format!("`{} = {value}`", pointer::written(key)),
            None => format!("`{value}`"),
        };
        let plain = written.trim_matches(['"', '\'']);
        let is_scalar = !matches!(found, JsonType::Array | JsonType::Object);
        match (expected, found) {
            ([JsonType::String, ..], JsonType::Integer | JsonType::Number | JsonType::Boolean) => {
                Some(assign(&format!("\"{written}\"")))
            }
            ([JsonType::Integer], JsonType::String) if plain.parse::<i64>().is_ok() => Some(assign(plain)),
            ([JsonType::Number], JsonType::String) if plain.parse::<f64>().is_ok() => Some(assign(plain)),
            ([JsonType::Boolean], JsonType::String) if plain.parse::<bool>().is_ok() => Some(assign(plain)),
            ([JsonType::Array], _) if is_scalar => Some(assign(&format!("[{written}]"))),
            ([JsonType::Object], _) => Some(format!("a table, which begins with the line `{}`", pointer::table(at))),
            _ => None,
        }
    }

    fn out_of_range(&self, error: &ValidationError<'_>, at: &str, bound: &str, limit: &str) -> Problem {
        Problem::new(format!("{} must be {bound} {limit}", self.key_name(at)))
            .at(self.value(at), format!("must be {bound} {limit}"))
            .with_help(self.description(error))
    }

    fn no_option(&self, error: &ValidationError<'_>, at: &str, options: &Value) -> Problem {
        let options: Vec<_> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let near = error.instance().as_str().and_then(|word| nearest(word, options.iter().copied()));
        Problem::new(format!("{} must be {}", self.key_name(at), one_of(options.iter().copied())))
            .at(self.value(at), "is none of these")
            .with_help(near.map(|near| format!("did you mean `{near}`?")).or_else(|| self.description(error)))
    }

    fn no_match(&self, error: &ValidationError<'_>, at: &str, pattern: &str) -> Problem {
        let (message, label) = match literal(pattern) {
            Some(part) => (format!("{} must contain {part}", self.name(error, at)), format!("has no {part}")),
            // A description says in words what the pattern says to machines.
            None if self.description(error).is_some() => {
                (format!("{} is not written as it has to be", self.name(error, at)), "does not fit".to_owned())
            }
            None => return self.not_allowed(error, at),
        };
        Problem::new(message).at(self.value(at), label).with_help(self.description(error))
    }

    /// Of several forms that a value may have, tells what is wrong with the one that it comes nearest to: the one that
    /// disagrees deepest inside of the value.
    fn no_form(&self, error: &ValidationError<'_>, at: &str, forms: &[Vec<ValidationError<'static>>]) -> Vec<Problem> {
        let depth = |form: &&Vec<ValidationError<'static>>| {
            form.iter().map(|error| error.instance_path().as_str().matches('/').count()).max().unwrap_or_default()
        };
        let here = error.instance_path().as_str().matches('/').count();
        match forms.iter().max_by_key(depth) {
            Some(form) if depth(&form) > here => form.iter().flat_map(|error| self.error(error)).collect(),
            _ => {
                let mut types = Vec::new();
                let mut options = Vec::new();
                for reason in forms.iter().flatten() {
                    match reason.kind() {
                        ValidationErrorKind::Type { kind } => types.extend(expected_types(kind)),
                        // How the words of an enum are told of which each has a description.
                        ValidationErrorKind::Constant { expected_value } => options.push(Value::clone(expected_value)),
                        ValidationErrorKind::Enum { options: several } => {
                            options.extend(several.as_array().into_iter().flatten().cloned());
                        }
                        _ => return self.error(reason),
                    }
                }
                if types.is_empty() {
                    vec![self.no_option(error, at, &Value::Array(options))]
                } else {
                    vec![self.wrong_type(error, at, &types)]
                }
            }
        }
    }

    /// For the rules that are seldom used.
    fn not_allowed(&self, error: &ValidationError<'_>, at: &str) -> Problem {
        Problem::new(format!("{} is not allowed: {}", self.name(error, at), error.masked_with("the value")))
            .at(self.value(at), "is not allowed")
            .with_help(self.description(error))
    }

    fn name(&self, error: &ValidationError<'_>, at: &str) -> String {
        if error.instance().is_object() { pointer::table(at) } else { self.key_name(at) }
    }

    fn key_name(&self, at: &str) -> String {
        pointer::value(at)
    }

    fn value(&self, at: &str) -> Option<std::ops::Range<usize>> {
        self.document?.value(at)
    }

    /// What the schema says about the value that it refuses.
    fn description(&self, error: &ValidationError<'_>) -> Option<String> {
        self.beside(error, "description")?.as_str().map(str::to_owned)
    }

    /// What the schema says beside the rule that was broken.
    fn beside(&self, error: &ValidationError<'_>, keyword: &str) -> Option<&Value> {
        let rule = error.schema_path().as_str();
        self.schema.pointer(pointer::parent(rule)?)?.get(keyword)
    }
}

fn expected_types(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(one) => vec![*one],
        // TOML has no null.
        TypeKind::Multiple(several) => several.iter().filter(|one| *one != JsonType::Null).collect(),
    }
}

/// The text that a pattern looks for, of one that looks for a text and nothing else.
fn literal(pattern: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => text.push(rest.next().filter(char::is_ascii_punctuation)?),
            '.' | '^' | '$' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' => return None,
            plain => text.push(plain),
        }
    }
    Some(text)
}

fn type_name(json: JsonType) -> &'static str {
    match json {
        JsonType::Null => "nothing",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "a table",
    }
}

fn value_name(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => type_name(JsonType::Integer),
        value => type_name(JsonType::from(value)),
    }
}

fn text<'a>(schema: &'a Value, keyword: &str) -> Option<&'a str> {
    schema.get(keyword)?.as_str()
}

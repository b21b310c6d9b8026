//! A configuration file as values, each with its place in the text.

use std::{collections::HashMap, fmt, ops::Range, sync::Arc};

use serde_json::{Map, Number, Value};
use toml::{
    Spanned,
    de::{DeInteger, DeTable, DeValue},
};

use super::{
    error::{ConfigError, Problem},
    pointer,
};

/// The text of a configuration file, its values as JSON, and where in the text each of them is.
pub(super) struct Document {
    /// What the user calls the file.
    name: String,
    text: Arc<str>,
    values: Value,
    /// By JSON pointer.
    places: HashMap<String, Place>,
}

#[derive(Clone)]
struct Place {
    key: Range<usize>,
    value: Range<usize>,
}

impl Document {
    pub(super) fn parse(name: &str, text: String) -> Result<Self, ConfigError> {
        let text: Arc<str> = text.into();
        let parsed = DeTable::parse(&text).map_err(|error| {
            let problem = Problem::new("the configuration is not valid TOML").at(error.span(), error.message());
            ConfigError::new(problem).in_file(name, &text)
        })?;
        let mut reading = Reading::default();
        let values = reading.table(parsed.get_ref(), "");
        ConfigError::unless_none(reading.problems).map_err(|error| error.in_file(name, &text))?;
        drop(parsed);
        Ok(Self { name: name.to_owned(), text, values, places: reading.places })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn values(&self) -> &Value {
        &self.values
    }

    /// Where the key of a value is; for an item of an array, where the item is.
    pub(super) fn key(&self, pointer: &str) -> Option<Range<usize>> {
        self.places.get(pointer).map(|place| place.key.clone())
    }

    pub(super) fn value(&self, pointer: &str) -> Option<Range<usize>> {
        self.places.get(pointer).map(|place| place.value.clone())
    }

    /// A value as it is written.
    pub(super) fn written(&self, pointer: &str) -> Option<&str> {
        self.text.get(self.value(pointer)?)
    }

    /// The place of `part` within a value, or that of the whole value where escapes hide it.
    pub(super) fn part(&self, pointer: &str, part: &str) -> Option<Range<usize>> {
        let value = self.value(pointer)?;
        match self.text.get(value.clone())?.find(part) {
            Some(at) => Some(value.start + at..value.start + at + part.len()),
            None => Some(value),
        }
    }

    pub(super) fn error(&self, error: ConfigError) -> ConfigError {
        error.in_file(&self.name, &self.text)
    }
}

/// The text may hold secrets.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Document").field(&self.name).finish()
    }
}

#[derive(Default)]
struct Reading {
    places: HashMap<String, Place>,
    problems: Vec<Problem>,
}

impl Reading {
    fn table(&mut self, table: &DeTable<'_>, at: &str) -> Value {
        let mut values = Map::new();
        for (key, value) in table {
            let pointer = pointer::child(at, key.get_ref());
            self.places.insert(pointer.clone(), Place { key: key.span(), value: value.span() });
            values.insert(key.get_ref().to_string(), self.value(value, &pointer));
        }
        Value::Object(values)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, at: &str) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(truth) => Value::Bool(*truth),
            DeValue::Integer(integer) => match whole(integer) {
                Some(number) => Value::Number(number),
                None => self.refuse(value, at, "is too large a number", None),
            },
            DeValue::Float(float) => match float.as_str().parse().ok().and_then(fraction) {
                Some(number) => Value::Number(number),
                None => self.refuse(value, at, "must be a finite number", None),
            },
            DeValue::Datetime(_) => self.refuse(value, at, "must not be a date", Some("write it as text, in quotes")),
            DeValue::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    let pointer = pointer::child(at, &index.to_string());
                    self.places.insert(pointer.clone(), Place { key: item.span(), value: item.span() });
                    self.value(item, &pointer)
                })
                .collect(),
            DeValue::Table(table) => self.table(table, at),
        }
    }

    fn refuse(&mut self, value: &Spanned<DeValue<'_>>, at: &str, why: &str, help: Option<&str>) -> Value {
        let problem = Problem::new(format!("{} {why}", pointer::value(at))).at(Some(value.span()), why);
        self.problems.push(problem.with_help(help.map(str::to_owned)));
        Value::Null
    }
}

fn whole(integer: &DeInteger<'_>) -> Option<Number> {
    let (digits, radix) = (integer.as_str(), integer.radix());
    i64::from_str_radix(digits, radix)
        .map(Number::from)
        .or_else(|_| u64::from_str_radix(digits, radix).map(Number::from))
        .ok()
}

/// JSON Schema counts `10.0` as an integer, so it is handed on as one.
fn fraction(float: f64) -> Option<Number> {
    /// 2^53: up to here every whole number is a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number in the range of i64")]
    if float.fract() == 0.0 && float.abs() <= EXACT {
        return Some(Number::from(float as i64));
    }
    Number::from_f64(float)
}

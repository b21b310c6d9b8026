//! A table of settings that a JSON Schema takes: what is required, and as little as that.

use serde_json::{Map, Value, json};

/// A value that the schema is likely to allow.
pub(super) fn of(schema: &Value) -> Value {
    let stated = ["const", "default"].into_iter().find_map(|key| schema.get(key));
    let listed = ["enum", "examples"].into_iter().find_map(|key| schema.get(key)?.as_array()?.first());
    if let Some(value) = stated.or(listed) {
        return value.clone();
    }
    if let Some(form) = ["anyOf", "oneOf"].into_iter().find_map(|key| schema.get(key)?.as_array()?.first()) {
        return of(form);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].as_array()?.first()?.as_str());
    match kind {
        Some("string") => {
            let least = schema["minLength"].as_u64().and_then(|least| usize::try_from(least).ok()).unwrap_or(0);
            Value::String(format!("sample{}", "x".repeat(least.saturating_sub(6).min(4096))))
        }
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        Some("array") => {
            let least = schema["minItems"].as_u64().unwrap_or(0).min(16);
            Value::Array((0..least).map(|_| of(&schema["items"])).collect())
        }
        Some("null") => Value::Null,
        _ => Value::Object(required(schema)),
    }
}

fn required(schema: &Value) -> Map<String, Value> {
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    names.map(|name| (name.to_owned(), of(&schema["properties"][name]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_is_made_up() {
        let schema = json!({
            "type": "object",
            "required": ["command", "count", "mode", "nested", "list"],
            "properties": {
                "command": { "type": "string", "minLength": 8 },
                "count": { "type": "integer", "minimum": 3 },
                "mode": { "enum": ["fast", "slow"] },
                "nested": { "type": "object", "required": ["on"], "properties": { "on": { "type": ["boolean", "null"] } } },
                "list": { "type": "array", "minItems": 1, "items": { "anyOf": [{ "type": "number" }] } },
                "unused": { "type": "string" },
            },
        });
        let sample = of(&schema);
        assert_eq!(
            sample,
            json!({ "command": "samplexx", "count": 3, "mode": "fast", "nested": { "on": false }, "list": [1] })
        );
        assert!(jsonschema::is_valid(&schema, &sample));
    }

    #[test]
    fn a_schema_that_says_nothing_takes_an_empty_table() {
        assert_eq!(of(&Value::Null), json!({}));
    }
}

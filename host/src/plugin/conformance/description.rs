//! What a component says of itself.

use serde_json::Value;

use super::Findings;
use crate::plugin::inspection::Inspection;

const DESCRIBE: &str = "describe";
const SETTINGS: &str = "settings";

pub(super) fn check(inspection: &Inspection, findings: &mut Findings) {
    let info = &inspection.info;
    if info.name.trim().is_empty() {
        findings.bad(DESCRIBE, "it has no name");
    }
    if info.version.split('.').next().is_none_or(|major| major.parse::<u64>().is_err()) {
        findings.odd(DESCRIBE, format!("its version is {:?}, where people expect one such as 1.2.3", info.version));
    }
    if info.description.trim().is_empty() {
        findings.odd(DESCRIBE, "it does not say what it is for");
    }
    for why in inspection.requests.iter().filter_map(|request| request.as_ref().err()) {
        findings.bad(DESCRIBE, format!("it {why}"));
    }
    let asks = match info.requests.as_slice() {
        [] => "asks for nothing".to_owned(),
        requests => format!("asks for {}", requests.join(", ")),
    };
    findings.good_if_clean(DESCRIBE, format!("{} {}; {asks}", info.name, info.version));
}

pub(super) fn check_settings(schema: &Value, settings: &Value, findings: &mut Findings) {
    if !schema.is_object() {
        findings.bad(SETTINGS, "its settings schema is no JSON object");
        return;
    }
    let validator = match jsonschema::draft202012::new(schema) {
        Ok(validator) => validator,
        Err(error) => {
            findings.bad(SETTINGS, format!("its settings schema is not valid: {error}"));
            return;
        }
    };
    let undescribed = schema["properties"].as_object().into_iter().flatten();
    let undescribed: Vec<_> =
        undescribed.filter(|(_, key)| key.get("description").is_none()).map(|(key, _)| key.as_str()).collect();
    if let Some(error) = validator.iter_errors(settings).next() {
        findings.odd(
            SETTINGS,
            format!("no table could be made up that its schema takes ({error}): give one with --settings FILE"),
        );
    } else if !undescribed.is_empty() {
        let keys = undescribed.join(", ");
        findings
            .odd(SETTINGS, format!("its schema has no description of {keys}: it is what people read below an error"));
    } else if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        findings.odd(SETTINGS, "its schema takes keys that it does not name: a misspelled one will go unnoticed");
    } else {
        findings.good(SETTINGS, format!("tried with {settings}"));
    }
}

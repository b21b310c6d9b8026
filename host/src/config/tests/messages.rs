use std::{fs, path::PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{super::ConfigError, load};

/// As a terminal without colours shows it.
fn shown(error: &ConfigError) -> String {
    let mut text = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut text, error)
        .expect("a report");
    text
}

/// Every file of a folder beside this one, by name.
fn cases(folder: &str) -> Vec<(String, String)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "src/config/tests", folder].iter().collect();
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .expect("a folder of cases")
        .map(|entry| entry.expect("a case").path())
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    cases.sort();
    cases
}

/// Compares with the snapshot of that name, in which `input` is kept for the reader.
#[track_caller]
fn check(name: &str, input: &str, shown: &str) {
    insta::with_settings!({ description => input, omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, shown);
    });
}

#[test]
fn what_the_file_itself_gets_wrong() {
    for (name, text) in cases("cases") {
        let error = load(&text).expect_err(&name);
        check(&name, &text, &shown(&error));
    }
}

#[test]
fn what_a_plugin_does_not_understand() {
    for (name, text) in cases("settings") {
        let config = load(&text).expect(&name);
        let provider = config.check_provider(&provider_schema()).err();
        let groups = config.groups.keys().filter_map(|group| config.check_group(group, &framework_schema()).err());
        let errors: Vec<_> = provider.into_iter().chain(groups).collect();
        assert!(!errors.is_empty(), "{name}");
        let shown: String = errors.iter().map(shown).collect();
        check(&format!("settings-{name}"), &text, &shown);
    }
}

fn provider_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "shell": { "type": "string", "minLength": 1, "description": "What runs the commands." },
            "isolation": {
                "description": "Whether a sandbox has its own files.",
                "oneOf": [{ "const": "auto", "description": "If it must." }, { "enum": ["copy", "none"] }],
            },
            "env": { "type": "object", "additionalProperties": { "type": "string", "maxLength": 6 } },
        },
        "additionalProperties": false,
    })
}

fn framework_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "paths": {
                "description": "Files and directories with tests.",
                "type": "array",
                "items": { "$ref": "#/$defs/path" },
                "minItems": 1,
            },
            "python": {
                "description": "The interpreter, as a command or as a list of its words.",
                "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
            },
            "markers": { "type": "string", "description": "A pytest marker expression." },
            "ratio": { "type": "number", "exclusiveMaximum": 1 },
            "doctests": { "type": "boolean" },
            "command": { "type": "string", "pattern": r"run\.sh \{tests\}", "description": "What runs {tests}." },
        },
        "required": ["paths"],
        "additionalProperties": false,
        "$defs": { "path": { "type": "string", "pattern": "^[^/]", "description": "A relative path." } },
    })
}

#[test]
fn unknown_plugins_are_shown_in_place() {
    let text = "[provider]\ntype = \"locl\"\n\n[groups.a]\ntype = \"jest\"\n";
    let config = load(text).expect("a configuration");
    check("unknown-provider", text, &shown(&config.unknown_provider(&["default", "local"])));
    check("unknown-framework", text, &shown(&config.unknown_framework("a", &["cargo", "default", "pytest"])));
}

#[test]
fn a_plugin_with_a_broken_schema_is_to_blame() {
    let text = "[groups.a]\ntype = \"jest\"\n";
    let config = load(text).expect("a configuration");
    let error = config.check_group("a", &json!({ "type": "strin" })).expect_err("no schema");
    check("broken-schema", text, &shown(&error));
    let error = config.check_group("b", &json!({})).expect_err("no group");
    check("no-such-group", text, &shown(&error));
}

proptest! {
    /// A mistake is shown wherever it is: between characters of several bytes, or at the very end.
    #[test]
    fn no_text_panics(text in r#"\PC*|(\[offload\]|\[groups\.[aé]\]|type|max_parallel|env|[ \n=."'{}\[\],#$0-9é🦀\r\u{feff}]){0,40}"#) {
        if let Err(error) = load(&text) {
            prop_assert!(!shown(&error).is_empty());
        }
    }
}

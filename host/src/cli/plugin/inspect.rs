//! `offload plugin inspect`

use std::collections::BTreeSet;
use std::path::Path;

use console::style;
use serde::Serialize;
use serde_json::Value;

use crate::cli::args::Format;
use crate::cli::output::{print, print_json};
use crate::plugin::{self, Inspection, Request, Source};

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    name: &'a str,
    version: &'a str,
    description: &'a str,
    kind: &'static str,
    contract: &'a str,
    sha256: String,
    bytes: usize,
    exports: &'a [String],
    imports: &'a [String],
    requests: &'a [String],
    settings_schema: Value,
}

pub(super) async fn inspect_file(path: &Path, format: Format) -> anyhow::Result<u8> {
    let source = Source::file(path);
    let inspection = plugin::inspect(&source).await?;
    match format {
        Format::Json => print_json(&json(&inspection)?),
        Format::Text => print(&text(path, source.name(), &inspection)),
    }
    Ok(0)
}

fn json(inspection: &Inspection) -> anyhow::Result<String> {
    let Inspection { kind, shape, info, bytes, digest, .. } = inspection;
    let report = Report {
        schema: 1,
        name: &info.name,
        version: &info.version,
        description: &info.description,
        kind: kind.name(),
        contract: shape.contract(),
        sha256: digest.to_string(),
        bytes: *bytes,
        exports: &shape.exports,
        imports: &shape.imports,
        requests: &info.requests,
        settings_schema: serde_json::from_str(&info.settings_schema).unwrap_or(Value::Null),
    };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

fn text(path: &Path, name: &str, inspection: &Inspection) -> String {
    let Inspection { kind, shape, info, bytes, digest, .. } = inspection;
    let title = style(format!("{} {}", info.name, info.version)).bold();
    let mut text = format!("{title}: {}\n\n", info.description);
    let mut line = |label: &str, value: &str| text += &format!("  {label:<10} {value}\n");
    line("kind", kind.name());
    line("contract", &format!("offload:plugin {}", shape.contract()));
    line("size", &format!("{} KiB", bytes.div_ceil(1024)));
    line("sha256", &digest.to_string());
    let (wasi, ours): (Vec<_>, Vec<_>) =
        shape.imports.iter().map(String::as_str).partition(|name| name.starts_with("wasi:"));
    line("exports", &shape.exports.join(", "));
    line("imports", &ours.join(", "));
    line("", &packages(&wasi));
    line("settings", &settings(&info.settings_schema));
    text += &needs(name, path, &inspection.requests);
    text
}

/// A package is named once, however many of its interfaces are imported.
fn packages(interfaces: &[&str]) -> String {
    let packages: BTreeSet<_> = interfaces.iter().filter_map(|name| name.split('/').next()).collect();
    packages.into_iter().collect::<Vec<_>>().join(", ")
}

fn settings(schema: &str) -> String {
    let schema: Value = serde_json::from_str(schema).unwrap_or(Value::Null);
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let keys = schema["properties"].as_object().map(|keys| {
        let key =
            |key: &String| if required.contains(&key.as_str()) { format!("{key} (required)") } else { key.clone() };
        keys.keys().map(key).collect::<Vec<_>>().join(", ")
    });
    keys.filter(|keys| !keys.is_empty()).unwrap_or_else(|| "none".to_owned())
}

/// The lines of offload.toml that give it all that it asks for.
fn needs(name: &str, path: &Path, requests: &[Result<Request, String>]) -> String {
    let mut text = String::new();
    for why in requests.iter().filter_map(|request| request.as_ref().err()) {
        text += &format!("\n{} it {why}\n", style("defect:").red());
    }
    let requests: Vec<_> = requests.iter().filter_map(|request| request.as_ref().ok()).collect();
    let quoted = |text: &str| toml::Value::from(text).to_string();
    text += "\nTo use it, write in offload.toml:\n\n";
    text += &format!("[{}]\npath = {}\n", plugin::table_of(name), quoted(&path.display().to_string()));
    if requests.is_empty() {
        return text + "\nIt asks for nothing besides.\n";
    }
    text += &format!("\n[{}.allow]            # what it asks for: grant what you agree with\n", plugin::table_of(name));
    for kind in ["run", "env", "set-env", "net", "read", "write"] {
        let of_kind: Vec<_> = requests.iter().filter(|request| request.kind() == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let named: Vec<_> = of_kind.iter().filter_map(|request| request.what()).map(quoted).collect();
        let any = if named.len() < of_kind.len() { "   # any: name those that you want it to have" } else { "" };
        text += &format!("{} = [{}]{any}\n", kind.replace('-', "_"), named.join(", "));
    }
    text
}

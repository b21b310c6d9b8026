//! `offload plugin list`

use std::path::Path;

use console::style;
use serde::Serialize;

use crate::cli::args::Format;
use crate::cli::output::{print, print_json};
use crate::config::{Allow, Config, load_config};
use crate::model::Failure;
use crate::plugin::{self, Inspection, Kind, Source, built_in_names};

/// As many digits of a digest as tell one from another.
const SHORT_DIGEST: usize = 12;

#[derive(Serialize)]
struct Listing {
    schema: u32,
    plugins: Vec<Listed>,
}

/// What there is to say of one plugin; of one that cannot be used, why.
#[derive(Serialize)]
struct Listed {
    name: String,
    built_in: bool,
    kind: Option<&'static str>,
    version: Option<String>,
    description: Option<String>,
    sha256: Option<String>,
    pinned: bool,
    requests: Vec<String>,
    grants: Option<Allow>,
    error: Option<String>,
}

/// Lists what comes with offload and, where there is a configuration, what that names.
pub(super) async fn list(path: &Path, format: Format) -> anyhow::Result<u8> {
    let config = if path.exists() { Some(load_config(path)?) } else { None };
    let mut plugins = Vec::new();
    for kind in [Kind::Provider, Kind::Framework] {
        for name in built_in_names(kind) {
            let source = Source::built_in(kind, name);
            plugins.push(Listed::new(&source, None, plugin::inspect(&source).await));
        }
    }
    if let Some(config) = &config {
        for name in config.plugins.keys() {
            let Some(source) = Source::configured_as(config, name) else { continue };
            plugins.push(Listed::new(&source, Some(config), plugin::inspect(&source).await));
        }
    }
    let unusable = plugins.iter().any(|plugin| plugin.error.is_some());
    match format {
        Format::Json => print_json(&(serde_json::to_string_pretty(&Listing { schema: 1, plugins })? + "\n")),
        Format::Text => print(&text(&plugins)),
    }
    Ok(u8::from(unusable))
}

impl Listed {
    fn new(source: &Source, config: Option<&Config>, inspection: Result<Inspection, Failure>) -> Self {
        let name = source.name().to_owned();
        let configured = config.and_then(|config| config.plugins.get(&name));
        let pinned = configured.is_some_and(|plugin| plugin.sha256.is_some())
            || config.is_some_and(|config| config.pins.get(&name).is_some());
        let (inspection, error) = match inspection {
            Ok(inspection) => (Some(inspection), None),
            Err(failure) => (None, Some(failure.to_string())),
        };
        let requests = inspection.iter().flat_map(|inspection| &inspection.info.requests).cloned().collect();
        Self {
            name,
            built_in: source.is_built_in(),
            kind: inspection.as_ref().map(|inspection| inspection.kind.name()),
            version: inspection.as_ref().map(|inspection| inspection.info.version.clone()),
            description: inspection.as_ref().map(|inspection| inspection.info.description.clone()),
            sha256: inspection.as_ref().map(|inspection| inspection.digest.to_string()),
            pinned,
            requests,
            grants: configured.map(|plugin| plugin.allow.clone()),
            error,
        }
    }

    fn row(&self) -> [String; 5] {
        let digest = self.sha256.as_deref().and_then(|digest| digest.get(..SHORT_DIGEST)).unwrap_or("-");
        let origin = match (self.built_in, self.pinned) {
            (true, _) => "comes with offload".to_owned(),
            (false, pinned) => {
                let pin = if pinned { "pinned" } else { "not pinned" };
                format!("{pin}; {}", self.granted())
            }
        };
        let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
        [self.name.clone(), text(self.kind), text(self.version.as_deref()), digest.to_owned(), origin]
    }

    fn granted(&self) -> String {
        let Some(allow) = &self.grants else { return "no grants".to_owned() };
        let lists = [
            ("run", &allow.run),
            ("env", &allow.env),
            ("set", &allow.set_env),
            ("net", &allow.net),
            ("read", &allow.read),
            ("write", &allow.write),
        ];
        let granted = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let granted: Vec<_> = granted.map(|(kind, list)| format!("{kind} {}", list.join(", "))).collect();
        if granted.is_empty() { "no grants".to_owned() } else { format!("may {}", granted.join("; ")) }
    }
}

fn text(plugins: &[Listed]) -> String {
    let heading = ["NAME", "KIND", "VERSION", "SHA-256", "ORIGIN AND GRANTS"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(heading).chain(plugins.iter().map(Listed::row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for (number, [name, kind, version, digest, origin]) in rows.iter().enumerate() {
        let [a, b, c, d] = widths;
        let line = format!("{name:<a$}  {kind:<b$}  {version:<c$}  {digest:<d$}  {origin}\n");
        text += &if number == 0 { style(line).bold().to_string() } else { line };
        let error = number.checked_sub(1).and_then(|index| plugins[index].error.as_ref());
        for line in error.iter().flat_map(|error| error.lines()) {
            text += &format!("  {}\n", style(line).red());
        }
    }
    text
}

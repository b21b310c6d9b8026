//! What `offload init` writes: a part for the provider, a part for the framework, and what all have in common.

const OFFLOAD: &str = include_str!("templates/offload.toml");
const REPORT: &str = include_str!("templates/report.toml");

const PROVIDERS: [(&str, &str); 4] = [
    ("local", include_str!("templates/provider-local.toml")),
    ("default", include_str!("templates/provider-default.toml")),
    ("docker", include_str!("templates/provider-docker.toml")),
    ("modal", include_str!("templates/provider-modal.toml")),
];

const FRAMEWORKS: [(&str, &str); 5] = [
    ("pytest", include_str!("templates/group-pytest.toml")),
    ("cargo", include_str!("templates/group-cargo.toml")),
    ("vitest", include_str!("templates/group-vitest.toml")),
    ("go", include_str!("templates/group-go.toml")),
    ("default", include_str!("templates/group-default.toml")),
];

/// A configuration that works as it stands, with comments on what else there is; `None` without a template for either.
pub(super) fn render(provider: &str, framework: &str) -> Option<String> {
    Some([OFFLOAD, part(&PROVIDERS, provider)?, part(&FRAMEWORKS, framework)?, REPORT].join("\n"))
}

fn part(parts: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    parts.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{HistoryConfig, OffloadConfig, ReportConfig, load_config};

    /// Every pair of a provider and a framework, with its text.
    fn pairs() -> impl Iterator<Item = (&'static str, &'static str, String)> {
        PROVIDERS.iter().flat_map(|(provider, _)| {
            FRAMEWORKS.iter().map(|(framework, _)| {
                (*provider, *framework, render(provider, framework).expect("a template for every pair"))
            })
        })
    }

    #[test]
    fn every_pair_is_a_configuration_with_the_usual_defaults() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("offload.toml");
        for (provider, framework, text) in pairs() {
            fs::write(&file, text).expect("a file");
            let config = load_config(&file).expect("a good configuration");
            assert_eq!(config.provider.kind, provider);
            assert!(config.groups.values().all(|group| group.kind == framework));
            assert_eq!(config.offload, OffloadConfig::default());
            assert_eq!(config.report, ReportConfig::default());
            assert_eq!(config.history, HistoryConfig::default());
        }
    }

    /// What is commented out only for want of a project to fit is as good as the rest.
    #[test]
    fn every_setting_that_is_commented_out_can_be_taken_in() {
        for (provider, framework, text) in pairs() {
            let all: String = text.lines().map(|line| taken_in(line).to_owned() + "\n").collect();
            let settings = all.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
            assert!(settings.len() > 10, "{provider} {framework}");
            for line in settings {
                toml::from_str::<toml::Table>(line).expect(line);
            }
        }
    }

    fn taken_in(line: &str) -> &str {
        line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || rest.contains(" = ")).unwrap_or(line)
    }

    #[test]
    fn without_a_template_there_is_none() {
        assert_eq!(render("acme", "pytest"), None);
        assert_eq!(render("local", "jest"), None);
    }
}

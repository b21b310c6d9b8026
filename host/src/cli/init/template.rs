//! What `offload init` writes: a part for the provider, a part for the framework, and what all have in common.

const OFFLOAD: &str = include_str!("templates/offload.toml");
const REPORT: &str = include_str!("templates/report.toml");

const PROVIDERS: [(&str, &str); 6] = [
    ("local", include_str!("templates/provider-local.toml")),
    ("default", include_str!("templates/provider-default.toml")),
    ("docker", include_str!("templates/provider-docker.toml")),
    ("ssh", include_str!("templates/provider-ssh.toml")),
    ("slurm", include_str!("templates/provider-slurm.toml")),
    ("modal", include_str!("templates/provider-modal.toml")),
];

const FRAMEWORKS: [(&str, &str); 5] = [
    ("pytest", include_str!("templates/group-pytest.toml")),
    ("cargo", include_str!("templates/group-cargo.toml")),
    ("vitest", include_str!("templates/group-vitest.toml")),
    ("go", include_str!("templates/group-go.toml")),
    ("default", include_str!("templates/group-default.toml")),
];

/// What [`OFFLOAD`] says of sandboxes that are not processes of this machine.
const PARALLEL: &str = "max_parallel = 10           # sandboxes that run tests at once";

/// A configuration that works as it stands, with comments on what else there is; `None` without a template for either. `cores`
/// are those of this machine.
pub(super) fn render(provider: &str, framework: &str, cores: usize) -> Option<String> {
    let offload = if provider == "local" {
        let parallel = format!("max_parallel = {cores}");
        let here = format!("{parallel:28}# sandboxes that run tests at once: as many as this machine has cores");
        OFFLOAD.replace(PARALLEL, &here)
    } else {
        OFFLOAD.to_owned()
    };
    Some([&offload, part(&PROVIDERS, provider)?, part(&FRAMEWORKS, framework)?, REPORT].join("\n"))
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
                (*provider, *framework, render(provider, framework, 10).expect("a template for every pair"))
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

    #[test]
    fn tests_of_this_machine_have_its_cores() {
        let parallel = |provider, cores| {
            let text = render(provider, "pytest", cores).expect("a template");
            let table: toml::Table = text.parse().expect("it is TOML");
            table["offload"]["max_parallel"].as_integer()
        };
        assert_eq!(parallel("local", 3), Some(3));
        assert_eq!(parallel("local", 128), Some(128));
        assert_eq!(parallel("docker", 3), Some(10));
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
        assert_eq!(render("acme", "pytest", 1), None);
        assert_eq!(render("local", "jest", 1), None);
    }
}

//! What keeps allocations from being made here.

use offload_plugin::prelude::*;

use crate::settings::Settings;
use crate::{allocation, script, trouble};

/// Programs of Slurm and of the system that the provider's scripts run.
const PROGRAMS: &str = "salloc srun scancel squeue scontrol sinfo timeout setsid";

/// Looks at everything in the order in which a person would mend it; what cannot be known without the rest is left out.
pub fn examine(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![programs()];
    if is_problem(&findings) {
        return findings;
    }
    findings.extend(munge());
    findings.push(controller());
    if is_problem(&findings) {
        return findings;
    }
    findings.push(partition(settings));
    if !is_problem(&findings) {
        findings.push(limits(settings));
    }
    findings
}

fn is_problem(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.status == "problem")
}

/// A finding by what a script printed, or by what it said when it failed.
fn found(subject: &str, text: &str, arguments: &[&str], remedy: &str) -> Finding {
    match script::probe(text, arguments).capture() {
        Ok(finished) if finished.exit == Exit::Code(0) => {
            Finding::ok(subject, String::from_utf8_lossy(&finished.stdout).trim())
        }
        Ok(finished) => Finding::problem(subject, one_line(&trouble::words(&finished))).mended_by(remedy),
        Err(failure) => Finding::problem(subject, failure.message).mended_by(remedy),
    }
}

fn programs() -> Finding {
    let text = r#"
        for program in $1; do command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }; done
        salloc --version
    "#;
    let remedy = "run offload where jobs are submitted; on Debian and Ubuntu: apt-get install slurm-client";
    found("slurm", text, &[PROGRAMS], remedy)
}

/// Nothing, where the cluster knows its users in another way, or there is nobody to ask.
fn munge() -> Option<Finding> {
    let text = r#"
        case $(scontrol show config) in *auth/munge*) ;; *) exit 0 ;; esac
        said=$(munge --no-input 2>&1) || { printf '%s\n' "$said" >&2; exit 1; }
        echo credentials are made
    "#;
    let finding = found("munge", text, &[], "systemctl start munge");
    (!finding.message.is_empty()).then_some(finding)
}

fn controller() -> Finding {
    let text = r#"
        said=$(scontrol ping 2>&1)
        case $said in *' is UP'*) printf '%s\n' "$said" | head -n 1 ;; *) printf '%s\n' "$said" >&2; exit 1 ;; esac
    "#;
    found(
        "controller",
        text,
        &[],
        "systemctl start slurmctld on the machine that `scontrol show config` calls SlurmctldHost",
    )
}

fn partition(settings: &Settings) -> Finding {
    let text = r#"
        [ -z "$1" ] || scontrol show partition "$1" >/dev/null || exit 1
        shown=$(sinfo --noheader ${1:+--partition="$1"} --format='%P is %a, at most %l, nodes %A (allocated/idle)')
        if [ -z "$1" ]; then shown=$(printf '%s\n' "$shown" | sed -n 's/\* is / is /p'); fi
        case $shown in
            '') echo "no partition is the default one" >&2; exit 1 ;;
            *' is up, '*) printf '%s\n' "$shown" | head -n 1 ;;
            *) printf '%s\n' "$shown" >&2; exit 1 ;;
        esac
    "#;
    found(
        "partition",
        text,
        &[settings.partition.as_deref().unwrap_or_default()],
        "set partition to one that `sinfo` shows as up",
    )
}

/// Slurm itself says whether it would ever start such a job; nothing is submitted.
fn limits(settings: &Settings) -> Finding {
    let resources = allocation::resources(settings);
    let text = r#"
        said=$(srun --test-only "$@" true 2>&1)
        case $said in *' to start at '*) printf '%s\n' "$said" | tail -n 1 ;; *) printf '%s\n' "$said" >&2; exit 1 ;; esac
    "#;
    let arguments: Vec<_> = resources.iter().map(String::as_str).collect();
    found("limits", text, &arguments, "correct account, qos, time, cpus, memory, gres or constraint in [provider]")
}

fn one_line(said: &str) -> String {
    said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

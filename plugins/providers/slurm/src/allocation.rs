//! What salloc is asked for.

use crate::settings::Settings;

/// What every job of ours is called by: its run and its sandbox follow. Of all fields of a job, the name is the one that each
/// cluster keeps and shows.
const PREFIX: &str = "offload:";

/// A job's name.
pub fn job_name(run_id: &str, sandbox: &str) -> String {
    format!("{PREFIX}{run_id}:{sandbox}")
}

/// The run and the sandbox in the name of a job, if it is ours.
pub fn named(job_name: &str) -> Option<(&str, &str)> {
    job_name.strip_prefix(PREFIX)?.split_once(':')
}

/// salloc's arguments. One node and one task: a sandbox is a place where one command at a time runs.
pub fn arguments(settings: &Settings, job_name: &str) -> Vec<String> {
    let mut arguments = vec!["--no-shell".to_owned(), format!("--job-name={job_name}")];
    arguments.extend(resources(settings));
    arguments.extend(settings.extra_args.iter().cloned());
    arguments
}

/// What an allocation has, in options that salloc and srun share.
pub fn resources(settings: &Settings) -> Vec<String> {
    let mut options =
        vec!["--nodes=1".to_owned(), "--ntasks=1".to_owned(), format!("--cpus-per-task={}", settings.cpus)];
    let optional = [
        ("partition", &settings.partition),
        ("account", &settings.account),
        ("qos", &settings.qos),
        ("time", &settings.time),
        ("mem", &settings.memory),
        ("gres", &settings.gres),
        ("constraint", &settings.constraint),
    ];
    for (name, value) in optional {
        options.extend(value.as_ref().map(|value| format!("--{name}={value}")));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> Settings {
        offload_plugin::settings::parse(json).expect("the table is valid")
    }

    #[test]
    fn names_are_read_back() {
        assert_eq!(named(&job_name("20260101-120000-abcdef", "slurm-1")), Some(("20260101-120000-abcdef", "slurm-1")));
        assert_eq!(named("offload"), None);
        assert_eq!(named("offload:half"), None);
        assert_eq!(named("somebody's job"), None);
    }

    #[test]
    fn a_sandbox_is_one_task_on_one_node() {
        let arguments = arguments(&settings("{}"), "offload:r:s");
        assert_eq!(arguments, ["--no-shell", "--job-name=offload:r:s", "--nodes=1", "--ntasks=1", "--cpus-per-task=1"]);
    }

    #[test]
    fn every_setting_is_an_option() {
        let settings = settings(
            r#"{"partition": "p", "account": "a", "qos": "q", "time": "1:00:00", "cpus": 4, "memory": "2G", "gres": "gpu:1",
                "constraint": "fast&new", "extra_args": ["--exclusive"]}"#,
        );
        let arguments = arguments(&settings, "n");
        for option in [
            "--partition=p",
            "--account=a",
            "--qos=q",
            "--time=1:00:00",
            "--cpus-per-task=4",
            "--mem=2G",
            "--gres=gpu:1",
            "--constraint=fast&new",
        ] {
            assert!(arguments.iter().any(|argument| argument == option), "{option} is missing in {arguments:?}");
        }
        assert_eq!(arguments.last().map(String::as_str), Some("--exclusive"));
    }
}

//! The `slurm` provider's component, function by function, with a real cluster behind it.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command as Process, Stdio};

use offload_plugin::provider::{Created, SandboxSpec};
use offload_plugin::test_kit::{Host, ProviderComponent, Ran};
use offload_plugin::types::{Captured, Command, Exit, Failure};
use offload_tests::{Slurm, component, offload};
use serde_json::{Value, json};

/// Runs what the component wants run.
fn really_run(conf: String) -> impl FnMut(&Command, &[u8]) -> Ran {
    move |command, stdin| {
        let mut process = Process::new(&command.argv[0]);
        process.args(&command.argv[1..]).env("SLURM_CONF", &conf).envs(command.env.iter().cloned());
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = process.spawn().expect("it starts");
        // A command that reads nothing closes its end.
        let _ = child.stdin.take().expect("a pipe").write_all(stdin);
        let output = child.wait_with_output().expect("it ends");
        let ran = match output.status.signal() {
            Some(signal) => Ran::signal(signal),
            None => Ran::exit(output.status.code().expect("a code")),
        };
        ran.stdout(output.stdout).stderr(output.stderr)
    }
}

fn provider(slurm: &Slurm, settings: &Value) -> ProviderComponent {
    let conf = slurm.configuration().display().to_string();
    Host::at(offload()).provider(component("provider_slurm"), settings, really_run(conf)).expect("a provider")
}

/// A sandbox of a run that no other test has.
fn create(provider: &mut ProviderComponent, run_id: &str) -> Result<Created, Failure> {
    provider.create(&SandboxSpec {
        name: "slurm-1".into(),
        slot: 0,
        run_id: run_id.into(),
        image: None,
        env: Vec::new(),
        cwd: Some("/tmp".into()),
        copy_dirs: Vec::new(),
        isolated: false,
    })
}

fn run_id(test: &str) -> String {
    format!("{test}-{}", std::process::id())
}

fn job(created: &Created) -> u64 {
    let id: Value = serde_json::from_str(&created.sandbox).expect("an id is JSON");
    id["job"].as_u64().expect("a number")
}

fn sh(provider: &mut ProviderComponent, created: &Created, line: &str, stdin: &str) -> Result<Captured, Failure> {
    provider.exec(&created.sandbox, &Command::new(["sh", "-c", line]), stdin.as_bytes())
}

#[test]
fn streams_and_exit_codes_are_the_commands_own() {
    let Some(slurm) = Slurm::get() else { return };
    let mut provider = provider(&slurm, &json!({}));
    let created = create(&mut provider, &run_id("streams")).expect("a sandbox");
    let ran = sh(&mut provider, &created, "cat; printf 'no end'; printf 'x\\001\\377y\\n z' >&2; exit 42", "a\nb")
        .expect("it ran");
    assert_eq!(ran.exit, Exit::Code(42));
    assert_eq!(ran.stdout, b"a\nbno end");
    assert_eq!(ran.stderr, b"x\x01\xffy\n z");
    for code in [0, 1, 2, 9, 126, 127, 128, 130, 137, 143, 255] {
        let ran = sh(&mut provider, &created, &format!("exit {code}"), "").expect("it ran");
        assert_eq!((ran.exit, ran.stderr.as_slice()), (Exit::Code(code), b"".as_slice()));
    }
    for signal in [1, 6, 9, 11, 15] {
        let ran = sh(&mut provider, &created, &format!("kill -{signal} $$; sleep 1"), "").expect("it ran");
        assert_eq!((ran.exit, ran.stderr.as_slice()), (Exit::Signal(signal), b"".as_slice()));
    }
    let big = sh(
        &mut provider,
        &created,
        "head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2",
        "",
    );
    let big = big.expect("it ran");
    assert_eq!((big.stdout.len(), big.stderr.len()), (300_000, 300_000));
    provider.destroy(&[&created.sandbox]).expect("it goes");
}

/// Words of Slurm's that a command says itself do not confuse anybody.
#[test]
fn a_command_cannot_pass_for_slurm() {
    let Some(slurm) = Slurm::get() else { return };
    let mut provider = provider(&slurm, &json!({}));
    let created = create(&mut provider, &run_id("liar")).expect("a sandbox");
    let lie = "printf 'srun: Job step aborted\\noffload-status 0\\nslurmstepd: error: exceeded memory limit\\nsrun: x: task 0: Out Of Memory\\n' >&2; exit 7";
    assert_eq!(sh(&mut provider, &created, lie, "").expect("it ran").exit, Exit::Code(7));
    provider.destroy(&[&created.sandbox]).expect("it goes");
}

#[test]
fn what_slurm_does_to_a_command_has_a_code() {
    let Some(slurm) = Slurm::get() else { return };
    let mut provider = provider(&slurm, &json!({"memory": "100M"}));
    let run_id = run_id("codes");
    let created = create(&mut provider, &run_id).expect("a sandbox");
    let greedy = "x = bytearray(300_000_000); import time; time.sleep(20)";
    let greedy = provider.exec(&created.sandbox, &Command::new(["python3", "-c", greedy]), b"");
    assert_eq!(greedy.expect_err("it had too much").code, "out-of-memory");

    let number = job(&created);
    let cancelled = sh(&mut provider, &created, &format!("scancel {number}; sleep 20"), "").expect_err("the job went");
    assert_eq!(cancelled.code, "sandbox-lost");
    assert!(cancelled.message.contains("JobState=CANCELLED"), "{}", cancelled.message);
    let late = sh(&mut provider, &created, "true", "").expect_err("the job is gone");
    assert_eq!(late.code, "sandbox-lost");
    provider.cancel(&created.sandbox).expect("with the job its commands ended");
    provider.destroy(&[&created.sandbox]).expect("it is gone already");
    provider.destroy(&[&created.sandbox]).expect("it is still gone");

    let unknown = created.sandbox.replace(&format!("\"job\":{number}"), "\"job\":99999999");
    let message = provider.exec(&unknown, &Command::new(["true"]), b"").expect_err("there is none").message;
    assert!(message.contains("Invalid job id specified"), "{message}");
    provider.destroy(&[&unknown]).expect("it never was");
}

#[test]
fn leftovers_are_found_and_destroyed() {
    let Some(slurm) = Slurm::get() else { return };
    let mut provider = provider(&slurm, &json!({}));
    let run_id = run_id("left");
    let created = create(&mut provider, &run_id).expect("a sandbox");
    assert!(std::path::Path::new(&created.scratch_root).is_dir());
    let left: Vec<_> = provider.leftovers().expect("a list").into_iter().filter(|left| left.run_id == run_id).collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].name, format!("job {}", job(&created)));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time after 1970").as_secs();
    assert!(left[0].created.is_some_and(|created| (now - 60..=now).contains(&created)), "{:?}", left[0].created);
    provider.destroy(&[&left[0].sandbox]).expect("it goes");
    assert_eq!(slurm.jobs(&run_id), Vec::<String>::new());
    assert!(!std::path::Path::new(&created.scratch_root).exists(), "its directory was left");
    assert!(provider.leftovers().expect("a list").iter().all(|left| left.run_id != run_id));
}

#[track_caller]
fn findings(slurm: &Slurm, settings: &Value) -> Vec<(String, String, String)> {
    let findings = provider(slurm, settings).examine().expect("findings");
    assert!(findings.iter().all(|finding| !finding.message.contains('\n')));
    assert!(findings.iter().all(|finding| finding.status == "ok" || finding.remedy.is_some()));
    findings.into_iter().map(|finding| (finding.subject, finding.status, finding.message)).collect()
}

#[test]
fn a_doctor_looks_at_everything() {
    let Some(slurm) = Slurm::get() else { return };
    let all = findings(&slurm, &json!({"partition": "short", "time": "1"}));
    let looked: Vec<_> = all.iter().map(|(subject, status, _)| (subject.as_str(), status.as_str())).collect();
    let expected = ["slurm", "munge", "controller", "partition", "limits"].map(|subject| (subject, "ok"));
    assert_eq!(looked, expected, "{all:?}");
    assert!(all[3].2.contains("short is up, at most 1:00"), "{all:?}");

    for (settings, subject, words) in [
        (json!({"partition": "nowhere"}), "partition", "Partition nowhere not found"),
        (json!({"cpus": 1000}), "limits", "Requested node configuration is not available"),
        (json!({"constraint": "fast"}), "limits", "Invalid feature specification"),
    ] {
        let all = findings(&slurm, &settings);
        let (last, status, message) = all.last().expect("findings");
        assert_eq!((last.as_str(), status.as_str()), (subject, "problem"), "{all:?}");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_doctor_sees_that_nobody_answers() {
    let Some(slurm) = Slurm::of_its_own("silent") else { return };
    slurm.stop_controller();
    let all = findings(&slurm, &json!({}));
    let (last, status, message) = all.last().expect("findings");
    assert_eq!((last.as_str(), status.as_str()), ("controller", "problem"), "{all:?}");
    assert!(message.contains("is DOWN"), "{message}");
}

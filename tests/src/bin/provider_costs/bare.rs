//! The engine's own programs, doing the least that the provider does.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::engine::Engine;
use crate::{ROUNDS, Steps, median};

/// Creates with the SDK itself, in a process that has it loaded.
const MODAL: &str = r#"
import json, sys, time, modal

rounds, directory = int(sys.argv[1]), sys.argv[2]
app = modal.App.lookup("offload-bench", create_if_missing=True)
image = modal.Image.from_dockerfile(directory + "/Dockerfile", context_dir=directory)
image.build(app)
times = {"create": [], "exec": [], "destroy": []}

def timed(step, call):
    begun = time.monotonic()
    result = call()
    times[step].append((time.monotonic() - begun) * 1000)
    return result

for _ in range(rounds):
    sandbox = timed("create", lambda: modal.Sandbox.create("sleep", "600", app=app, image=image))
    timed("exec", lambda: sandbox.exec("true").wait())
    timed("destroy", sandbox.terminate)
print(json.dumps({step: sorted(all)[len(all) // 2] for step, all in times.items()}))
"#;

/// The medians of many sandboxes, one after the other.
pub fn measure(engine: &Engine) -> Result<Steps> {
    if let Engine::Modal { project, .. } = engine {
        let mut sdk = Command::new(offload_tests::modal_python());
        sdk.args(["-c", MODAL]).arg(ROUNDS.to_string()).arg(project.path()).envs(engine.environment());
        return serde_json::from_slice(&finished(&mut sdk)?.stdout).context("failed to read the figures");
    }
    let (mut create, mut exec, mut destroy) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (output, took) = timed(engine, &engine.creates(round))?;
        create.push(took);
        let sandbox = engine.created(round, &output)?;
        for _ in 0..3 {
            exec.push(timed(engine, &engine.runs(&sandbox))?.1);
        }
        destroy.push(timed(engine, &engine.destroys(&sandbox))?.1);
    }
    engine.ended()?;
    Ok(Steps { create: median(create), exec: median(exec), destroy: median(destroy) })
}

fn timed(engine: &Engine, argv: &[String]) -> Result<(Output, Duration)> {
    let Some((program, arguments)) = argv.split_first() else { bail!("there is no command") };
    let begun = Instant::now();
    let output = finished(Command::new(program).args(arguments).envs(engine.environment()))?;
    Ok((output, begun.elapsed()))
}

fn finished(command: &mut Command) -> Result<Output> {
    let output = command.output().with_context(|| format!("failed to start {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output)
}

//! The provider as offload calls it.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use offload::model::Failure;
use offload::plugin::contract::{Command, Exit, ImageSpec, SandboxSpec};
use offload::plugin::{Kind, ProviderComponent, Source};
use offload::process::Stdio;
use tokio::sync::Mutex;

use crate::{ROUNDS, Steps, median};

const RUN: &str = "20260101-000000-bench0";

/// The medians of many sandboxes, one after the other.
pub fn measure(kind: &str, settings: &str) -> Result<Steps> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(lives(kind, settings))
}

async fn lives(kind: &str, settings: &str) -> Result<Steps> {
    let source = Source::built_in(Kind::Provider, kind);
    let provider = ProviderComponent::load(&source, settings.to_owned().into(), Arc::new(|_, _| ()))?;
    let spec = ImageSpec { run_id: RUN.to_owned(), sandboxes: 2, copy_dirs: Vec::new(), rebuild: false };
    let image = provider.prepare(&spec).await.map_err(failed)?.image;
    let (mut create, mut exec, mut destroy) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let spec = SandboxSpec {
            name: format!("bench-{round}"),
            slot: 0,
            run_id: RUN.to_owned(),
            image: image.clone(),
            env: Vec::new(),
            cwd: None,
            copy_dirs: Vec::new(),
            isolated: false,
        };
        let begun = Instant::now();
        let sandbox = provider.create(&spec).await.map_err(failed)?.sandbox;
        create.push(begun.elapsed());
        for _ in 0..3 {
            let command = Command { argv: vec!["true".to_owned()], env: Vec::new(), cwd: None };
            let stdio = Arc::new(Mutex::new(Stdio::default()));
            let begun = Instant::now();
            let exit = provider.exec(&sandbox, &format!("exec-{round}"), &command, stdio).await.map_err(failed)?;
            exec.push(begun.elapsed());
            ensure!(matches!(exit, Exit::Code(0)), "`true` ended with {exit:?}");
        }
        let begun = Instant::now();
        provider.destroy(&[sandbox]).await.map_err(failed)?;
        destroy.push(begun.elapsed());
    }
    provider.close().await;
    Ok(Steps { create: median(create), exec: median(exec), destroy: median(destroy) })
}

fn failed(failure: Failure) -> anyhow::Error {
    anyhow!("{failure}")
}

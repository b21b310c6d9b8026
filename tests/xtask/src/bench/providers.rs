//! What sandboxes cost, provider by provider.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::table::Figure;
use crate::{backends, console, program, python, workspace};

/// Those that have an engine to be held against.
const PROVIDERS: [&str; 5] = ["local", "docker", "ssh", "slurm", "modal"];

/// Starts the engines and measures each provider beside its engine's own programs.
pub fn measure() -> Result<Vec<Figure>> {
    console::step("Python environments", || {
        python::with_pytest()?;
        python::with_modal()
    })?;
    let engines = console::step("engines", backends::up)?;
    let mut figures = Vec::new();
    for provider in PROVIDERS {
        let costs = console::step(provider, || measured(&[provider]));
        match costs {
            Ok(costs) => figures.extend(figures_of(provider, &costs)?),
            // An engine that cannot be had here keeps no other from being measured.
            Err(error) => console::say(&format!("left out: {provider}: {error:#}")),
        }
    }
    drop(engines);
    figures.extend(of_scale(&console::step("200 sandboxes of modal", || measured(&["modal", "--scale"]))?)?);
    Ok(figures)
}

fn measured(arguments: &[&str]) -> Result<Value> {
    let mut command = Command::new(workspace::target().join("release").join("provider_costs"));
    serde_json::from_str(&program::output(command.args(arguments))?).context("failed to read the figures")
}

fn of_scale(scale: &Value) -> Result<Vec<Figure>> {
    let of = |name: &str| scale[name].as_f64().with_context(|| format!("{name} was not measured"));
    let (makespan, bound, host, helper) = (of("makespan")?, of("bound")?, of("host_cpu")?, of("helper_cpu")?);
    let figure = |what: &str, aim, measured, unit, note| Figure { what: what.to_owned(), aim, measured, unit, note };
    Ok(vec![
        figure(
            "modal at scale: makespan / bound",
            Some(1.25),
            makespan / bound,
            "times",
            format!("2,000 tests of 3 s in 200 sandboxes: {makespan:.1} s, at least {bound} s"),
        ),
        figure(
            "modal at scale: CPU",
            Some(20.0),
            host + helper,
            "s",
            format!("the host {host:.1} s, the helper with Modal's SDK {helper:.1} s"),
        ),
        figure("modal at scale: memory", Some(400.0), of("memory")?, "MB", "the peaks of both together".to_owned()),
        figure("modal at scale: helpers", Some(1.5), of("helpers")?, "", "processes that speak to Modal".to_owned()),
    ])
}

fn figures_of(provider: &str, costs: &Value) -> Result<Vec<Figure>> {
    let of = |whose: &str, step: &str| {
        costs[whose][step].as_f64().with_context(|| format!("{step} of {provider} was not measured"))
    };
    let mut figures = Vec::new();
    for step in ["create", "exec", "destroy"] {
        let (measured, bare) = (of("provider", step)?, of("bare", step)?);
        figures.push(Figure {
            what: format!("{provider}: {step}"),
            aim: None,
            measured,
            unit: "ms",
            note: format!("the engine's own program {bare:.1} ms, {:.2} times that", measured / bare),
        });
    }
    let suite = costs["suite"].as_f64().context("the suite was not measured")?;
    figures.push(Figure {
        what: format!("{provider}: a suite"),
        aim: None,
        measured: suite / 1000.0,
        unit: "s",
        note: "200 tests of pytest in two sandboxes, from the command line to the reports".to_owned(),
    });
    Ok(figures)
}

//! Plain `vitest run` beside the same suite through offload.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::only::Only;
use super::sample::median;
use super::table::Figure;
use crate::{console, vitest, workspace};

const ROUNDS: usize = 3;
const FILES: usize = 120;

/// The tests of a file, of which `N` is the number.
struct Suite {
    name: &'static str,
    test: &'static str,
    /// What all files import, if anything: so many modules of the project's own.
    modules: usize,
}

const SUITES: [Suite; 3] = [
    Suite {
        name: "vitest, 120 trivial files",
        test: "import { describe, expect, test } from \"vitest\";\ndescribe(\"suite N\", () => {\n\
               \x20 for (const n of [1, 2, 3, 4, 5]) test(`adds ${n}`, () => expect(n + N).toBe(N + n));\n});\n",
        modules: 0,
    },
    Suite {
        name: "vitest, 120 files that import",
        test: "import { expect, test } from \"vitest\";\nimport { build } from \"vite\";\nimport { total } from \"./all.js\";\n\
               test(\"imports\", () => expect([typeof build, total]).toEqual([\"function\", 1770]));\n",
        modules: 60,
    },
    Suite {
        name: "vitest, 120 files that wait",
        test: "import { test } from \"vitest\";\n\
               for (const n of [1, 2]) test(`waits ${n}`, () => new Promise((done) => setTimeout(done, 100)));\n",
        modules: 0,
    },
];

/// Wall time and processor time of each suite, as ratios.
pub fn measure(only: &Only) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for suite in SUITES.iter().filter(|suite| only.has(suite.name)) {
        figures.extend(pairs(suite)?);
    }
    Ok(figures)
}

fn pairs(suite: &Suite) -> Result<[Figure; 2]> {
    vitest::with_each_version()?;
    let dir = workspace::target().join("bench").join(suite.name.replace([' ', ','], "-"));
    write(suite, &dir)?;
    let mut offload = Command::new(workspace::release_binary());
    offload.arg("run").current_dir(&dir);
    let mut plain = Command::new("npx");
    plain.args(["--no-install", "vitest", "run"]).current_dir(&dir);
    // Once before it counts: caches of files and of compiled components.
    timed(&mut offload)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let (own, other) = (timed(&mut offload)?, timed(&mut plain)?);
        console::say(&format!(
            "{}, round {round}: {:.2} s ({:.1} s of processors), {:.2} s ({:.1} s)",
            suite.name, own.wall, own.processors, other.wall, other.processors
        ));
        ours.push(own);
        theirs.push(other);
    }
    let figure = |what: &str, aim, of: fn(&Times) -> f64| {
        let middle = |times: &[Times]| median(times.iter().map(of).collect());
        Figure {
            what: format!("{}: {what}", suite.name),
            aim: Some(aim),
            measured: median(ours.iter().zip(&theirs).map(|(ours, theirs)| of(ours) / of(theirs)).collect()),
            unit: "times",
            note: format!("{:.2} s, {:.2} s; two sandboxes", middle(&ours), middle(&theirs)),
        }
    };
    Ok([
        figure("to vitest run", 1.10, |times| times.wall),
        figure("processor time to that", 1.40, |times| times.processors),
    ])
}

fn write(suite: &Suite, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("failed to make {}", dir.display()))?;
    let put = |name: &str, text: &str| {
        let path: PathBuf = dir.join(name);
        fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))
    };
    put("package.json", "{ \"private\": true, \"type\": \"module\" }\n")?;
    for file in 0..FILES {
        put(&format!("{file:03}.test.js"), &suite.test.replace('N', &file.to_string()))?;
    }
    let names: Vec<_> = (0..suite.modules).map(|module| format!("part{module}")).collect();
    for (module, name) in names.iter().enumerate() {
        put(&format!("{name}.js"), &format!("export const {name} = {module};\n"))?;
    }
    let imports: String = names.iter().map(|name| format!("import {{ {name} }} from \"./{name}.js\";\n")).collect();
    let sum = if names.is_empty() { "0".to_owned() } else { names.join(" + ") };
    put("all.js", &format!("{imports}export const total = {sum};\n"))?;
    put(
        "offload.toml",
        "[offload]\nmax_parallel = 2\nretry_count = 0\n\n[provider]\ntype = \"local\"\n\n\
         [groups.suite]\ntype = \"vitest\"\n\n[report]\noutput_dir = \"results\"\n\n[history]\nenabled = false\n",
    )?;
    let modules = dir.join("node_modules");
    if !modules.exists() {
        std::os::unix::fs::symlink(workspace::target().join("vitest4/node_modules"), &modules)
            .with_context(|| format!("failed to link {}", modules.display()))?;
    }
    Ok(())
}

struct Times {
    wall: f64,
    /// Of the process and all of its children.
    processors: f64,
}

/// A shell runs it, and says what its children took.
fn timed(command: &mut Command) -> Result<Times> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$@\" >&2; code=$?; times; exit $code", "bench"]).args(words);
    shell.current_dir(command.get_current_dir().unwrap_or(Path::new(".")));
    let begun = Instant::now();
    let output = shell.stdin(Stdio::null()).output().with_context(|| format!("failed to start {command:?}"))?;
    let wall = begun.elapsed().as_secs_f64();
    if !output.status.success() {
        bail!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let times = String::from_utf8_lossy(&output.stdout).into_owned();
    let children = times.lines().nth(1).unwrap_or_default();
    let seconds: Option<Vec<f64>> = children.split_whitespace().map(seconds).collect();
    let Some([user, system]) = seconds.as_deref() else { bail!("`times` of sh said {times:?}") };
    Ok(Times { wall, processors: user + system })
}

/// Such as `1m2.345s`.
fn seconds(text: &str) -> Option<f64> {
    let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
    Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_of_a_shell_are_minutes_and_seconds() {
        assert_eq!(seconds("0m0.020s"), Some(0.02));
        assert_eq!(seconds("2m1.5s"), Some(121.5));
        assert_eq!(seconds("1.5"), None);
    }
}

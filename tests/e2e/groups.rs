//! Groups that hold back: how many sandboxes they use, and what may run beside them.

use offload_tests::Project;

/// Each test says when it began and ended, in a file that all of them write to.
const WATCHED: &str = "import os, pathlib, time\n\nHERE = pathlib.Path(__file__).parent.parent\n\ndef note(what, name):\n    \
    fd = os.open(HERE / 'watch.log', os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n    \
    os.write(fd, f'{what} {name}\\n'.encode())\n    os.close(fd)\n\ndef watched(name):\n    \
    note('+', name)\n    time.sleep(0.4)\n    note('-', name)\n";

fn project(rules: &[(&str, &str)]) -> Project {
    let mut config = String::from("[offload]\nmax_parallel = 4\nretry_count = 0\n\n");
    let mut project = Project::new();
    for (group, keys) in rules {
        config.push_str(&format!(
            "[groups.{group}]\ntype = \"pytest\"\npython = \"{{python}}\"\npaths = [\"{group}\"]\n{keys}\n\n"
        ));
        let tests: String = (0..4).map(|test| format!("def test_{test}():\n    watched('{group}')\n\n")).collect();
        project = project
            .file(&format!("{group}/test_{group}.py"), format!("{WATCHED}\n{tests}"))
            .file(&format!("{group}/test_more_{group}.py"), format!("{WATCHED}\n{tests}"));
    }
    project.config(&config)
}

/// For each moment, how many tests of each kind ran at once.
fn crowds(project: &Project) -> Vec<Vec<String>> {
    let mut now: Vec<String> = Vec::new();
    let log = project.read("watch.log");
    let step = |line: &str| {
        let (what, name) = line.split_once(' ').expect("two words");
        if what == "+" {
            now.push(name.to_owned());
        } else if let Some(place) = now.iter().position(|other| other == name) {
            now.remove(place);
        }
        now.clone()
    };
    log.lines().map(step).collect()
}

fn most_of(crowds: &[Vec<String>], group: &str) -> usize {
    crowds.iter().map(|now| now.iter().filter(|name| *name == group).count()).max().unwrap_or(0)
}

#[track_caller]
fn check(rules: &[(&str, &str)], holds: impl Fn(&[Vec<String>]) -> bool) {
    for mode in ["", "worker = false"] {
        let rules: Vec<_> = rules.iter().map(|(group, keys)| (*group, format!("{keys}\n{mode}"))).collect();
        let rules: Vec<_> = rules.iter().map(|(group, keys)| (*group, keys.as_str())).collect();
        let project = project(&rules);
        let done = project.run(&[]).exits(0);
        assert_eq!(done.results().count("passed"), 8 * rules.len());
        let crowds = crowds(&project);
        assert!(holds(&crowds), "{mode}: {crowds:?}");
    }
}

#[test]
fn a_group_uses_no_more_sandboxes_than_it_may() {
    check(&[("few", "max_parallel = 2"), ("free", "")], |crowds| {
        most_of(crowds, "few") <= 2 && most_of(crowds, "free") >= 2
    });
    check(&[("one", "max_parallel = 1")], |crowds| most_of(crowds, "one") == 1);
}

#[test]
fn nothing_runs_beside_an_exclusive_group() {
    check(&[("alone", "exclusive = true"), ("free", "")], |crowds| {
        let both = |now: &Vec<String>| now.iter().any(|name| name == "alone") && now.iter().any(|name| name == "free");
        !crowds.iter().any(both) && most_of(crowds, "alone") >= 2
    });
}

#[test]
fn tests_can_be_handed_out_one_by_one() {
    let project = project(&[("single", "schedule_individual = true\nworker = false")]);
    let done = project.run(&[]).exits(0);
    let sizes: Vec<_> = done.events_of("batch-started").iter().map(|batch| batch["tests"].clone()).collect();
    assert_eq!(sizes, vec![serde_json::Value::from(1); 8]);
}

//! `[report] artifacts`: files that tests leave behind and that people keep.

use offload_tests::{DefaultProvider, Project};

const SUITE: &str = "import os, pathlib, time, pytest\n\
    @pytest.mark.parametrize('number', range(6))\n\
    def test_it(number):\n    \
        time.sleep(0.05)\n    \
        shots = pathlib.Path('shots/in side')\n    \
        shots.mkdir(parents=True, exist_ok=True)\n    \
        (shots / f'{number}.png').write_bytes(b'\\x00\\xff\\n' + bytes([number]))\n    \
        pathlib.Path(f'shots/{number}.txt').write_text('no')\n    \
        assert number != 5\n";

const REPORT: &str = "[report]\nartifacts = [\"shots/**/*.png\", \"cov/.coverage*\"]\n";

/// All that was kept: paths below the sandboxes' directories, with the sandboxes' names left out.
fn kept(project: &Project) -> Vec<String> {
    let listed = std::process::Command::new("find")
        .args([".", "-type", "f"])
        .current_dir(project.path().join("test-results/artifacts"))
        .output()
        .expect("find starts");
    let text = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let mut paths: Vec<_> = text
        .lines()
        .filter_map(|path| path.strip_prefix("./")?.split_once('/'))
        .map(|(_, path)| path.to_owned())
        .collect();
    paths.sort_unstable();
    paths
}

fn shots() -> Vec<String> {
    (0..6).map(|number| format!("shots/in side/{number}.png")).collect()
}

#[test]
fn a_shared_directory_gives_each_file_once_and_none_of_an_earlier_run() {
    let project = Project::pytest().file("test_it.py", SUITE).file("shots/old.png", "old");
    let config = project.read("offload.toml");
    let project = project.file("offload.toml", format!("{config}\n{REPORT}"));
    std::thread::sleep(std::time::Duration::from_millis(20));
    for _ in 0..2 {
        project.run(&[]).exits(1).says("kept 6 artifacts in ");
        assert_eq!(kept(&project), shots());
    }
}

#[test]
fn every_sandbox_gives_its_own() {
    for without_download in [false, true] {
        let project = Project::new().file("test_it.py", SUITE);
        let table = DefaultProvider { without_download, empty: false }.install(&project);
        let project = project.config(&format!(
            "[offload]\nmax_parallel = 2\nretry_count = 0\n{table}{REPORT}[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n"
        ));
        project.run(&[]).exits(1);
        let mut kept = kept(&project);
        // The test that fails may have been looked at once more, in the other sandbox: that one has its picture, too.
        kept.dedup();
        assert_eq!(kept, shots());
        let found = std::fs::read_dir(project.path().join("test-results/artifacts")).expect("it is there").flatten();
        let one = found.map(|entry| entry.path().join("shots/in side/3.png")).find(|path| path.exists());
        assert_eq!(std::fs::read(one.expect("it was kept")).expect("it can be read"), b"\x00\xff\n\x03");
    }
}

#[test]
fn what_cannot_be_brought_is_told_and_changes_no_verdict() {
    let project = Project::new().file("test_it.py", "def test_it():\n    open('a.png', 'w').close()\n");
    // Only result files come back.
    let failing = "{paths}; for pair in {paths}; do case $pair in *.png:*) echo disk full >&2; rm -f \\\"${pair#*:}\\\"; exit 1;; esac; done\"";
    let table = DefaultProvider::default().install(&project).replace("{paths}\"", failing);
    let project = project.config(&format!(
        "{table}[report]\nartifacts = [\"*.png\"]\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n"
    ));
    let done = project.run(&["-p", "1"]).exits(0);
    done.says("disk full").says("artifacts of default-1 could not be brought: 1, a.png among them");
}

#[test]
fn nothing_to_keep_is_said() {
    let project = Project::pytest().file("test_it.py", "def test_it():\n    pass\n");
    let config = project.read("offload.toml");
    project.file("offload.toml", format!("{config}\n{REPORT}")).run(&[]).exits(0).says("no file matches `artifacts`");
}

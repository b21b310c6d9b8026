//! No room where results are brought to: nobody is judged by half a file, the rest keep their results, and it is said why.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use offload_tests::{Containers, DefaultProvider, FakeModal, Finished, Project, Slurm, SshHosts, on_each_engine};

on_each_engine! {
    a_container
}

/// Reports by JUnit: the test called 3 a MiB, the others hardly anything.
const REPORT: &str = "out=$1\nshift\n{\n    echo '<testsuite>'\n    for id; do\n        [ $id != 3 ] || printf '%1048576s' ''\n        \
                      echo \"<testcase name='$id' time='0.1'/>\"\n    done\n    echo '</testsuite>'\n} >\"$out\"\n";

/// A file system that holds little, for all temporary files of a project.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn of(project: &Project) -> Self {
        let place = project.temporary();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=300k", "offload-small"]).arg(&place).status();
        assert!(mounted.expect("mount starts").success(), "this test makes a file system, as only root may");
        Self(place)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).stderr(Stdio::null()).status();
    }
}

/// Six tests, one at a time.
fn project(table: &str) -> Project {
    let project = Project::new().file("copied/report.sh", REPORT).file("report.sh", REPORT);
    configured(project, table)
}

fn configured(project: Project, table: &str) -> Project {
    project.config(&format!(
        "[offload]\nmax_parallel = 1\nretry_count = 0\n{table}\n[groups.g]\ntype = \"default\"\nschedule_individual = true\n\
         discover_command = \"seq 6\"\nrun_command = \"sh report.sh {{result_file}} {{tests}}\"\n"
    ))
}

#[track_caller]
fn check(done: Finished) {
    let done = done.exits(1);
    let results = done.results();
    let verdicts: Vec<_> = results.tests.iter().map(|test| (test.id.as_str(), test.verdict.as_str())).collect();
    let expected = ["1", "2", "3", "4", "5", "6"].map(|id| (id, if id == "3" { "error" } else { "passed" }));
    assert_eq!(verdicts, expected, "{}", done.said());
    done.says("No space left on device");
}

#[test]
fn this_machine() {
    let project = project("[provider]\ntype = \"local\"\n");
    let _disk = SmallDisk::of(&project);
    check(project.run(&[]));
}

#[track_caller]
fn check_cloud(cloud: DefaultProvider) {
    let project = Project::new().file("report.sh", REPORT);
    let table = cloud.install(&project);
    let project = configured(project, &table);
    let _disk = SmallDisk::of(&project);
    check(project.run(&[]));
    cloud.check_nothing_left(&project);
}

#[test]
fn a_download_command() {
    check_cloud(DefaultProvider::default());
}

#[test]
fn files_that_come_through_exec() {
    check_cloud(DefaultProvider { without_download: true, ..DefaultProvider::default() });
}

fn a_container(engine: &Containers) {
    let more = "copy_dirs = [\"copied:/app\"]\nworkdir = \"/app\"\n";
    let project = project(&engine.table("{engine}", engine.busybox_image(), more));
    let _disk = SmallDisk::of(&project);
    check(engine.run(&project, &[]));
}

#[test]
fn a_host() {
    let Some(hosts) = SshHosts::up() else { return };
    let project = project(&format!("{}copy_dirs = [\"copied:.\"]\n", hosts.table(&["one"])));
    let _disk = SmallDisk::of(&project);
    let done = project.run(&[]);
    let run_id = done.results().run_id;
    check(done);
    hosts.check_nothing_left(&run_id);
}

#[test]
fn an_allocation() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().file("report.sh", REPORT);
    // What the nodes write is elsewhere.
    let nodes = project.beside().join("nodes");
    std::fs::create_dir(&nodes).expect("a directory can be made");
    let project = configured(project, &format!("[provider]\ntype = \"slurm\"\nenv = {{ TMPDIR = {nodes:?} }}\n"));
    let _disk = SmallDisk::of(&project);
    let done = slurm.with(project.offload(&["run"])).finish();
    slurm.check_nothing_left(&done);
    check(done);
}

#[test]
fn a_sandbox_of_modal() {
    let project = Project::new().file("report.sh", REPORT);
    let fake = FakeModal::start(&project);
    let table = FakeModal::install(&project);
    let project = configured(project, &table);
    let _disk = SmallDisk::of(&project);
    check(fake.run(&project, &[]).finish());
    fake.check_nothing_left();
}

//! Files whose paths differ from sandbox to sandbox: tests that are called by absolute paths, and reports that name files by them.

use offload_tests::Project;

/// As jest does: lists absolute paths, looks for patterns in the absolute paths of the files below the working directory, gives
/// cases no file, and complains on standard output.
const LIKE_JEST: &str = r#"#!/bin/sh
all() { find "$(pwd -P)" -name '*.check' | sort; }
[ "$1" != --list ] || { all; exit; }
found=
for pattern; do
    found="$found $(all | grep -e "$pattern")"
done
set -- $found
if [ $# = 0 ]; then
    echo "No tests found, exiting with code 1"
    exit 1
fi
code=0
echo '<testsuites><testsuite name="all">' >junit.xml
for file; do
    body=
    sh "$file" || { code=1; body='<failure message="it does not hold"/>'; }
    echo "<testcase classname='holds' name='it holds'>$body</testcase>" >>junit.xml
done
echo '</testsuite></testsuites>' >>junit.xml
exit $code
"#;

fn shop() -> Project {
    Project::new()
        .script("jest.sh", LIKE_JEST)
        .file("cart.check", "true\n")
        .file("stock/count.check", "true\n")
        .file("stock/order.check", "echo 1 is not 2\nfalse\n")
}

fn config(group: &str) -> String {
    format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.custom]\ntype = \"default\"\n{group}\n"
    )
}

#[track_caller]
fn check(project: &Project) {
    let done = project.run(&[]).exits(1);
    let results = done.results();
    assert_eq!(results.ids(), ["cart.check", "stock/count.check", "stock/order.check"]);
    assert_eq!((results.verdict("cart.check"), results.verdict("stock/count.check")), ("passed", "passed"));
    assert_eq!(results.verdict("stock/order.check"), "failed");
    assert!(results.test("stock/order.check").message().contains("it does not hold"));
}

/// Discovery prints paths of the project, and the tests run in copies of it.
#[test]
fn absolute_paths_of_the_project_are_found_in_a_copy() {
    let commands =
        "discover_command = \"./jest.sh --list\"\nrun_command = \"./jest.sh {tests}\"\nresult_file = \"junit.xml\"";
    let project = shop().config(&config(commands));
    check(&project);
    assert!(!project.exists("junit.xml"), "the project itself is not written to");
}

#[test]
fn absolute_paths_of_a_group_with_a_directory_of_its_own() {
    let commands = "discover_command = \"./jest.sh --list\"\nrun_command = \"./jest.sh {tests}\"\nresult_file = \"junit.xml\"\n\
                    working_dir = \"web app\"";
    let project = Project::new()
        .script("web app/jest.sh", LIKE_JEST)
        .file("web app/cart.check", "true\n")
        .config(&config(&commands.replace("./jest.sh --list", "printf '%s\\\\n' \\\"$PWD/cart.check\\\"")))
        .run(&[]);
    // The words of its own are cut at spaces: what counts is that it was handed the path of the copy.
    assert_eq!(project.results().ids(), ["cart.check"]);
    assert!(!project.said().contains("No tests found"), "{}", project.said());
}

/// Where sandboxes share the project, a path of theirs is one of the project.
#[test]
fn absolute_paths_without_a_copy() {
    let commands = "discover_command = \"./jest.sh --list\"\n\
                    run_command = \"mkdir -p out-$OFFLOAD_SLOT; ./jest.sh {tests}; code=$?; mv junit.xml {result_file}; exit $code\"\n\
                    max_parallel = 1";
    check(&shop().config(&config(commands)));
}

#[test]
fn a_directory_behind_a_link_has_the_same_paths() {
    let project = shop();
    std::fs::rename(project.path(), project.beside().join("real")).expect("a rename");
    std::os::unix::fs::symlink("real", project.path()).expect("a link");
    let commands = "discover_command = \"find \\\"$PWD\\\" -name '*.check' | sort\"\nrun_command = \"./jest.sh {tests}\"\n\
                    result_file = \"junit.xml\"";
    check(&project.config(&config(commands)));
}

/// Reports name files by absolute paths of the copy, where one path is the end of another.
#[test]
fn reports_that_name_files_by_the_paths_of_a_copy() {
    let runner = r#"#!/bin/sh
echo '<testsuite name="all">' >junit.xml
code=0
for file; do
    echo "$file" >>"$RAN"
    body=
    [ -s "$file" ] || { code=1; body='<failure message="it is empty"/>'; }
    echo "<testcase name='$file is not empty' file='$file'>$body</testcase>" >>junit.xml
done
echo '</testsuite>' >>junit.xml
exit $code
"#;
    let project = Project::new().script("run.sh", runner).file("a.txt", "text").file("sub/a.txt", "");
    let ran = project.beside().join("ran");
    let commands = "discover_command = \"find \\\"$PWD\\\" -name a.txt | sort\"\nrun_command = \"./run.sh {tests}\"\n\
                    result_file = \"junit.xml\"";
    let project = project.config(&config(commands).replace("max_parallel = 2", "max_parallel = 1"));
    let done = project.offload(&["run"]).env("RAN", &ran).finish().exits(1);
    assert_eq!(done.results().verdict("a.txt"), "passed");
    assert_eq!(done.results().verdict("sub/a.txt"), "failed");
    // In reports as well: the copy is gone.
    assert_eq!(done.junit().case("a.txt is not empty").file.as_deref(), Some("a.txt"));
    let ran = std::fs::read_to_string(ran).expect("the command ran");
    assert_eq!(ran.lines().count(), 2, "no file was run a second time to tell whose case it is:\n{ran}");
}

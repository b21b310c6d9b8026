//! Real crates through cargo-nextest: the counts and outcomes of `cargo nextest run`.

use std::time::Duration;

use offload_tests::{DefaultProvider, Project, plain_nextest, suite};

#[track_caller]
fn check(name: &str, tests: usize) {
    let project = Project::new().copy_of(&suite(&format!("rs/{name}")));
    let plain = plain_nextest(&project.path());
    assert_eq!(plain.len(), tests, "plain nextest");
    let group = "[groups.suite]\ntype = \"cargo\"\n";
    let local = format!("[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n{group}");
    let project = project.config(&local);
    let run = |project: &Project| project.offload(&["run"]).patience(Duration::from_secs(400)).finish().exits(0);
    same(&plain, &run(&project).results());

    let provider = DefaultProvider::default();
    let table = provider.install(&project);
    let project = project.config(&format!("[offload]\nmax_parallel = 2\nretry_count = 0\n{table}\n{group}"));
    same(&plain, &run(&project).results());
    provider.check_nothing_left(&project);
}

/// Ids of binaries and tests are joined differently on both sides, so names are compared by the test's own part.
#[track_caller]
fn same(plain: &std::collections::BTreeMap<String, String>, results: &offload_tests::Results) {
    let own = |id: &str| id.rsplit(['$', ' ']).next().unwrap_or_default().to_owned();
    let mut expected: Vec<(String, &str)> = plain.iter().map(|(name, status)| (own(name), status.as_str())).collect();
    let mut found: Vec<(String, &str)> =
        results.tests.iter().map(|test| (own(&test.id), test.verdict.as_str())).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn semver() {
    check("semver-1.0.26", 34);
}

#[test]
fn indexmap() {
    check("indexmap-2.10.0", 165);
}

#[test]
fn failures_ignored_tests_and_crashes() {
    let project = Project::new()
        .file(
            "Cargo.toml",
            "[package]\nname = \"small\"\nedition = \"2021\"\n\n[workspace]\n\n[features]\nextra = []\n",
        )
        .file(
            "src/lib.rs",
            "#[test]\nfn passes() {}\n\n#[test]\nfn fails() {\n    assert_eq!(1, 2, \"one is not two\");\n}\n\n\
             #[test]\n#[ignore]\nfn ignored() {}\n\n#[test]\nfn aborts() {\n    std::process::abort();\n}\n\n\
             #[cfg(feature = \"extra\")]\n#[test]\nfn only_with_the_feature() {}\n",
        );
    let config = |more: &str| {
        format!(
            "[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.rust]\ntype = \"cargo\"\n\
             package = \"small\"\n{more}\n"
        )
    };
    let project = project.config(&config(""));
    let done = project.run(&[]).exits(1).says("one is not two");
    let results = done.results();
    let verdict = |results: &offload_tests::Results, name: &str| {
        let found = results.tests.iter().find(|test| test.id.ends_with(name));
        found.map_or_else(|| "absent".to_owned(), |test| test.verdict.clone())
    };
    assert_eq!(verdict(&results, "passes"), "passed");
    assert_eq!(verdict(&results, "fails"), "failed");
    assert_eq!(verdict(&results, "ignored"), "skipped");
    assert!(["failed", "crashed"].contains(&verdict(&results, "aborts").as_str()));
    assert_eq!(verdict(&results, "only_with_the_feature"), "absent");

    let project = project.config(&config("features = [\"extra\"]\ninclude_ignored = true"));
    let results = project.run(&[]).exits(1).results();
    assert_eq!(verdict(&results, "ignored"), "passed");
    assert_eq!(verdict(&results, "only_with_the_feature"), "passed");
}

#[test]
fn a_crate_that_does_not_compile_is_3_and_shows_why() {
    Project::new()
        .file("Cargo.toml", "[package]\nname = \"broken\"\nedition = \"2021\"\n\n[workspace]\n")
        .file("src/lib.rs", "fn broken( {}\n")
        .config("[provider]\ntype = \"local\"\n[groups.rust]\ntype = \"cargo\"\n")
        .run(&[])
        .exits(3)
        .says("src/lib.rs");
}

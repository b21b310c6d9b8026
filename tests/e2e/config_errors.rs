//! Mistakes in `offload.toml`: each file in `suites/config-errors` beside the one error that it gives.

use std::path::Path;

use offload_tests::Project;

#[test]
fn every_mistake_gets_one_clear_error() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/config-errors");
    let mut files: Vec<_> = std::fs::read_dir(&dir)
        .expect("the files are there")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    assert!(files.len() > 20);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&dir);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for file in files {
            let name = file.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            let project = Project::new().file("offload.toml", std::fs::read(&file).expect("the file can be read"));
            let done = project.offload(&["validate"]).finish();
            assert_eq!(done.code, 3, "{name}: {}", done.said());
            assert!(done.stdout.is_empty(), "{name}: errors go to standard error");
            insta::assert_snapshot!(name, done.stderr.replace(&project.path().display().to_string(), "PROJECT"));
            // Every command that reads the file says the same.
            for command in ["run", "collect"] {
                let same = project.offload(&[command]).finish();
                assert_eq!((same.code, &same.stderr), (3, &done.stderr), "{name}: offload {command}");
            }
        }
    });
}

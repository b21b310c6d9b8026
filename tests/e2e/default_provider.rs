//! The `default` provider's own promises.

use offload_tests::{DefaultProvider, Project};

const GROUP: &str = "[groups.g]\ntype = \"pytest\"\npython = \"{python}\"\n";

#[test]
fn prepare_gives_the_image() {
    let project = Project::new()
        .file("test_it.py", "import os\ndef test_it():\n    assert os.environ['IMAGE'] == 'image 7; $x'\n");
    let provider = DefaultProvider::default();
    let table = provider
        .install(&project)
        .replace(
            "create_command = \"",
            "create_command = \"printf %s {image_id} > ../image.$$; mv ../image.$$ ../image; ",
        )
        .replace("exec_command = \"", "exec_command = \"IMAGE=$(cat ../image) ");
    let project =
        project.config(&format!("{table}prepare_command = \"echo building >&2; echo 'image 7; $x'\"\n{GROUP}"));
    project.run(&[]).exits(0);
    provider.check_nothing_left(&project);
}

#[test]
fn environment_reaches_the_tests() {
    let project = Project::new().file(
        "test_it.py",
        "import os\ndef test_it():\n    assert os.environ['MY_VAR'] == 'it is $5 & \"more\"'\n    assert os.environ['LATER'] == 'given'\n",
    );
    let provider = DefaultProvider::default();
    let table = provider.install(&project);
    let project = project
        .config(&format!("{table}[provider.env]\nMY_VAR = 'it is $$5 & \"more\"'\nLATER = \"configured\"\n{GROUP}"));
    project.run(&["--env", "LATER=given"]).exits(0);
}

#[test]
fn copy_dirs_fill_an_empty_sandbox() {
    for without_download in [false, true] {
        let project = Project::new()
            .file(
                "tests/test_it.py",
                "import pathlib\ndef test_it():\n    assert pathlib.Path('data/a file.txt').read_text() == 'content'\n",
            )
            .file("some data/a file.txt", "content");
        let provider = DefaultProvider { without_download, empty: true };
        let table = provider.install(&project);
        let project = project.config(&format!("{table}copy_dirs = [\"./tests:tests\"]\n{GROUP}paths = [\"tests\"]\n"));
        let done = project.run(&["--copy-dir", "some data:data"]).exits(0);
        assert_eq!(done.results().count("passed"), 1);
        provider.check_nothing_left(&project);
    }
}

#[test]
fn missing_keys_are_named() {
    Project::new()
        .config(&format!("[provider]\ntype = \"default\"\nexec_command = \"x\"\ndestroy_command = \"y\"\n{GROUP}"))
        .run(&[])
        .exits(3)
        .says("create_command");
}

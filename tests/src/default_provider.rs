//! The `default` provider as its user would write it: scripts that make a directory and run there.

use crate::Project;

/// Options of the scripts that stand for a cloud.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultProvider {
    /// Without it, result files have to come through exec.
    pub without_download: bool,
    /// The sandbox starts empty instead of as a copy of the project.
    pub empty: bool,
}

/// Prints an id that only this script's siblings understand. Variables of the command must not depend on its environment.
/// What it cannot finish it takes away again, since nobody else knows of it: discovery, which runs meanwhile, may remove a
/// file of the project under the hands of `cp`.
const CREATE: &str = r#"#!/bin/sh
set -eu
mkdir -p "$CLOUD"
dir=$(mktemp -d "$CLOUD/machine-XXXXXX")
trap '[ $? -eq 0 ] || rm -rf "$dir"' EXIT
mkdir "$dir/tmp" "$dir/work"
[ -z "${COPY_PROJECT:-}" ] || cp -R . "$dir/work"
echo "creating a machine" >&2
basename "$dir"
"#;

const EXEC: &str = r#"#!/bin/sh
set -eu
cd "$CLOUD/$1/work"
TMPDIR="$CLOUD/$1/tmp" exec /bin/sh -c "$2"
"#;

const DOWNLOAD: &str = r#"#!/bin/sh
set -eu
machine=$1
shift
for pair; do
    remote=${pair%%:*}
    local=${pair#*:}
    cd "$CLOUD/$machine/work"
    if [ -e "$remote" ]; then cp "$remote" "$local"; fi
done
"#;

const DESTROY: &str = r#"#!/bin/sh
set -eu
rm -rf "$CLOUD/$1"
"#;

impl DefaultProvider {
    /// Writes the scripts beside the project, and gives the `[provider]` table that uses them.
    #[must_use]
    pub fn install(self, project: &Project) -> String {
        for (name, text) in
            [("create.sh", CREATE), ("exec.sh", EXEC), ("download.sh", DOWNLOAD), ("destroy.sh", DESTROY)]
        {
            project.write(&format!("../cloud-scripts/{name}"), text);
        }
        let scripts = project.beside().join("cloud-scripts").display().to_string();
        let cloud = project.beside().join("cloud").display().to_string();
        let copy = if self.empty { "" } else { "COPY_PROJECT=1 " };
        let variables = format!("CLOUD='{cloud}'");
        let download =
            format!("download_command = \"{variables} sh '{scripts}/download.sh' {{sandbox_id}} {{paths}}\"\n");
        format!(
            "[provider]\ntype = \"default\"\n\
             create_command = \"{variables} {copy}sh '{scripts}/create.sh'\"\n\
             exec_command = \"{variables} sh '{scripts}/exec.sh' {{sandbox_id}} {{command}}\"\n\
             destroy_command = \"{variables} sh '{scripts}/destroy.sh' {{sandbox_id}}\"\n{}",
            if self.without_download { "" } else { &download }
        )
    }

    /// No machine was forgotten.
    #[track_caller]
    pub fn check_nothing_left(self, project: &Project) {
        let left: Vec<_> = std::fs::read_dir(project.beside().join("cloud"))
            .map(|entries| entries.flatten().map(|entry| entry.file_name()).collect())
            .unwrap_or_default();
        assert!(left.is_empty(), "sandboxes were left: {left:?}");
    }
}

//! The `mounts` key: what containers share with this machine.

use offload_plugin::types::Failure;

use crate::settings::invalid;

/// A mount as every engine takes it with `--volume`: paths of this machine are absolute there.
///
/// # Errors
/// `invalid-settings`, for a relative path that starts nowhere.
pub fn resolve(mount: &str, working_dir: Option<&str>) -> Result<String, Failure> {
    if !mount.starts_with('.') {
        return Ok(mount.to_owned());
    }
    let Some(base) = working_dir else {
        return Err(invalid(format!("{mount} in mounts starts from working_dir, which is not known"))
            .with_help("write the path from the root on"));
    };
    let base = base.trim_end_matches('/');
    let (path, rest) = mount.split_once(':').unwrap_or((mount, ""));
    let path = path.strip_prefix("./").unwrap_or(path);
    Ok(if path == "." { format!("{base}:{rest}") } else { format!("{base}/{path}:{rest}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mount: &str, expected: &str) {
        assert_eq!(resolve(mount, Some("/home/me/")).as_deref(), Ok(expected));
    }

    #[test]
    fn relative_paths_start_from_the_working_directory() {
        check(".:/app:ro", "/home/me:/app:ro");
        check("./src:/app/src", "/home/me/src:/app/src");
        check("../data:/data", "/home/me/../data:/data");
        check(".cache:/cache", "/home/me/.cache:/cache");
        assert!(resolve("./src:/app/src", None).is_err());
    }

    #[test]
    fn other_paths_and_volumes_are_left_alone() {
        check("/data:/data:ro", "/data:/data:ro");
        check("cache:/root/.cache", "cache:/root/.cache");
    }
}

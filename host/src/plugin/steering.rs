//! Variables that change what a program does beyond its arguments, such as `PATH` and `LD_PRELOAD`.

/// How the names of such variables begin: of loaders, languages, their package managers and build tools, version control, shells,
/// engines of containers and clusters, and what is asked for by `ssh` and TLS.
const PREFIXES: &[&str] = &[
    "LD_",
    "DYLD_",
    "GLIBC_",
    "MALLOC_",
    "GCONV_",
    "LOCPATH",
    "NLSPATH",
    "PYTHON",
    "PIP_",
    "UV_",
    "VIRTUAL_ENV",
    "CONDA_",
    "NODE_",
    "NPM_",
    "YARN_",
    "BUN_",
    "DENO_",
    "RUBY",
    "GEM_",
    "BUNDLE_",
    "PERL",
    "JAVA",
    "JDK_",
    "_JAVA",
    "MAVEN_",
    "GRADLE_",
    "CARGO",
    "RUST",
    "CGO_",
    "GOFLAGS",
    "GOPATH",
    "GOROOT",
    "GOENV",
    "GOPROXY",
    "GOTOOLCHAIN",
    "GOBIN",
    "GODEBUG",
    "GOPRIVATE",
    "GIT_",
    "SSH_",
    "BASH_",
    "DOCKER_",
    "CONTAINER",
    "PODMAN_",
    "KUBE",
    "SSL_",
    "CURL_",
    "PHP",
];

/// Others of that kind, and those that say where programs look for what they run and obey.
const NAMES: &[&str] = &[
    "PATH",
    "HOME",
    "SHELL",
    "IFS",
    "ENV",
    "CDPATH",
    "PS4",
    "PROMPT_COMMAND",
    "SHELLOPTS",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "MANPAGER",
    "LESSOPEN",
    "LESSCLOSE",
    "BROWSER",
    "TMPDIR",
    "TMP",
    "TEMP",
    "TERMINFO",
    "TERMCAP",
    "CC",
    "CXX",
    "AR",
    "MAKEFLAGS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "CLASSPATH",
];

/// Where programs look for their settings.
const FOLDERS: &str = "XDG_";

/// Whether a variable of this name is one of those.
pub(super) fn steers(name: &str) -> bool {
    // Some programs read theirs in lower case, such as `npm_config_…` and `http_proxy`.
    let name = name.to_ascii_uppercase();
    NAMES.contains(&name.as_str()) || name.starts_with(FOLDERS) || PREFIXES.iter().any(|begin| name.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::steers;

    #[test]
    fn what_changes_what_programs_do_is_known() {
        for name in [
            "PATH",
            "LD_PRELOAD",
            "DYLD_INSERT_LIBRARIES",
            "PYTHONSTARTUP",
            "NODE_OPTIONS",
            "GIT_SSH_COMMAND",
            "npm_config_x",
        ] {
            assert!(steers(name), "{name}");
        }
        for name in ["TOKEN", "MODE", "CI", "DATABASE_URL", "MY_PATH", "LANG"] {
            assert!(!steers(name), "{name}");
        }
    }
}

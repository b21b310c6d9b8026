//! `[report] artifacts`: which files of a sandbox are kept.

use globset::{GlobBuilder, GlobMatcher};

/// A pattern of paths below a sandbox's working directory: `*` and `?` stay within a name, `**` goes through directories.
#[derive(Clone, Debug)]
pub struct ArtifactGlob {
    matcher: GlobMatcher,
}

impl ArtifactGlob {
    /// # Errors
    /// A fragment that says why no file can match it.
    pub fn new(pattern: &str) -> Result<Self, String> {
        if pattern.is_empty() || pattern.starts_with('/') || pattern.split('/').any(|part| part == "..") {
            return Err(format!("{pattern:?} is no path below the working directory"));
        }
        let pattern = pattern.trim_start_matches("./");
        let glob = GlobBuilder::new(pattern).literal_separator(true).build().map_err(|error| error.to_string())?;
        Ok(Self { matcher: glob.compile_matcher() })
    }

    /// Whether the path, relative to the working directory, is one of those.
    pub fn matches(&self, path: &str) -> bool {
        self.matcher.is_match(path)
    }

    /// The directory or file below which all matches are; `.` if that may be anywhere.
    pub fn root(&self) -> String {
        let fixed: Vec<_> =
            self.pattern().split('/').take_while(|part| !part.contains(['*', '?', '[', '{', '\\'])).collect();
        if fixed.is_empty() { ".".to_owned() } else { format!("./{}", fixed.join("/")) }
    }

    fn pattern(&self) -> &str {
        self.matcher.glob().glob()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, root: &str, matching: &[&str], others: &[&str]) {
        let glob = ArtifactGlob::new(pattern).expect("it is a pattern");
        assert_eq!(glob.root(), root);
        assert_eq!(matching.iter().find(|path| !glob.matches(path)), None);
        assert_eq!(others.iter().find(|path| glob.matches(path)), None);
    }

    #[test]
    fn stars_stay_within_a_directory_unless_they_are_two() {
        check("*.png", ".", &["a.png"], &["a/b.png", "a.pn"]);
        check("shots/**/*.png", "./shots", &["shots/a.png", "shots/x/y/a.png"], &["a.png", "shots/a.jpg"]);
        check("./cov/.coverage*", "./cov", &["cov/.coverage.1"], &["cov/x/.coverage"]);
        check("out/report.html", "./out/report.html", &["out/report.html"], &["out/report.html/x"]);
        check("out/{a,b}/*", "./out", &["out/a/x", "out/b/x"], &["out/c/x"]);
    }

    #[test]
    fn what_is_not_below_the_working_directory_is_refused() {
        for pattern in ["", "/etc/passwd", "../x", "a/../../x", "a[", "{a"] {
            assert!(ArtifactGlob::new(pattern).is_err(), "{pattern}");
        }
    }
}

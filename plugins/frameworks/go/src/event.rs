//! One line of what `go test -json` prints: an event of test2json, or what go says itself, which has no such form before Go 1.24.

use serde::Deserialize;

/// See `go doc test2json`; Go 1.24 added the events of builds.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Event {
    pub action: String,
    pub package: String,
    /// A test, or with slashes a subtest.
    pub test: Option<String>,
    /// Seconds.
    pub elapsed: f64,
    pub output: String,
    /// "error" and "error-continue" for what a test complains of, in newer versions.
    pub output_type: String,
    /// What did not build, of a package that could not be tested.
    pub failed_build: String,
}

/// What is printed where a package could not even be tested.
const UNBUILT: [&str; 2] = [" [build failed]", " [setup failed]"];

/// An event; a line of go's own that says that a package could not be built becomes the one that newer versions print.
pub fn read(line: &str) -> Option<Event> {
    if line.starts_with('{') {
        return serde_json::from_str(line).ok();
    }
    let package = unbuilt(line)?;
    Some(Event { action: "output".into(), package: package.into(), output: line.into(), ..Event::default() })
}

/// The package that could not be built, if that is what the line says.
pub fn unbuilt(line: &str) -> Option<&str> {
    let rest = line.trim_end().strip_prefix("FAIL\t")?;
    UNBUILT.iter().find_map(|ending| rest.strip_suffix(ending))
}

/// How the process of a package ended, if that is what this line says: go's own last word on it.
pub fn verdict(line: &str, package: &str) -> Option<bool> {
    let is_about = |rest: &str| rest.strip_prefix(package).is_some_and(|rest| rest.starts_with(['\t', '\n', ' ']));
    let says = |start: &str| line.strip_prefix(start).is_some_and(is_about);
    if says("ok  \t") { Some(true) } else { says("FAIL\t").then_some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_events_and_what_go_says_itself() {
        let event = read(r#"{"Time":"t","Action":"pass","Package":"p","Test":"TestA","Elapsed":0.25}"#);
        let event = event.expect("it is an event");
        assert_eq!((event.action.as_str(), event.package.as_str(), event.elapsed), ("pass", "p", 0.25));
        assert_eq!(event.test.as_deref(), Some("TestA"));
        let event = read("FAIL\texample.com/m/a [build failed]").expect("it is about a package");
        assert_eq!((event.action.as_str(), event.package.as_str()), ("output", "example.com/m/a"));
        assert_eq!(read("FAIL"), None);
        assert_eq!(read("FAIL\tp\t0.1s"), None);
        assert_eq!(read("{no event"), None);
    }

    #[test]
    fn knows_the_last_word_on_a_package() {
        assert_eq!(verdict("ok  \tm/a\t0.1s\n", "m/a"), Some(true));
        assert_eq!(verdict("ok  \tm/a\t(cached)\n", "m/a"), Some(true));
        assert_eq!(verdict("FAIL\tm/a\t0.1s\n", "m/a"), Some(false));
        assert_eq!(verdict("FAIL\tm/a [build failed]\n", "m/a"), Some(false));
        assert_eq!(verdict("ok  \tm/ab\t0.1s\n", "m/a"), None);
        assert_eq!(verdict("FAIL\n", "m/a"), None);
    }
}

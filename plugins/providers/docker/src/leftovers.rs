//! Containers of earlier runs.

use std::collections::BTreeMap;

use offload_plugin::prelude::*;

use crate::container::RUN_LABEL;
use crate::engine::Engine;
use crate::sandbox::Sandbox;
use crate::trouble::{self, is_about_nothing};

/// A container as `inspect` describes it.
#[derive(Debug, Deserialize)]
struct Described(String, String, BTreeMap<String, String>);

/// Every container of ours, of whatever run.
///
/// # Errors
/// The engine does not list them.
pub fn find(engine: &Engine) -> Result<Vec<Leftover>, Failure> {
    let listed = engine.command(["ps", "--all", "--quiet", &format!("--filter=label={RUN_LABEL}")]).capture()?;
    if listed.exit != Exit::Code(0) {
        return Err(trouble::failure("not-listed", "the engine does not list containers", &listed));
    }
    let ids = String::from_utf8_lossy(&listed.stdout).into_owned();
    let ids: Vec<&str> = ids.split_whitespace().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let format = "--format=[{{json .Name}}, {{json .Created}}, {{json .Config.Labels}}]";
    let described = engine.command(["container", "inspect", format].into_iter().chain(ids)).capture()?;
    // Those that went meanwhile are what it complains of; the others are described all the same.
    if described.exit != Exit::Code(0) && !is_about_nothing(&described) {
        return Err(trouble::failure("not-listed", "the engine does not describe containers", &described));
    }
    Ok(String::from_utf8_lossy(&described.stdout).lines().filter_map(leftover).collect())
}

fn leftover(line: &str) -> Option<Leftover> {
    let Described(name, created, mut labels) = serde_json::from_str(line).ok()?;
    let name = name.trim_start_matches('/').to_owned();
    let sandbox = Sandbox::named(&name).to_json();
    Some(Leftover { sandbox, run_id: labels.remove(RUN_LABEL)?, name, created: seconds_since_1970(&created) })
}

/// Of a time as RFC 3339 has it, such as `2026-01-31T12:00:00.5+01:00`.
fn seconds_since_1970(time: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let of_day = number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
    let zone = time.get(19..)?.trim_start_matches(|letter: char| letter == '.' || letter.is_ascii_digit());
    let offset = match zone.get(1..).and_then(|zone| zone.split_once(':')) {
        Some((hours, minutes)) => {
            let offset = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
            if zone.starts_with('-') { -offset } else { offset }
        }
        None => 0,
    };
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    const DAYS_UNTIL_1970: i64 = 719_468;
    u64::try_from((days - DAYS_UNTIL_1970) * 86_400 + of_day - offset).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_time(time: &str, expected: Option<u64>) {
        assert_eq!(seconds_since_1970(time), expected, "{time}");
    }

    #[test]
    fn times_are_seconds() {
        check_time("1970-01-01T00:00:00Z", Some(0));
        check_time("2000-02-29T12:00:00.123456789Z", Some(951_825_600));
        check_time("2026-11-24T11:24:50.22221193Z", Some(1_795_519_490));
        check_time("2026-11-24T13:24:50+02:00", Some(1_795_519_490));
        check_time("2026-11-24T06:24:50.5-05:00", Some(1_795_519_490));
        check_time("yesterday", None);
        check_time("", None);
    }

    #[test]
    fn both_engines_describe_containers() {
        let labels = r#"{"offload.run-id":"r1","offload.sandbox":"docker-1"}"#;
        for name in ["offload-r1-docker-1", "/offload-r1-docker-1"] {
            let found = leftover(&format!(r#"["{name}", "1970-01-01T00:01:00Z", {labels}]"#)).expect("one of ours");
            assert_eq!((found.name.as_str(), found.run_id.as_str()), ("offload-r1-docker-1", "r1"));
            assert_eq!(found.created, Some(60));
            assert_eq!(Sandbox::from_json(&found.sandbox), Ok(Sandbox::new("r1", "docker-1", None)));
        }
        assert_eq!(leftover(r#"["other", "1970-01-01T00:01:00Z", {}]"#), None);
        assert_eq!(leftover("Error: no such container"), None);
    }
}

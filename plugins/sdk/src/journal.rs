//! Journals: what a process of the plugin's own making writes while it works, a JSON line `[nonce, record]` for everything that
//! happens. The attempt's nonce tells its lines from whatever else there is.

use serde::de::DeserializeOwned;

/// The records of the attempt with this nonce, in the order in which they were written. Whatever else is in there, such as
/// the torn last line of a process that was killed, is passed over.
pub fn read<'a, T: DeserializeOwned>(contents: &'a [u8], nonce: &'a str) -> impl Iterator<Item = T> + use<'a, T> {
    contents.split(|&byte| byte == b'\n').filter_map(move |line| record(line, nonce))
}

/// The record of one line, if it is one with this nonce.
pub fn record<T: DeserializeOwned>(line: &[u8], nonce: &str) -> Option<T> {
    let (line_nonce, record): (String, T) = serde_json::from_slice(line).ok()?;
    (line_nonce == nonce).then_some(record)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Record {
        Started { id: String },
    }

    #[track_caller]
    fn check(contents: &[u8], expected_ids: &[&str]) {
        let ids: Vec<_> = read(contents, "n").map(|Record::Started { id }| id).collect();
        assert_eq!(ids, expected_ids);
    }

    #[test]
    fn records_are_read_in_order() {
        check(b"", &[]);
        check(b"[\"n\", {\"started\": {\"id\": \"a\"}}]\n[\"n\", {\"started\": {\"id\": \"b\"}}]\n", &["a", "b"]);
    }

    #[test]
    fn what_is_torn_foreign_or_unknown_is_passed_over() {
        check(
            b"garbage\xff\n[\"other\", {\"started\": {\"id\": \"a\"}}]\n\n[\"n\", {\"new\": {}}]\n\
              [\"n\", {\"started\": {\"id\": \"b\"}}]\n[\"n\", {\"started\": {\"id\": \"c\", \"a",
            &["b"],
        );
    }
}

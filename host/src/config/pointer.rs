//! Places in the configuration as JSON pointers (RFC 6901), and what to call them.

/// The pointer to `key` of the table, or item of the array, at `parent`.
pub(super) fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// What contains the place; `None` for the document itself.
pub(super) fn parent(pointer: &str) -> Option<&str> {
    pointer.rfind('/').map(|at| &pointer[..at])
}

/// The last step: a key or the number of an item, from 0.
pub(super) fn last(pointer: &str) -> Option<String> {
    pointer.rfind('/').map(|at| unescape(&pointer[at + 1..]))
}

/// `[groups.python]`, as the table's own line in the file has it.
pub(super) fn table(pointer: &str) -> String {
    let keys: Vec<_> = pointer.split('/').skip(1).map(unescape).map(|key| written(&key)).collect();
    if keys.is_empty() { "the configuration".to_owned() } else { format!("[{}]", keys.join(".")) }
}

/// `` `max_parallel` in [offload] ``, or `` item 2 of `paths` in [groups.python] ``.
pub(super) fn value(pointer: &str) -> String {
    let (Some(container), Some(key)) = (parent(pointer), last(pointer)) else {
        return "the configuration".to_owned();
    };
    match key.parse::<usize>() {
        Ok(index) => format!("item {} of {}", index + 1, value(container)),
        Err(_) if container.is_empty() => format!("`{}`", written(&key)),
        Err(_) => format!("`{}` in {}", written(&key), table(container)),
    }
}

/// A key as TOML needs it: bare where it can be, else quoted.
pub(super) fn written(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { key.to_owned() } else { format!("{key:?}") }
}

fn unescape(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_as_the_file_names_them() {
        assert_eq!(table("/groups/python"), "[groups.python]");
        assert_eq!(table(&child("/groups", "a/b~ c")), "[groups.\"a/b~ c\"]");
        assert_eq!(value("/offload/max_parallel"), "`max_parallel` in [offload]");
        assert_eq!(value("/groups/python/paths/1"), "item 2 of `paths` in [groups.python]");
        assert_eq!(value("/provider"), "`provider`");
        assert_eq!(value(""), "the configuration");
    }

    #[test]
    fn a_pointer_leads_back() {
        let pointer = child("/groups", "a~1/b");
        assert_eq!(parent(&pointer), Some("/groups"));
        assert_eq!(last(&pointer).as_deref(), Some("a~1/b"));
        assert_eq!(parent(""), None);
    }
}

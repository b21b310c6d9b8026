//! How our database is known, and what is in it.

use std::collections::BTreeSet;

use rusqlite::Connection;

/// Marks the files that are ours: "offl".
pub(super) const APPLICATION_ID: i64 = 0x6f66_666c;

/// How every SQLite database begins, and where it says what program it is of (<https://www.sqlite.org/fileformat2.html>).
const MAGIC: &[u8] = b"SQLite format 3\0";
const APPLICATION_ID_AT: usize = 68;
pub(super) const HEADER: usize = 100;

pub(super) const TABLES: &str = "
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    started TEXT NOT NULL,
    commit_id TEXT,
    sandbox_kind TEXT NOT NULL,
    attempts INTEGER NOT NULL
) STRICT;
-- The mean and the variance weigh the newest run most; the unit is the second.
CREATE TABLE test (
    id INTEGER PRIMARY KEY,
    group_name TEXT NOT NULL,
    test_id TEXT NOT NULL,
    samples INTEGER NOT NULL,
    mean REAL NOT NULL,
    variance REAL NOT NULL,
    last_run INTEGER NOT NULL,
    UNIQUE (group_name, test_id)
) STRICT;
CREATE TABLE attempt (
    run INTEGER NOT NULL,
    test INTEGER NOT NULL,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    seconds REAL NOT NULL,
    verdict TEXT,
    PRIMARY KEY (run, test, number)
) STRICT, WITHOUT ROWID;
";

/// Came later: the version stays, since earlier programs do not look for it. Files whose tests rely on those before them.
pub(super) const LATER_TABLES: &str = "
CREATE TABLE IF NOT EXISTS whole_unit (
    group_name TEXT NOT NULL,
    unit TEXT NOT NULL,
    PRIMARY KEY (group_name, unit)
) STRICT, WITHOUT ROWID;
";

/// Whether a file that begins so says of itself that it is ours.
pub(super) fn is_ours(header: &[u8]) -> bool {
    let id = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4);
    header.starts_with(MAGIC)
        && id.and_then(|id| id.try_into().ok()).map(u32::from_be_bytes).map(i64::from) == Some(APPLICATION_ID)
}

/// Whether all that is in the database was made by the statements above: views and triggers would run what they say.
pub(super) fn has_our_schema(connection: &Connection) -> rusqlite::Result<bool> {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").replace("IF NOT EXISTS ", "");
    let statements = [TABLES, LATER_TABLES].join("");
    let ours: BTreeSet<_> = statements
        .split(';')
        .filter_map(|statement| statement.find("CREATE TABLE").map(|at| plain(&statement[at..])))
        .collect();
    let mut all = connection.prepare("SELECT type, name, sql FROM sqlite_schema")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, name, sql): (String, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // What UNIQUE and PRIMARY KEY make by themselves has no statement.
        let is_automatic = kind == "index" && name.starts_with("sqlite_autoindex_") && sql.is_none();
        if !is_automatic && !sql.is_some_and(|sql| ours.contains(&plain(&sql))) {
            return Ok(false);
        }
    }
    Ok(true)
}

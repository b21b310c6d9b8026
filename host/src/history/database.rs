//! The file: an SQLite database, made on first use, set aside when it is damaged, and left alone when it is none of ours.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::HistoryError;
use super::schema::{APPLICATION_ID, HEADER, LATER_TABLES, TABLES, has_our_schema, is_ours};
use crate::foreign_file;

/// What this program reads and writes.
const VERSION: i64 = 1;

/// How long another run may keep the file to itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long one query may take, and after how many steps of it this is looked at.
const QUERY: Duration = Duration::from_secs(20);
const STEPS: i32 = 10_000;

/// What is between two looks at one query at the most.
const PAUSE: Duration = Duration::from_secs(1);

/// The history of a project.
#[derive(Debug)]
pub struct History {
    pub(super) connection: Connection,
    path: PathBuf,
}

/// A history, and what there is to say of how it was opened.
#[derive(Debug)]
pub struct Opened {
    pub history: History,
    /// A file that could not be used was moved out of the way.
    pub warning: Option<String>,
}

impl History {
    /// Opens the history at this path, or begins one. A history that is damaged is renamed.
    ///
    /// # Errors
    /// The directory cannot be written, the file is in use for too long, it is none of ours, or a newer offload wrote it.
    pub fn open(path: &Path) -> Result<Opened, HistoryError> {
        make_home(path)?;
        match Self::try_open(path) {
            Ok(history) => Ok(Opened { history, warning: None }),
            Err(Trouble::Error(error)) => Err(error),
            Err(Trouble::Unusable(why)) => {
                let aside = set_aside(path)?;
                let warning = format!(
                    "the history {} {why}; it is now {}, and a new one begins",
                    path.display(),
                    aside.display()
                );
                match Self::try_open(path) {
                    Ok(history) => Ok(Opened { history, warning: Some(warning) }),
                    Err(Trouble::Error(error)) => Err(error),
                    Err(Trouble::Unusable(why)) => Err(HistoryError::Io {
                        action: "begin a new history in",
                        path: path.to_owned(),
                        source: io::Error::other(why),
                    }),
                }
            }
        }
    }

    /// Opens the history for reading, if there is one.
    ///
    /// # Errors
    /// The file is there, but is no history that this program can read.
    pub fn read(path: &Path) -> Result<Option<Self>, HistoryError> {
        if !path.exists() {
            return Ok(None);
        }
        match Self::try_open(path) {
            Ok(history) => Ok(Some(history)),
            Err(Trouble::Error(error)) => Err(error),
            Err(Trouble::Unusable(why)) => {
                Err(HistoryError::Io { action: "read", path: path.to_owned(), source: io::Error::other(why) })
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn failed(&self, source: rusqlite::Error) -> HistoryError {
        HistoryError::Database { path: self.path.clone(), source }
    }

    fn try_open(path: &Path) -> Result<Self, Trouble> {
        refuse_foreign(path).map_err(Trouble::Error)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(|error| trouble(path, error))?;
        prepare(&mut connection, path)?;
        Ok(Self { connection, path: path.to_owned() })
    }
}

enum Trouble {
    /// The file is of no use to anybody here: why.
    Unusable(String),
    Error(HistoryError),
}

fn prepare(connection: &mut Connection, path: &Path) -> Result<(), Trouble> {
    let failed = |error| trouble(path, error);
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    // The file may have come with a repository.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(failed)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).map_err(failed)?;
    connection.progress_handler(STEPS, Some(patience())).map_err(failed)?;
    // No run waits for the disk: a history that a power failure damages is set aside.
    connection.pragma_update(None, "synchronous", "OFF").map_err(failed)?;
    if check(connection, path)? {
        return connection.execute_batch(LATER_TABLES).map_err(failed);
    }
    // Of two that begin at once, the second finds what the first has made.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    if !check(&transaction, path)? {
        transaction.execute_batch(TABLES).map_err(failed)?;
        transaction.execute_batch(LATER_TABLES).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Whether this is a history already, rather than an empty file.
fn check(connection: &Connection, path: &Path) -> Result<bool, Trouble> {
    let failed = |error| trouble(path, error);
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    match (number("application_id")?, number("user_version")?) {
        (0, 0) if tables == 0 => Ok(false),
        (APPLICATION_ID, VERSION) => {
            if !has_our_schema(connection).map_err(failed)? {
                return Err(Trouble::Unusable("has tables or more that are not offload's".to_owned()));
            }
            // Each table is asked once: a file that was damaged further in says so here rather than in the end.
            for table in ["run", "test", "attempt"] {
                let query = format!("SELECT count(*) FROM (SELECT * FROM {table} LIMIT 1)");
                connection.query_row(&query, [], |row| row.get::<_, i64>(0)).map_err(failed)?;
            }
            Ok(true)
        }
        (APPLICATION_ID, found) if found > VERSION => {
            Err(Trouble::Error(HistoryError::Newer { path: path.to_owned(), found, known: VERSION }))
        }
        _ => Err(Trouble::Unusable("is a database of something else".to_owned())),
    }
}

/// A file that is there is opened if it is empty or says of itself that it is ours: SQLite may change what it opens.
fn refuse_foreign(path: &Path) -> Result<(), HistoryError> {
    let failed = |source| HistoryError::Io { action: "read", path: path.to_owned(), source };
    let file = match foreign_file::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // SQLite would make it for everybody to read.
            return foreign_file::create(path, false).map(drop).map_err(failed);
        }
        Err(error) => return Err(failed(error)),
    };
    let mut header = Vec::with_capacity(HEADER);
    Read::take(&file, HEADER as u64).read_to_end(&mut header).map_err(failed)?;
    if header.is_empty() || is_ours(&header) {
        return Ok(());
    }
    Err(HistoryError::Foreign { path: path.to_owned() })
}

/// Says that a query is to be given up once it has taken too long.
fn patience() -> impl FnMut() -> bool + Send + 'static {
    let (mut begun, mut last) = (Instant::now(), Instant::now());
    move || {
        let now = Instant::now();
        if now - last > PAUSE {
            // It is another one.
            begun = now;
        }
        last = now;
        now - begun > QUERY
    }
}

fn trouble(path: &Path, source: rusqlite::Error) -> Trouble {
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Trouble::Unusable("is no history".to_owned()),
        Some(ErrorCode::DatabaseCorrupt) => Trouble::Unusable("is damaged".to_owned()),
        // A table or column that should be there is not.
        Some(ErrorCode::Unknown) => Trouble::Unusable(format!("is damaged ({source})")),
        _ => Trouble::Error(HistoryError::Database { path: path.to_owned(), source }),
    }
}

/// The directory of the file; one that is made here tells git to leave it alone.
fn make_home(path: &Path) -> Result<(), HistoryError> {
    let Some(home) = path.parent().filter(|home| !home.is_dir()) else { return Ok(()) };
    let failed = |source| HistoryError::Io { action: "make the directory", path: home.to_owned(), source };
    fs::create_dir_all(home).map_err(failed)?;
    fs::write(home.join(".gitignore"), "*\n").map_err(failed)
}

/// Renames a file to one of its siblings that is free, with what SQLite keeps beside it.
fn set_aside(path: &Path) -> Result<PathBuf, HistoryError> {
    let sibling = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let aside = (1..).map(|number| sibling(&format!(".damaged-{number}"))).find(|aside| !aside.exists());
    let aside = aside.unwrap_or_else(|| sibling(".damaged"));
    fs::rename(path, &aside).map_err(|source| HistoryError::Io {
        action: "set aside the damaged history",
        path: path.to_owned(),
        source,
    })?;
    for suffix in ["-journal", "-wal", "-shm"] {
        // Most often there is none; one that stayed would be taken for the new file's.
        let _ = fs::remove_file(sibling(suffix));
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_history_is_begun_once() {
        let home = home();
        let path = home.path().join("new/history.db");
        assert!(History::open(&path).unwrap().warning.is_none());
        assert!(History::open(&path).unwrap().warning.is_none());
        assert_eq!(fs::read_to_string(home.path().join("new/.gitignore")).unwrap(), "*\n");
    }

    #[test]
    fn two_may_begin_at_once() {
        let home = home();
        let path = home.path().join("history.db");
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..8).map(|_| scope.spawn(|| History::open(&path).unwrap().warning)).collect();
            handles.into_iter().for_each(|handle| assert_eq!(handle.join().unwrap(), None));
        });
    }

    /// What is none of ours stays as it is.
    #[track_caller]
    fn check_left_alone(content: &[u8]) {
        let home = home();
        let path = home.path().join("history.db");
        fs::write(&path, content).unwrap();
        for error in [History::open(&path).unwrap_err(), History::read(&path).unwrap_err()] {
            assert!(error.to_string().contains("is no history of offload, so it is left as it is"), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[track_caller]
    fn check_set_aside(content: &[u8], why: &str) {
        let home = home();
        let path = home.path().join("history.db");
        fs::write(&path, content).unwrap();
        let warning = History::open(&path).unwrap().warning.unwrap();
        assert!(warning.contains(why), "{warning}");
        assert_eq!(fs::read(home.path().join("history.db.damaged-1")).unwrap(), content);
        assert!(History::open(&path).unwrap().warning.is_none());
    }

    #[test]
    fn what_is_no_history_is_left_alone() {
        check_left_alone(&b"no database at all, but long enough to have a header of one ".repeat(10));
        check_left_alone(b"short");
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let home = home();
        let path = home.path().join("history.db");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(History::open(&path).unwrap_err().to_string().contains("it is no regular file"));
    }

    #[test]
    fn it_is_for_this_user() {
        use std::os::unix::fs::PermissionsExt;
        let home = home();
        let path = home.path().join("history.db");
        drop(History::open(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_schema_that_is_not_ours_is_set_aside() {
        for more in [
            "CREATE VIEW v AS SELECT * FROM run",
            "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM test; END",
            "CREATE TABLE more (x)",
            "CREATE INDEX i ON run (commit_id)",
            "DROP TABLE run; CREATE VIEW run AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n",
        ] {
            let home = home();
            let path = home.path().join("history.db");
            History::open(&path).unwrap().history.connection.execute_batch(more).unwrap();
            let warning = History::open(&path).unwrap().warning.expect(more);
            assert!(warning.contains("has tables or more that are not offload's"), "{warning}");
        }
    }

    #[test]
    fn what_is_damaged_is_set_aside() {
        let home = home();
        let path = home.path().join("history.db");
        drop(History::open(&path).unwrap());
        let mut content = fs::read(&path).unwrap();
        // Everything after the first page's header.
        content[100..].fill(0x5a);
        check_set_aside(&content, "is damaged");
    }

    #[test]
    fn what_belongs_to_something_else_is_left_alone() {
        let home = home();
        let path = home.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE music (title TEXT)").unwrap();
        check_left_alone(&fs::read(&path).unwrap());
    }

    #[test]
    fn what_a_newer_offload_wrote_is_left_alone() {
        let home = home();
        let path = home.path().join("history.db");
        let history = History::open(&path).unwrap().history;
        history.connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
        drop(history);
        let error = History::open(&path).unwrap_err().to_string();
        assert!(error.ends_with("was written by a newer offload (its version is 2, this one knows 1)"), "{error}");
        assert!(path.exists());
    }
}

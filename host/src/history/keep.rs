//! Runs into the history, and what it lets expect out of it.

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::recorder::{AttemptRecord, RunRecord};
use super::{Expectations, History, HistoryError, Recorder};
use crate::model::{Expected, GroupName, Status, TestId, Verdict};

/// How many runs are kept at the most, and how many attempts in all: some twenty megabytes.
const MOST_RUNS: i64 = 200;
const MOST_ATTEMPTS: i64 = 500_000;

/// What a new sample weighs against all earlier ones.
const WEIGHT: f64 = 0.3;

impl History {
    /// What is expected of every test that earlier runs knew.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn expectations(&self) -> Result<Expectations, HistoryError> {
        self.read_expectations().map_err(|error| self.failed(error))
    }

    fn read_expectations(&self) -> rusqlite::Result<Expectations> {
        let mut expectations = Expectations::default();
        let query = "SELECT group_name, test_id, mean, variance FROM test WHERE samples > 0";
        let mut statement = self.connection.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (group, test): (String, String) = (row.get(0)?, row.get(1)?);
            let expected = Expected { mean: row.get(2)?, spread: row.get::<_, f64>(3)?.max(0.0).sqrt() };
            expectations.insert(GroupName::new(group), TestId::new(test), expected);
        }
        let mut statement = self.connection.prepare("SELECT group_name, unit FROM whole_unit")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            expectations.insert_whole(GroupName::new(row.get::<_, String>(0)?), row.get(1)?);
        }
        Ok(expectations)
    }

    /// Adds a run, and forgets the oldest ones where that makes too many.
    ///
    /// # Errors
    /// The file cannot be written; it is as it was.
    pub fn add(&mut self, recorder: &Recorder, commit: Option<&str>) -> Result<(), HistoryError> {
        let Some(run) = recorder.run.as_ref().filter(|_| !recorder.is_empty()) else { return Ok(()) };
        self.write(run, recorder, commit).map_err(|error| self.failed(error))
    }

    fn write(&mut self, run: &RunRecord, recorder: &Recorder, commit: Option<&str>) -> rusqlite::Result<()> {
        let attempts = &recorder.attempts;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let count = i64::try_from(attempts.len()).unwrap_or(i64::MAX);
        transaction.execute(
            "INSERT INTO run (run_id, started, commit_id, sandbox_kind, attempts) VALUES (?, ?, ?, ?, ?)",
            params![run.run_id.as_str(), run.started, commit, run.sandbox_kind, count],
        )?;
        let run = transaction.last_insert_rowid();
        add_attempts(&transaction, run, attempts)?;
        for (group, unit) in &recorder.whole_units {
            let query = "INSERT OR IGNORE INTO whole_unit (group_name, unit) VALUES (?, ?)";
            transaction.execute(query, params![group.as_str(), unit])?;
        }
        forget(&transaction, run)?;
        transaction.commit()
    }
}

fn add_attempts(transaction: &Transaction<'_>, run: i64, attempts: &[AttemptRecord]) -> rusqlite::Result<()> {
    let mut find =
        transaction.prepare("SELECT id, samples, mean, variance FROM test WHERE group_name = ? AND test_id = ?")?;
    let mut begin = transaction.prepare(
        "INSERT INTO test (group_name, test_id, samples, mean, variance, last_run) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    let mut update =
        transaction.prepare("UPDATE test SET samples = ?, mean = ?, variance = ?, last_run = ? WHERE id = ?")?;
    // A test that was in two groups of one run by the same id would be one row: the later attempt stays.
    let mut insert = transaction.prepare(
        "INSERT OR REPLACE INTO attempt (run, test, number, status, seconds, verdict) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for attempt in attempts {
        let (group, id) = (attempt.test.group.as_str(), attempt.test.id.as_str());
        let known = find
            .query_row(params![group, id], |row| {
                Ok((row.get::<_, i64>(0)?, Sample { count: row.get(1)?, mean: row.get(2)?, variance: row.get(3)? }))
            })
            .optional()?;
        let sample = known.as_ref().map_or_else(Sample::default, |(_, sample)| *sample).with(attempt);
        let test = if let Some((test, _)) = known {
            update.execute(params![sample.count, sample.mean, sample.variance, run, test])?;
            test
        } else {
            begin.execute(params![group, id, sample.count, sample.mean, sample.variance, run])?;
            transaction.last_insert_rowid()
        };
        let verdict = attempt.verdict.map(Verdict::as_str);
        // Alone, an attempt is called as the verdict that it would give.
        let status = Verdict::from_last(attempt.status, false).as_str();
        let number = attempt.number.get();
        insert.execute(params![run, test, number, status, attempt.seconds, verdict])?;
    }
    Ok(())
}

/// Keeps as many of the newest runs as there is room for.
fn forget(transaction: &Transaction<'_>, newest: i64) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare("SELECT id, attempts FROM run ORDER BY id DESC")?;
    let mut rows = statement.query([])?;
    let (mut runs, mut attempts) = (0, 0);
    while let Some(row) = rows.next()? {
        let (run, count): (i64, i64) = (row.get(0)?, row.get(1)?);
        runs += 1;
        attempts += count;
        if run != newest && (runs > MOST_RUNS || attempts > MOST_ATTEMPTS) {
            transaction.execute("DELETE FROM attempt WHERE run <= ?", [run])?;
            transaction.execute("DELETE FROM test WHERE last_run <= ?", [run])?;
            transaction.execute("DELETE FROM run WHERE id <= ?", [run])?;
            break;
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    count: i64,
    mean: f64,
    variance: f64,
}

impl Sample {
    /// A mean that follows what changes (exponentially weighted: Finch, 2009).
    fn with(self, attempt: &AttemptRecord) -> Self {
        // How long a test lived that died says nothing of how long it takes.
        if attempt.status == Status::Crashed || !attempt.seconds.is_finite() {
            return self;
        }
        let seconds = attempt.seconds.max(0.0);
        if self.count == 0 {
            return Self { count: 1, mean: seconds, variance: 0.0 };
        }
        let away = seconds - self.mean;
        Self {
            count: self.count + 1,
            mean: self.mean + WEIGHT * away,
            variance: (1.0 - WEIGHT) * (self.variance + WEIGHT * away * away),
        }
    }
}

//! What `offload history` shows.

use rusqlite::{Connection, Row, params};
use serde::Serialize;

use super::{History, HistoryError};
use crate::model::Verdict;

/// What earlier runs say of a project's tests.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Insight {
    /// How many runs are known.
    pub runs: u32,
    /// The newest of them.
    pub last_run: Option<RunMark>,
    /// The slowest first.
    pub slowest: Vec<Slow>,
    /// Those that were flaky in the largest part of their runs first.
    pub flakiest: Vec<Flaky>,
    /// Tests whose newest verdict is bad and that were good before; the newest first.
    pub newly_failing: Vec<Failing>,
}

/// A run as one refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunMark {
    pub run_id: String,
    /// RFC 3339, UTC.
    pub started: String,
    pub commit: Option<String>,
    /// The kind of provider.
    pub sandbox_kind: String,
}

/// How long a test takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slow {
    pub group: String,
    pub id: String,
    /// The mean, which weighs newer attempts more.
    pub seconds: f64,
    /// The standard deviation, in seconds.
    pub spread: f64,
    pub samples: u32,
}

/// How often a test failed and then passed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flaky {
    pub group: String,
    pub id: String,
    /// Runs in which it was flaky.
    pub flaky: u32,
    /// Runs in which it had a verdict.
    pub runs: u32,
}

/// A test that used to be good.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failing {
    pub group: String,
    pub id: String,
    /// The newest.
    pub verdict: String,
    /// The first run in which it was bad.
    pub since: RunMark,
    /// The last run in which it was good.
    pub last_good: RunMark,
}

const RUN: &str = "run_id, started, commit_id, sandbox_kind";

const SLOWEST: &str = "
SELECT group_name, test_id, mean, variance, samples FROM test
WHERE samples > 0 ORDER BY mean DESC, group_name, test_id LIMIT ?";

const FLAKIEST: &str = "
SELECT group_name, test_id, flaky, runs FROM (
    SELECT test, sum(verdict = 'flaky') AS flaky, count(*) AS runs FROM attempt WHERE verdict IS NOT NULL GROUP BY test
) JOIN test ON test.id = test
WHERE flaky > 0 ORDER BY 1.0 * flaky / runs DESC, flaky DESC, group_name, test_id LIMIT ?";

const FAILING: &str = "
WITH judged AS (
    SELECT test, run, verdict, verdict IN (SELECT value FROM json_each(?1)) AS bad
    FROM attempt WHERE verdict IS NOT NULL AND verdict <> 'skipped'
), good AS (
    SELECT test, max(run) AS run FROM judged WHERE NOT bad GROUP BY test
), failing AS (
    SELECT judged.test, good.run AS last_good, min(judged.run) AS since, max(judged.run) AS newest
    FROM judged JOIN good USING (test) WHERE judged.run > good.run GROUP BY judged.test
)
SELECT group_name, test_id, judged.verdict,
    since.run_id, since.started, since.commit_id, since.sandbox_kind,
    good.run_id, good.started, good.commit_id, good.sandbox_kind
FROM failing
JOIN judged ON judged.test = failing.test AND judged.run = failing.newest
JOIN test ON test.id = failing.test
JOIN run AS since ON since.id = failing.since
JOIN run AS good ON good.id = failing.last_good
ORDER BY failing.since DESC, group_name, test_id LIMIT ?2";

impl History {
    /// What there is to say, each list with `most` entries at the most.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn insight(&self, most: usize) -> Result<Insight, HistoryError> {
        insight(&self.connection, most).map_err(|error| self.failed(error))
    }
}

fn insight(connection: &Connection, most: usize) -> rusqlite::Result<Insight> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let last = format!("SELECT {RUN} FROM run ORDER BY id DESC LIMIT 1");
    let bad: Vec<_> = Verdict::ALL.into_iter().filter(|verdict| verdict.is_bad()).map(Verdict::as_str).collect();
    let bad = serde_json::Value::from(bad).to_string();
    Ok(Insight {
        runs: connection.query_row("SELECT count(*) FROM run", [], |row| row.get(0))?,
        last_run: connection.prepare(&last)?.query_map([], |row| run(row, 0))?.next().transpose()?,
        slowest: connection.prepare(SLOWEST)?.query_map([most], slow)?.collect::<Result<_, _>>()?,
        flakiest: connection.prepare(FLAKIEST)?.query_map([most], flaky)?.collect::<Result<_, _>>()?,
        newly_failing: connection
            .prepare(FAILING)?
            .query_map(params![bad, most], failing)?
            .collect::<Result<_, _>>()?,
    })
}

fn run(row: &Row<'_>, first: usize) -> rusqlite::Result<RunMark> {
    Ok(RunMark {
        run_id: row.get(first)?,
        started: row.get(first + 1)?,
        commit: row.get(first + 2)?,
        sandbox_kind: row.get(first + 3)?,
    })
}

fn slow(row: &Row<'_>) -> rusqlite::Result<Slow> {
    Ok(Slow {
        group: row.get(0)?,
        id: row.get(1)?,
        seconds: row.get(2)?,
        spread: row.get::<_, f64>(3)?.max(0.0).sqrt(),
        samples: row.get(4)?,
    })
}

fn flaky(row: &Row<'_>) -> rusqlite::Result<Flaky> {
    Ok(Flaky { group: row.get(0)?, id: row.get(1)?, flaky: row.get(2)?, runs: row.get(3)? })
}

fn failing(row: &Row<'_>) -> rusqlite::Result<Failing> {
    Ok(Failing {
        group: row.get(0)?,
        id: row.get(1)?,
        verdict: row.get(2)?,
        since: run(row, 3)?,
        last_good: run(row, 7)?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::history::Recorder;
    use crate::model::{Attempt, AttemptNumber, Event, Outcome, RunId, SandboxName, Status, Test, TestId};

    fn test(id: &str) -> Arc<Test> {
        Arc::new(Test::nameless("unit".into(), id))
    }

    /// Tests with the status and seconds of each of their attempts.
    type Story<'a> = &'a [(&'a str, &'a [(Status, f64)])];

    fn recorded(run: &str, story: Story<'_>) -> Recorder {
        let mut recorder = Recorder::default();
        recorder.handle(&Event::RunStarted {
            run_id: RunId::new(run),
            version: "0",
            started: format!("time of {run}"),
            provider: "local".into(),
            max_parallel: 1,
        });
        for (id, attempts) in story {
            let test = test(id);
            for (index, (status, seconds)) in attempts.iter().enumerate() {
                let mut outcome = Outcome::new(*status, "");
                outcome.duration = *seconds;
                let number = AttemptNumber::new(u32::try_from(index).unwrap() + 1);
                let sandbox = Some(SandboxName::new("local-1"));
                let attempt = Attempt { number, sandbox, log: None, outcome };
                let retried = index + 1 < attempts.len();
                recorder.handle(&Event::Attempted { test: test.clone(), attempt, retried });
            }
            let last = attempts.last().unwrap().0;
            let verdict = Verdict::from_last(last, attempts.len() > 1);
            recorder.handle(&Event::Judged { test, verdict });
        }
        recorder
    }

    fn history_of(runs: &[(&str, Story<'_>)]) -> (tempfile::TempDir, History) {
        let home = tempfile::tempdir().unwrap();
        let mut history = History::open(&home.path().join("history.db")).unwrap().history;
        for (run, story) in runs {
            history.add(&recorded(run, story), Some("c0ffee")).unwrap();
        }
        (home, history)
    }

    const PASSED: (Status, f64) = (Status::Passed, 1.0);
    const FAILED: (Status, f64) = (Status::Failed, 1.0);

    #[test]
    fn one_sample_is_enough_to_expect_by() {
        let (_home, history) = history_of(&[("first", &[("quick", &[(Status::Passed, 0.25)])])]);
        let expectations = history.expectations().unwrap();
        let expected = expectations.of(&"unit".into(), &TestId::new("quick")).unwrap();
        assert_eq!((expected.mean, expected.spread), (0.25, 0.0));
        assert_eq!(expectations.of(&"other".into(), &TestId::new("quick")), None);
    }

    #[test]
    fn newer_attempts_weigh_more_and_crashes_nothing() {
        let (_home, history) = history_of(&[
            ("first", &[("test", &[(Status::Passed, 1.0)])]),
            ("second", &[("test", &[(Status::Crashed, 0.0), (Status::Passed, 2.0)])]),
        ]);
        let expected = history.expectations().unwrap().of(&"unit".into(), &TestId::new("test")).unwrap();
        assert!((expected.mean - 1.3).abs() < 1e-9, "{expected:?}");
        assert!((expected.spread - 0.21_f64.sqrt()).abs() < 1e-9, "{expected:?}");
    }

    #[test]
    fn slow_flaky_and_failing_tests_are_told() {
        let (_home, history) = history_of(&[
            (
                "first",
                &[("steady", &[PASSED]), ("shaky", &[FAILED, PASSED]), ("broken", &[PASSED]), ("old", &[FAILED])],
            ),
            ("second", &[("steady", &[PASSED]), ("shaky", &[PASSED]), ("broken", &[FAILED]), ("old", &[FAILED])]),
            ("third", &[("steady", &[(Status::Passed, 9.0)]), ("broken", &[FAILED, (Status::TimedOut, 1.0)])]),
        ]);
        let insight = history.insight(2).unwrap();
        assert_eq!(insight.runs, 3);
        assert_eq!(insight.last_run.unwrap().run_id, "third");
        let slowest: Vec<_> = insight.slowest.iter().map(|slow| (slow.id.as_str(), slow.samples)).collect();
        assert_eq!(slowest, [("steady", 3), ("broken", 4)]);
        let flakiest: Vec<_> =
            insight.flakiest.iter().map(|flaky| (flaky.id.as_str(), flaky.flaky, flaky.runs)).collect();
        assert_eq!(flakiest, [("shaky", 1, 2)]);
        let [failing] = &insight.newly_failing[..] else { panic!("{:?}", insight.newly_failing) };
        assert_eq!((failing.id.as_str(), failing.verdict.as_str()), ("broken", "timed-out"));
        assert_eq!((failing.since.run_id.as_str(), failing.last_good.run_id.as_str()), ("second", "first"));
    }

    #[test]
    fn the_same_run_is_not_added_twice() {
        let (_home, mut history) = history_of(&[("first", &[("test", &[PASSED])])]);
        history.add(&recorded("first", &[("test", &[PASSED])]), None).unwrap_err();
        assert_eq!(history.insight(9).unwrap().runs, 1);
    }

    #[test]
    fn runs_at_once_lose_nothing() {
        let (home, history) = history_of(&[]);
        drop(history);
        let path = home.path().join("history.db");
        std::thread::scope(|scope| {
            for run in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    let mut history = History::open(path).unwrap().history;
                    history.add(&recorded(&format!("run-{run}"), &[("test", &[PASSED])]), None).unwrap();
                });
            }
        });
        let insight = History::read(&path).unwrap().unwrap().insight(1).unwrap();
        assert_eq!((insight.runs, insight.slowest[0].samples), (8, 8));
    }

    #[test]
    fn the_oldest_runs_are_forgotten() {
        let ids: Vec<_> = (0..220).map(|run| format!("run-{run}")).collect();
        let once: Story<'_> = &[("steady", &[PASSED])];
        let gone: Story<'_> = &[("gone", &[PASSED])];
        let runs = ids.iter().enumerate().map(|(run, id)| (id.as_str(), if run < 5 { gone } else { once }));
        let (_home, history) = history_of(&runs.collect::<Vec<_>>());
        let insight = history.insight(9).unwrap();
        assert_eq!(insight.runs, 200);
        assert_eq!(insight.slowest.iter().map(|slow| slow.id.as_str()).collect::<Vec<_>>(), ["steady"]);
    }
}

//! `results.json`, read as strictly as it is documented.

use serde_json::Value;

/// The whole file.
#[derive(Clone, Debug)]
pub struct Results {
    pub run_id: String,
    pub exit_code: i64,
    pub summary: serde_json::Map<String, Value>,
    pub tests: Vec<Test>,
}

#[derive(Clone, Debug)]
pub struct Test {
    pub id: String,
    pub group: String,
    pub verdict: String,
    pub duration: f64,
    pub attempts: Vec<Attempt>,
}

#[derive(Clone, Debug)]
pub struct Attempt {
    pub number: u64,
    pub sandbox: Option<String>,
    pub status: String,
    pub duration: f64,
    pub message: Option<String>,
}

impl Results {
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let json: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("results.json is no JSON: {error}"));
        assert_eq!(json["schema"], 1, "the schema of results.json");
        Self {
            run_id: string(&json, "run_id"),
            exit_code: json["exit_code"].as_i64().expect("exit_code is a number"),
            summary: json["summary"].as_object().expect("summary is an object").clone(),
            tests: list(&json, "tests").iter().map(Test::parse).collect(),
        }
    }

    /// The one test of this id.
    #[track_caller]
    pub fn test(&self, id: &str) -> &Test {
        let found: Vec<&Test> = self.tests.iter().filter(|test| test.id == id).collect();
        match found[..] {
            [test] => test,
            _ => panic!("{} tests are called {id:?} among {:#?}", found.len(), self.ids()),
        }
    }

    #[track_caller]
    pub fn verdict(&self, id: &str) -> &str {
        &self.test(id).verdict
    }

    pub fn ids(&self) -> Vec<&str> {
        self.tests.iter().map(|test| test.id.as_str()).collect()
    }

    /// How many tests have this verdict.
    pub fn count(&self, verdict: &str) -> usize {
        self.tests.iter().filter(|test| test.verdict == verdict).count()
    }
}

impl Test {
    fn parse(json: &Value) -> Self {
        Self {
            id: string(json, "id"),
            group: string(json, "group"),
            verdict: string(json, "verdict"),
            duration: json["duration"].as_f64().expect("a test's duration is a number"),
            attempts: list(json, "attempts").iter().map(Attempt::parse).collect(),
        }
    }

    /// The attempts' statuses in order.
    pub fn statuses(&self) -> Vec<&str> {
        self.attempts.iter().map(|attempt| attempt.status.as_str()).collect()
    }

    /// What the last attempt says.
    pub fn message(&self) -> &str {
        self.attempts.last().and_then(|attempt| attempt.message.as_deref()).unwrap_or_default()
    }
}

impl Attempt {
    fn parse(json: &Value) -> Self {
        Self {
            number: json["number"].as_u64().expect("an attempt has a number"),
            sandbox: json["sandbox"].as_str().map(str::to_owned),
            status: string(json, "status"),
            duration: json["duration"].as_f64().expect("an attempt's duration is a number"),
            message: json["message"].as_str().map(str::to_owned),
        }
    }
}

#[track_caller]
fn string(json: &Value, key: &str) -> String {
    json[key].as_str().unwrap_or_else(|| panic!("{key} is text in {json}")).to_owned()
}

#[track_caller]
fn list<'a>(json: &'a Value, key: &str) -> &'a [Value] {
    json[key].as_array().unwrap_or_else(|| panic!("{key} is a list in {json}"))
}

//! Tests of `@NAME@`, for offload.
//!
//! A framework starts nothing and reads no file. It says which command to run, is told what came of it, and says what that
//! means. So everything here is a plain function over plain data, and `cargo test` tries it without offload.

#![forbid(unsafe_code)]

mod printed;

use offload_plugin::prelude::*;

/// A group of tests of @NAME@.
// The type of the settings is also their schema: offload holds a group's table in offload.toml against it before anything
// runs, and shows these comments below whatever is wrong there.
#[derive(Deserialize, JsonSchema)]
pub struct Settings {
    /// The program that runs the tests.
    #[serde(default = "default_program")]
    #[schemars(length(min = 1))]
    pub program: String,
    /// Directory that the group's commands run in.
    // Offload acts on this one by itself; without it here, nobody could set it.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
}

fn default_program() -> String {
    "@NAME@".to_owned()
}

/// One discovery, or one command that runs tests: what belongs together within one of these can be kept in fields.
pub struct @PASCAL@Framework {
    settings: Settings,
}

impl Plugin for @PASCAL@Framework {
    type Settings = Settings;

    const NAME: &'static str = "@NAME@";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "Tests of @NAME@";
    // What it does not ask for, nobody can grant. Another `program` has to be named here, too; "run:*" stands for any.
    const REQUESTS: &'static [&'static str] = &["run:@NAME@"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self { settings })
    }
}

impl Framework for @PASCAL@Framework {
    /// Called with nothing first, and then with what became of the command that it asked for. That runs on this machine.
    fn discover(&mut self, _: &Context, paths: &[String], previous: &[FinishedRun]) -> Result<Discovery, Failure> {
        let Some(run) = previous.last() else {
            return Ok(Discovery::Run(RunPlan::new(self.command("list"))));
        };
        // A list that is not whole is no list: a test that nobody knows of is a test that nobody runs.
        if run.output.exit != Exit::Code(0) {
            let message = format!("@NAME@ could not list its tests: {}", run.output.complaint());
            let help = format!("run `{} list` by hand", self.settings.program);
            return Err(Failure::new("discovery-failed", message).with_help(help));
        }
        let is_wanted = |test: &Test| paths.is_empty() || paths.contains(&test.id);
        let listed = printed::listed(&run.output.stdout)?;
        Ok(Discovery::Found(Found::new(listed.into_iter().filter(is_wanted).collect())))
    }

    /// One command that runs exactly these tests, wherever the sandbox is. Ids may be of any characters and there may be
    /// many, so they go to its standard input rather than among its arguments.
    fn run_command(&mut self, _: &Context, tests: &[Test]) -> Result<RunPlan, Failure> {
        let stdin = tests.iter().flat_map(|test| [test.id.as_str(), "\n"]).collect::<String>().into_bytes();
        Ok(RunPlan { stdin, ..RunPlan::new(self.command("run")) })
    }

    /// What the command told of the tests, also if it was ended early. A test of which nothing is known gets no outcome:
    /// offload hands it out again rather than take it for green.
    fn parse_results(&mut self, _: &Context, tests: &[Test], run: &FinishedRun) -> Result<Vec<Outcome>, Failure> {
        let outcomes = printed::outcomes(tests, &run.output.stdout);
        match run.output.exit {
            // By these a shell says that it could not start the program: no batch of tests would fare better.
            Exit::Code(126 | 127) if outcomes.is_empty() => {
                let message = format!("@NAME@ did not start in the sandbox: {}", run.output.complaint());
                Err(Failure::new("not-started", message).with_help("install it where the tests run"))
            }
            _ => Ok(outcomes),
        }
    }
}

impl @PASCAL@Framework {
    fn command(&self, verb: &str) -> Command {
        Command::new([self.settings.program.as_str(), verb])
    }
}

// This line makes the crate a component.
offload_plugin::export!(@PASCAL@Framework: Framework);

#[cfg(test)]
mod tests {
    use super::*;

    /// A plugin with these settings, as offload gives them.
    fn plugin(settings: &str) -> @PASCAL@Framework {
        let settings = offload_plugin::settings::parse(settings).expect("the settings are good");
        @PASCAL@Framework::new(settings).expect("they can work")
    }

    fn context() -> Context {
        Context { scratch: "/tmp/attempt-1-".to_owned(), nonce: "n".to_owned(), attempt: 1, memo: None }
    }

    /// A command that ended.
    fn finished(exit: i32, stdout: &str) -> FinishedRun {
        let output = Captured { exit: Exit::Code(exit), stdout: stdout.into(), stderr: b"why".to_vec() };
        FinishedRun { output, files: Vec::new() }
    }

    fn tests(ids: &[&str]) -> Vec<Test> {
        ids.iter().map(|id| Test::new(*id)).collect()
    }

    #[test]
    fn tests_are_those_that_the_program_lists() {
        let mut plugin = plugin("{}");
        let asked = plugin.discover(&context(), &[], &[]).expect("it knows what to run");
        let Discovery::Run(plan) = asked else { panic!("nothing was listed yet") };
        assert_eq!(plan.command.argv, ["@NAME@", "list"]);
        let listed = [finished(0, "one\ntwo words\n")];
        let found = plugin.discover(&context(), &[], &listed).expect("the list is whole");
        assert!(found == Discovery::Found(Found::new(tests(&["one", "two words"]))));
        // Those that the person wants to know of.
        let found = plugin.discover(&context(), &["one".to_owned()], &listed).expect("the list is whole");
        assert!(found == Discovery::Found(Found::new(tests(&["one"]))));
    }

    #[test]
    fn a_list_that_is_not_whole_is_a_failure() {
        let failure = plugin("{}").discover(&context(), &[], &[finished(1, "one\n")]).expect_err("it ended with 1");
        assert_eq!(failure.message, "@NAME@ could not list its tests: why");
    }

    #[test]
    fn the_program_is_told_what_to_run() {
        let plan = plugin(r#"{"program": "other"}"#).run_command(&context(), &tests(&["a", "it's"])).expect("a plan");
        assert_eq!(plan.command.argv, ["other", "run"]);
        assert_eq!(plan.stdin, b"a\nit's\n");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let results = |run| plugin("{}").parse_results(&context(), &tests(&["a"]), &run);
        assert_eq!(results(finished(127, "")).expect_err("it did not start").code, "not-started");
        assert_eq!(results(finished(1, "ok a\n")).expect("results").len(), 1);
    }
}

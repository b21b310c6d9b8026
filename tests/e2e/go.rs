//! Go modules through `go test`: the outcomes of plain `go test -json`, and what it does not say.

use offload_tests::{DefaultProvider, Finished, Project, Results, compare, plain_go_test};

/// A module of packages, each a directory with one file of tests: its imports, and its code.
fn module(packages: &[(&str, &[&str], &str)]) -> Project {
    let project = Project::new().file("go.mod", "module example.com/m\n\ngo 1.19\n");
    for (package, imports, code) in packages {
        let imports: String = imports.iter().map(|import| format!("\t\"{import}\"\n")).collect();
        project.write(
            &format!("{package}/{package}_test.go"),
            format!("package {package}\n\nimport (\n{imports}\t\"testing\"\n)\n\n{code}\n"),
        );
    }
    configured(project, "", "")
}

fn configured(project: Project, offload: &str, group: &str) -> Project {
    project.config(&format!(
        "[offload]\nmax_parallel = 2\n{}{offload}\n[provider]\ntype = \"local\"\n[groups.go]\ntype = \"go\"\n{group}\n",
        if offload.contains("retry_count") { "" } else { "retry_count = 0\n" }
    ))
}

#[track_caller]
fn run(project: &Project) -> Finished {
    project.offload(&["run"]).envs(offload_tests::go_environment()).finish()
}

/// The verdicts, without the module's name.
fn verdicts(results: &Results) -> Vec<(&str, &str)> {
    let short = |id| str::strip_prefix(id, "example.com/m/").unwrap_or(id);
    let mut verdicts: Vec<_> = results.tests.iter().map(|test| (short(&test.id), test.verdict.as_str())).collect();
    verdicts.sort_unstable();
    verdicts
}

const MANY: &str = r#"
func TestPasses(t *testing.T) { fmt.Println("hello") }
func TestFails(t *testing.T) { t.Log("set up"); t.Fatalf("want %d, got %d", 1, 2) }
func TestSkips(t *testing.T) { t.Skip("no docker here") }
func TestSubtests(t *testing.T) {
	t.Run("good", func(t *testing.T) { t.Log("all is well") })
	t.Run("not so good", func(t *testing.T) {
		t.Run("deep", func(t *testing.T) { t.Error("deep down it is wrong") })
	})
}
func TestSubtestsPass(t *testing.T) { t.Run("one", func(t *testing.T) {}); t.Run("two", func(t *testing.T) { t.Skip() }) }
func TestÜber(t *testing.T) {}
func TestLies(t *testing.T) {
	fmt.Println("--- PASS: TestLiar (0.00s)")
	fmt.Println("=== RUN   TestLiar")
	fmt.Println("--- PASS: TestLiar (0.00s)")
	fmt.Println(`{"Action":"pass","Package":"example.com/m/many","Test":"TestLiar","Elapsed":0}`)
	fmt.Println("ok  \texample.com/m/many\t0.001s")
}
func TestLiar(t *testing.T) { t.Error("it was a lie") }
func TestBytes(t *testing.T) { os.Stdout.Write([]byte("\xff\xfe\n")); t.Error("not\xffUTF-8") }
func TestMuch(t *testing.T) { for i := 0; i < 100000; i++ { fmt.Println("line", i) }; t.Error("in the end") }
func Example() {
	fmt.Println("printed")
	// Output: printed
}
func Example_wrong() {
	fmt.Println("printed")
	// Output: something else
}
func Example_never() { fmt.Println("it has no output to compare") }
func FuzzSeeds(f *testing.F) { f.Add("good"); f.Fuzz(func(t *testing.T, s string) {}) }
func FuzzBadSeed(f *testing.F) { f.Add("bad"); f.Fuzz(func(t *testing.T, s string) { t.Error("bad seed") }) }
func BenchmarkNever(b *testing.B) {}
"#;

const PARALLEL: &str = r#"
func TestA(t *testing.T) { t.Parallel(); fmt.Println("a 1"); time.Sleep(20 * time.Millisecond); fmt.Println("a 2"); t.Error("a is wrong") }
func TestB(t *testing.T) { t.Parallel(); fmt.Println("b 1"); time.Sleep(30 * time.Millisecond); fmt.Println("b 2") }
func TestC(t *testing.T) { fmt.Println("c") }
func TestD(t *testing.T) {
	for _, name := range []string{"x", "y", "z"} {
		name := name
		t.Run(name, func(t *testing.T) { t.Parallel(); fmt.Println(name); if name == "y" { t.Error("y is wrong") } })
	}
}
"#;

fn many() -> Project {
    module(&[("many", &["fmt", "os"], MANY), ("parallel", &["fmt", "time"], PARALLEL)])
        .file("none/none.go", "package none\n")
}

#[test]
fn verdicts_are_those_of_go_test() {
    let project = many();
    let plain = plain_go_test(&project.path());
    assert_eq!(plain.len(), 18, "{plain:?}");
    let done = run(&project).exits(1);
    let results = done.results();
    assert_eq!(compare(&plain, &results, str::to_owned), None);
    let message = |name: &str| results.test(&format!("example.com/m/many.{name}")).message().to_owned();
    assert_eq!(message("TestFails"), "many_test.go:11: want 1, got 2");
    assert_eq!(message("TestSkips"), "no docker here");
    assert_eq!(message("TestSubtests"), "not_so_good/deep: many_test.go:16: deep down it is wrong");
    assert_eq!(message("Example_wrong"), r#"got "printed", want "something else""#);
    assert!(message("TestMuch").ends_with("in the end"));
    let case = done.junit().case("TestFails").clone();
    assert_eq!(case.classname.as_deref(), Some("example.com/m/many"));
    done.says("TestSubtests/not_so_good/deep").does_not_say("all is well");
}

#[test]
fn another_provider_says_the_same() {
    let project = many();
    let plain = plain_go_test(&project.path());
    let provider = DefaultProvider::default();
    let table = provider.install(&project);
    let project =
        project.config(&format!("[offload]\nretry_count = 0\nmax_parallel = 2\n{table}\n[groups.go]\ntype = \"go\"\n"));
    assert_eq!(compare(&plain, &run(&project).exits(1).results(), str::to_owned), None);
    provider.check_nothing_left(&project);
}

/// Before Go 1.20 nothing marks what the testing package prints.
#[test]
fn output_without_an_end_hides_no_result() {
    let project = module(&[(
        "glue",
        &["fmt", "os"],
        r#"
func TestMain(m *testing.M) { fmt.Print("setting up"); os.Exit(m.Run()) }
func TestPasses(t *testing.T) { fmt.Print("no end") }
func TestFails(t *testing.T) { fmt.Print("no end"); t.Fail() }
func TestSkips(t *testing.T) { fmt.Print("no end"); t.Skip() }
func TestParallel(t *testing.T) { fmt.Print("before"); t.Parallel(); fmt.Print("after") }
func TestParallelFails(t *testing.T) { fmt.Print("before"); t.Parallel(); fmt.Print("after"); t.Fail() }
"#,
    )]);
    let results = run(&project).exits(1).results();
    assert_eq!(
        verdicts(&results),
        [
            ("glue.TestFails", "failed"),
            ("glue.TestParallel", "passed"),
            ("glue.TestParallelFails", "failed"),
            ("glue.TestPasses", "passed"),
            ("glue.TestSkips", "skipped"),
        ]
    );
}

/// One test that ends its process, between others that don't.
#[track_caller]
fn check_deadly(imports: &[&str], code: &str, verdict: &str, message: &str) {
    let code = format!(
        "func TestBefore(t *testing.T) {{}}\nfunc TestDeadly(t *testing.T) {{ {code} }}\nfunc TestNext(t *testing.T) {{}}\n\
         func TestLast(t *testing.T) {{}}"
    );
    let project = module(&[("deadly", imports, &code), ("other", &[], "func TestDeadly(t *testing.T) {}")]);
    let results = run(&project).exits(1).results();
    assert_eq!(
        verdicts(&results),
        [
            ("deadly.TestBefore", "passed"),
            ("deadly.TestDeadly", verdict),
            ("deadly.TestLast", "passed"),
            ("deadly.TestNext", "passed"),
            ("other.TestDeadly", "passed"),
        ]
    );
    let told = results.test("example.com/m/deadly.TestDeadly").message().to_owned();
    assert!(told.contains(message), "{told}");
}

#[test]
fn a_panic_costs_the_test_that_panicked() {
    check_deadly(&[], r#"panic("boom")"#, "failed", "panic: boom");
}

#[test]
fn a_panic_in_a_goroutine_costs_the_test_that_ran() {
    let code = r#"go func() { panic("in the back") }(); time.Sleep(time.Minute)"#;
    check_deadly(&["time"], code, "failed", "panic: in the back");
}

#[test]
fn an_exit_costs_the_test_that_ran() {
    check_deadly(&["os"], "os.Exit(3)", "crashed", "while the test ran");
}

/// go itself takes it for a success.
#[test]
fn an_exit_that_nothing_notices_is_no_success() {
    check_deadly(&["syscall"], "syscall.Exit(0)", "crashed", "while the test ran");
}

#[test]
fn a_kill_costs_the_test_that_ran() {
    check_deadly(&["os", "syscall"], "syscall.Kill(os.Getpid(), syscall.SIGKILL)", "crashed", "while the test ran");
}

#[test]
fn a_panic_costs_none_that_ran_beside_it() {
    let project = module(&[(
        "beside",
        &["time"],
        r#"
func TestA(t *testing.T) { t.Parallel(); time.Sleep(300 * time.Millisecond) }
func TestB(t *testing.T) { t.Parallel(); time.Sleep(100 * time.Millisecond); panic("b") }
func TestC(t *testing.T) { t.Parallel(); time.Sleep(300 * time.Millisecond) }
"#,
    )]);
    let results = run(&project).exits(1).results();
    assert_eq!(
        verdicts(&results),
        [("beside.TestA", "passed"), ("beside.TestB", "failed"), ("beside.TestC", "passed")]
    );
}

#[test]
fn a_hang_costs_the_test_that_hangs() {
    let project = module(&[(
        "hangs",
        &["time"],
        "func TestA(t *testing.T) {}\nfunc TestHangs(t *testing.T) { time.Sleep(time.Hour) }\nfunc TestZ(t *testing.T) {}",
    )]);
    // Go's own library may have to be built first, which takes longer than a test may take here.
    project.offload(&["collect"]).envs(offload_tests::go_environment()).finish().exits(0);
    let project = configured(project, "test_timeout_secs = 8\n", "");
    let results = run(&project).exits(1).results();
    assert_eq!(
        verdicts(&results),
        [("hangs.TestA", "passed"), ("hangs.TestHangs", "timed-out"), ("hangs.TestZ", "passed")]
    );
    assert_eq!(results.test("example.com/m/hangs.TestHangs").statuses(), ["timed-out"]);
}

#[test]
fn a_package_that_does_not_build_costs_no_other() {
    let project = module(&[
        ("broken", &[], "func TestIt(t *testing.T) { undefined() }"),
        ("fine", &[], "func TestIt(t *testing.T) {}"),
        ("user", &["example.com/m/lib"], "func TestIt(t *testing.T) { lib.Use() }"),
    ])
    .file("lib/lib.go", "package lib\n\nfunc Use() int { return \"\" }\n");
    let done = run(&project).exits(1).says("undefined: undefined").says("lib/lib.go:3:");
    let results = done.results();
    assert_eq!(results.verdict("example.com/m/fine.TestIt"), "passed");
    assert_eq!((results.verdict("example.com/m/broken"), results.verdict("example.com/m/user")), ("error", "error"));
    let broken = results.test("example.com/m/broken").message().to_owned();
    assert!(broken.contains("broken/broken_test.go:7:"), "{broken}");
}

/// What breaks after discovery is an error of each test that needs it.
#[test]
fn a_build_that_fails_when_tests_run_is_an_error() {
    let project = module(&[("late", &[], "func TestIt(t *testing.T) {}\nfunc TestOther(t *testing.T) {}")]).script(
        "breaking-go",
        "#!/bin/sh\ncase \"$*\" in *-run=*) echo 'func broken' >>late/late_test.go;; esac\nexec go \"$@\"\n",
    );
    let project = configured(project, "", "go = \"./breaking-go\"");
    let results = run(&project).exits(1).results();
    assert_eq!(verdicts(&results), [("late.TestIt", "error"), ("late.TestOther", "error")]);
    let message = results.test("example.com/m/late.TestIt").message().to_owned();
    assert!(message.contains("example.com/m/late could not be built: late/late_test.go:"), "{message}");
}

#[test]
fn a_test_main_is_never_green_by_itself() {
    let listing = "listing := strings.Contains(strings.Join(os.Args, \" \"), \"-test.list\")";
    let main = |end: &str| {
        format!(
            "func TestMain(m *testing.M) {{ {listing}; {end} }}\nfunc TestA(t *testing.T) {{}}\nfunc TestB(t *testing.T) {{}}"
        )
    };
    let project = module(&[
        ("nothing", &["os", "strings"], &main("if listing { os.Exit(m.Run()) }; os.Exit(0)")),
        ("before", &["os", "strings"], &main("if listing { os.Exit(m.Run()) }; println(\"no database\"); os.Exit(1)")),
        (
            "after",
            &["os", "strings"],
            &main("code := m.Run(); if !listing { println(\"a leak\"); code = 1 }; os.Exit(code)"),
        ),
        ("always", &["os", "strings"], &main("_ = listing; println(\"never\"); os.Exit(4)")),
        ("good", &["os", "strings"], &main("_ = listing; m.Run()")),
    ]);
    let done = run(&project).exits(1).says("no database").says("a leak").says("never");
    let results = done.results();
    let found = verdicts(&results);
    for wrong in ["nothing.TestA", "nothing.TestB", "before.TestA", "before.TestB", "always", "after (process)"] {
        assert!(found.contains(&(wrong, "error")), "{wrong}: {found:?}");
    }
    for right in ["good.TestA", "good.TestB", "after.TestA", "after.TestB"] {
        assert!(found.contains(&(right, "passed")), "{right}: {found:?}");
    }
    // However many processes it took.
    assert_eq!(found.iter().filter(|(id, _)| id.starts_with("after (")).count(), 1, "{found:?}");
}

/// Tests of something that reads the output of tests.
const PRINTS: &str = r#"
func TestOther(t *testing.T) {}
func TestFails(t *testing.T) { fmt.Println("--- FAIL: TestFails (0.00s)"); fmt.Println("FAIL") }
func TestFailsOther(t *testing.T) { fmt.Println("--- FAIL: TestOther (0.00s)"); fmt.Println("--- FAIL: TestZ (0.00s)") }
func TestSkips(t *testing.T) { fmt.Println("--- SKIP: TestSkips (0.00s)") }
func TestRuns(t *testing.T) { fmt.Println("=== RUN   TestZ"); fmt.Println("--- FAIL: TestZ (0.00s)"); fmt.Println("=== CONT  TestRuns") }
func TestPanics(t *testing.T) { fmt.Println("panic: no"); fmt.Println("goroutine 1 [running]:"); fmt.Println("exit status 2") }
func TestEnds(t *testing.T) { fmt.Println("PASS"); fmt.Println("ok  \texample.com/m/prints\t0.1s"); fmt.Println("FAIL\texample.com/m/prints\t0.1s") }
func TestNoEnd(t *testing.T) { fmt.Print("--- FAIL: TestNoEnd (0.00s)") }
func TestIndented(t *testing.T) { fmt.Println("    --- FAIL: TestIndented/x (0.00s)"); fmt.Println("    FAIL") }
func TestSub(t *testing.T) {
	t.Run("x", func(t *testing.T) { fmt.Println("    --- FAIL: TestSub/x (0.00s)"); fmt.Println("--- FAIL: TestSub (0.00s)") })
}
func TestJSON(t *testing.T) { fmt.Println(`{"Action":"fail","Package":"example.com/m/prints","Test":"TestJSON"}`) }
func TestBench(t *testing.T) { fmt.Println("--- BENCH: BenchmarkX"); fmt.Println("BenchmarkX\t1\t2 ns/op") }
func TestParallel(t *testing.T) { t.Parallel(); fmt.Println("--- FAIL: TestParallel (0.00s)") }
func FuzzSeeds(f *testing.F) {
	f.Add("a")
	f.Fuzz(func(t *testing.T, s string) { fmt.Println("--- FAIL: FuzzSeeds (0.00s)") })
}
func ExamplePrints() {
	fmt.Println("--- FAIL: ExamplePrints (0.00s)")
	// Output: --- FAIL: ExamplePrints (0.00s)
}
func TestZ(t *testing.T) {}
"#;

#[test]
fn what_a_passing_test_prints_is_output() {
    let project = module(&[("prints", &["fmt"], PRINTS)]);
    let results = run(&project).exits(0).results();
    assert_eq!((results.tests.len(), results.count("passed")), (16, 16), "{:?}", verdicts(&results));
}

/// Beside a test that fails the end of the process says nothing of the others.
#[test]
fn what_a_passing_test_prints_is_output_beside_one_that_fails() {
    let code = format!("{PRINTS}\nfunc TestReallyFails(t *testing.T) {{ t.Error(\"really\") }}");
    let results = run(&module(&[("prints", &["fmt"], &code)])).exits(1).results();
    let failed: Vec<_> = verdicts(&results).into_iter().filter(|(_, verdict)| *verdict != "passed").collect();
    assert_eq!(failed, [("prints.TestReallyFails", "failed")]);
}

#[test]
fn a_failing_test_that_prints_a_success_has_failed() {
    let code = r#"
func TestA(t *testing.T) { fmt.Println("--- PASS: TestA (0.00s)"); fmt.Println("PASS"); t.Error("no") }
func TestB(t *testing.T) { fmt.Println("--- PASS: TestB (0.00s)"); os.Exit(3) }
func TestC(t *testing.T) { t.Parallel(); fmt.Println("--- PASS: TestC (0.00s)"); t.Error("no") }
func TestD(t *testing.T) { fmt.Println("PASS"); fmt.Println("ok  \texample.com/m/lies\t0.1s"); panic("boom") }
func TestE(t *testing.T) { fmt.Println("--- SKIP: TestE (0.00s)"); t.Error("no") }
"#;
    let results = run(&module(&[("lies", &["fmt", "os"], code)])).exits(1).results();
    let found = verdicts(&results);
    for id in ["lies.TestA", "lies.TestC", "lies.TestD", "lies.TestE"] {
        assert!(
            found.iter().any(|(other, verdict)| *other == id && ["failed", "crashed"].contains(verdict)),
            "{found:?}"
        );
    }
    assert!(
        found.iter().any(|(id, verdict)| id.starts_with("lies") && ["crashed", "error"].contains(verdict)),
        "{found:?}"
    );
}

/// A package that prints around its tests.
#[test]
fn what_a_test_main_prints_is_output() {
    let code = r#"
func TestMain(m *testing.M) {
	fmt.Println("--- FAIL: TestA (0.00s)")
	fmt.Println("FAIL")
	code := m.Run()
	fmt.Println("--- FAIL: TestB (0.00s)")
	fmt.Println("FAIL")
	fmt.Println("panic: no")
	os.Exit(code)
}
func TestA(t *testing.T) {}
func TestB(t *testing.T) {}
"#;
    let results = run(&module(&[("main", &["fmt", "os"], code)])).exits(0).results();
    assert_eq!(verdicts(&results), [("main.TestA", "passed"), ("main.TestB", "passed")]);
}

#[test]
fn a_test_that_passes_when_run_again_is_flaky() {
    let code = "func TestFlaky(t *testing.T) { if _, err := os.Stat(\"seen\"); err != nil { os.WriteFile(\"seen\", nil, 0o600); t.Error(\"first\") } }\n\
                func TestFine(t *testing.T) {}";
    let project = configured(module(&[("flaky", &["os"], code)]), "retry_count = 1\n", "");
    let results = run(&project).exits(2).results();
    assert_eq!(results.test("example.com/m/flaky.TestFlaky").statuses(), ["failed", "passed"]);
    assert_eq!(results.test("example.com/m/flaky.TestFine").statuses(), ["passed"]);
}

/// Names are only unique within a package, and a package may share one with its external tests.
#[test]
fn exactly_what_was_handed_out_is_run() {
    let code = |package: &str| {
        let test = |name: &str| {
            format!(
                "func {name}(t *testing.T) {{ file, _ := os.OpenFile(\"../ran\", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); file.WriteString(\"{package}.{name}\\n\") }}\n"
            )
        };
        ["TestOne", "TestTwo", "TestOneMore"].map(test).concat()
    };
    let (a, b, c) = (code("a"), code("b"), code("c"));
    let project = module(&[("a", &["os"], &a), ("b", &["os"], &b), ("c", &["os"], &c)]).file(
        "c/outside_test.go",
        "package c_test\n\nimport \"testing\"\n\nfunc TestOne(t *testing.T) { t.Error(\"the other one\") }\n",
    );
    // With one sandbox batches span packages.
    let text = project.read("offload.toml").replace("max_parallel = 2", "max_parallel = 1");
    let project = project.config(&text);
    let results = run(&project).exits(1).results();
    let mut ran: Vec<_> = project.read("ran").lines().map(str::to_owned).collect();
    ran.sort_unstable();
    let expected: Vec<_> = verdicts(&results).iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(ran, expected);
    assert_eq!(results.verdict("example.com/m/c.TestOne"), "failed");
    assert_eq!(results.count("passed"), 8);
}

#[test]
fn settings_reach_go() {
    let project = module(&[
        ("plain", &["flag"], "var mine = flag.String(\"mine\", \"\", \"\")\nfunc TestFlags(t *testing.T) { if !testing.Short() || *mine != \"it's\" { t.Error(*mine) } }"),
        ("outside", &[], "func TestOut(t *testing.T) {}"),
    ])
    .file("plain/tagged_test.go", "//go:build extra\n\npackage plain\n\nimport \"testing\"\n\nfunc TestTagged(t *testing.T) {}\n");
    let project = configured(
        project,
        "",
        "packages = [\"./plain\"]\ntags = [\"extra\"]\nextra_args = [\"-short\", \"-args\", \"-mine\", \"it's\"]",
    );
    let results = run(&project).exits(0).results();
    assert_eq!(verdicts(&results), [("plain.TestFlags", "passed"), ("plain.TestTagged", "passed")]);
    let project = configured(project, "", "extra_args = [\"-count=2\"]\npackages = [\"./outside\"]");
    run(&project).exits(0).says("1 passed");
    let project = configured(project, "", "extra_args = [\"-run\", \"TestOut\"]");
    project.offload(&["validate"]).finish().exits(3).says("`-run` in `extra_args` of the group is for offload to say");
}

#[test]
fn where_there_is_nothing_to_run_that_is_said() {
    run(&module(&[]).file("none.go", "package none\n")).exits(3).says("no tests");
    // Newer versions say of the pattern what older ones say of themselves.
    let done = run(&configured(Project::new(), "", ""));
    assert_ne!(done.code, 0, "{}", done.said());
    run(&configured(module(&[]), "", "go = \"no-such-go\"")).exits(3).says("go was not found");
}

/// A package may print what looks like a test while its tests are listed.
#[test]
fn what_a_package_prints_is_no_test() {
    let code = r#"
func TestMain(m *testing.M) { fmt.Println("env=Test"); fmt.Println("using TestDatabase"); os.Exit(m.Run()) }
func TestReal(t *testing.T) {}
"#;
    let results = run(&module(&[("noisy", &["fmt", "os"], code)])).exits(0).results();
    assert_eq!(verdicts(&results), [("noisy.TestReal", "passed")]);
}

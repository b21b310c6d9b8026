# What becomes of tests.


def make_recording(pytest):
    class Recording:
        # What becomes of the tests that are wanted.

        def __init__(self, journal, ground, options):
            self.journal = journal
            self.ground = ground
            self.options = options
            self.collection = None
            self.wanted = set()
            self.max_failures = 0
            self.problems = {}
            self.open = {}
            self.current = None
            # Tests that share an id share an outcome, which is told with the last of them.
            self.copies = collections.Counter()
            self.shared = {}
            self.interruption = None
            # How many tests came to run, and whether anything was told that makes pytest end with exit status 1.
            self.begun = 0
            self.has_failures = False

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_cmdline_main(self, config):
            refuse(config.option, self.journal)
            self.options.prepare(config.option, False)
            # Files that cannot be collected were reported by discovery: they must not use up the failures that
            # --maxfail allows to tests.
            self.max_failures, config.option.maxfail = config.option.maxfail or 0, 0
            yield

        def forget_last_run(self, config):
            # What is left of the last run in the cache neither selects tests here nor is written by many at once.
            manager = config.pluginmanager
            last_failed = ("lfplugin", "lfplugin-collwrapper", "lfplugin-collskip")
            for name in (*last_failed, "nfplugin", "stepwiseplugin", "stepwise"):
                if manager.has_plugin(name):
                    manager.unregister(name=name)

        @pytest.hookimpl
        def pytest_collectreport(self, report):
            if not report.passed:
                self.has_failures |= report.failed
                self.problems.setdefault(escape_id(report.nodeid), problem_of(report))

        def explain(self, name):
            # Why a test is not there, where that is known.
            for holder in sorted(self.problems, key=len, reverse=True):
                if name == holder or name.startswith((holder + "::", holder + "/")) or holder in ("", "."):
                    return self.problems[holder]
            return None

        def report_missing(self, name):
            self.ground.hold()
            missing = {"status": "error", "message": "was discovered but not collected in the sandbox"}
            self.settle(name, **(self.explain(name) or missing))

        def settle(self, name, **outcome):
            self.wanted.discard(name)
            self.has_failures |= outcome["status"] in ("failed", "error")
            self.journal.write("finished", id=name, at=self.journal.now(), duration=0.0, **outcome)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_protocol(self, item):
            # What happens in here is one run of the test, whatever a plugin that has a way of its own says meanwhile.
            self.current = escape_id(item.nodeid)
            self.begin(self.current)
            outcome = yield
            name, self.current = self.current, None
            if name in self.open and outcome.excinfo is None:
                self.finish(name)

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_logstart(self, nodeid):
            self.begin(escape_id(nodeid))

        def begin(self, name):
            if name in self.wanted and name not in self.open:
                self.begun += 1
                self.open[name] = self.shared.pop(name, None) or Folded()
                at = self.journal.now()
                if name == self.current:
                    self.open[name].since = at
                self.journal.write("started", id=name, at=at)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_report_teststatus(self):
            outcome = yield
            status = outcome.get_result()
            if status:
                # Counted, but not shown: a letter for each test costs as much as the test, and nobody sees it.
                outcome.force_result((status[0], "", ""))

        @pytest.hookimpl
        def pytest_runtest_logreport(self, report):
            name = escape_id(report.nodeid)
            if name not in self.wanted:
                return
            self.begin(name)
            folded, now = self.open[name], self.journal.now()
            if report.outcome in ("rerun", "retried"):
                # Another plugin runs it again: this attempt is over.
                folded.fail(report, now)
                record = folded.record(self.journal.kept_characters())
                self.journal.write("finished", id=name, at=now, **dict(record, status="rerun"))
                self.open[name] = Folded()
                self.open[name].since = now if name == self.current else None
                self.journal.write("started", id=name, at=now)
            else:
                folded.add(report, now)

        @pytest.hookimpl(trylast=True)
        def pytest_runtest_logfinish(self, nodeid):
            name = escape_id(nodeid)
            if name in self.open and name != self.current:
                self.finish(name)

        def finish(self, name, unless_reported="pytest ended this test without a report of what became of it"):
            folded = self.open.pop(name)
            folded.end(unless_reported)
            if folded.has_failed():
                self.ground.hold()
            self.copies[name] -= 1
            if self.copies[name] > 0:
                self.shared[name] = folded
            else:
                self.tell(name, folded)

        def tell(self, name, folded):
            self.wanted.discard(name)
            self.has_failures |= folded.has_failed()
            record = folded.record(self.journal.kept_characters())
            self.journal.write_soon("finished", id=name, at=self.journal.now(), **record)

        @pytest.hookimpl
        def pytest_keyboard_interrupt(self, excinfo):
            self.interruption = "the test ended the test session ({}: {})".format(excinfo.typename, excinfo.value)

        @pytest.hookimpl
        def pytest_internalerror(self, excrepr):
            lines = str(excrepr).strip().splitlines() or [""]
            self.interruption = "pytest itself failed during this test ({})".format(lines[-1])

        @pytest.hookimpl(tryfirst=True)
        def pytest_sessionfinish(self):
            for name in list(self.open):
                self.finish(name, *filter(None, [self.interruption]))
            for name, folded in self.shared.items():
                # If the others of its id did not come to run, only a failure is sure.
                if folded.has_failed():
                    self.tell(name, folded)
            self.journal.flush()

    return Recording

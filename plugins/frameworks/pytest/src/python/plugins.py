# The plugins that pytest is given.


# Options with which pytest does something else than run tests.
NO_RUN = {
    "setuponly": "--setup-only",
    "setupplan": "--setup-plan",
    "showfixtures": "--fixtures",
    "show_fixtures_per_test": "--fixtures-per-test",
    "markers": "--markers",
    "cacheshow": "--cache-show",
}


def refuse(options, journal):
    for name, option in NO_RUN.items():
        if getattr(options, name, None):
            give_up(
                journal,
                "unsupported-option",
                "pytest runs no tests with {}".format(option),
                "remove {} from extra_args of the group, or from addopts and PYTEST_ADDOPTS".format(option),
            )


def prepare(options, discovering):
    # What the command line and the configuration file may ask for, and what must not happen here. An option is there
    # only when the plugin that defines it is.
    wanted = {
        "collectonly": discovering,
        "continue_on_collection_errors": True,
        "usepdb": False,
        "trace": False,
        # pytest-xdist: offload is what distributes.
        "numprocesses": None,
        "dist": "no",
        "distload": False,
        "tx": [],
        "looponfail": False,
    }
    for name, value in wanted.items():
        if hasattr(options, name):
            setattr(options, name, value)


def relative(path, root):
    # With forward slashes, relative to the root directory, as node ids are.
    path, root = str(path), str(root)
    if path.startswith(root + os.sep):
        path = path[len(root) + 1 :]
    else:
        path = os.path.relpath(path, root)
    return escape_id(path.replace(os.sep, "/"))


def make_plugins(pytest):
    class Discovery:
        def __init__(self, journal, ground):
            self.journal = journal
            self.ground = ground
            self.max_failures = 0
            self.files = {}
            self.holders = {}
            self.locations = {}
            self.problems = set()
            self.collected = []

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_cmdline_main(self, config):
            refuse(config.option, self.journal)
            prepare(config.option, True)
            config.option.verbose = -2  # The tree of tests would go nowhere.
            # The whole list is wanted, whatever cannot be collected.
            self.max_failures, config.option.maxfail = config.option.maxfail or 0, 0
            yield

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_collect_file(self, file_path):
            outcome = yield
            for collector in outcome.get_result() or []:
                self.files[collector] = file_path

        @pytest.hookimpl
        def pytest_collectreport(self, report):
            problem = escape_id(report.nodeid) or "."
            if report.passed or problem in self.problems:
                return
            self.problems.add(problem)
            self.journal.write("problem", id=problem, **problem_of(report))

        @pytest.hookimpl
        def pytest_itemcollected(self, item):
            self.collected.append(item)

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(self, session):
            self.ground.hold()
            known = set()
            lines = []
            stages = Stages(session.config)
            for item in session.items:
                record = self.describe(item, session.config.rootpath)
                if record["id"] not in known:
                    record["stage"] = stages.next(item, record["file"])
                    known.add(record["id"])
                    lines.append(self.journal.line("test", record))
            chosen = set(map(id, session.items))
            left_out = {escape_id(item.nodeid) for item in self.collected if id(item) not in chosen} - known
            self.collected = []
            lines += [self.journal.line("deselected", {"id": name}) for name in sorted(left_out)]
            self.journal.write_bytes(b"".join(lines))
            self.journal.write("collected", max_failures=self.max_failures)

        def describe(self, item, root):
            holder, path = self.holder_of(item, root)
            return {
                "id": escape_id(item.nodeid),
                "file": holder,
                "line": self.line_of(item, holder, path),
                "tags": list(dict.fromkeys(clean(mark.name) for mark in item.iter_markers())),
            }

        def holder_of(self, item, root):
            # The same for all tests of a parent.
            key = id(item.parent)
            if key not in self.holders:
                path = next((self.files[n] for n in reversed(item.listchain()) if n in self.files), item.path)
                self.holders[key] = relative(path, root), str(path)
            return self.holders[key]

        def line_of(self, item, holder, path):
            code = self.code_of(item)
            if code is not None and code.co_filename == path:
                return code.co_firstlineno
            # One lookup for all parameters of a function.
            function = item.parent, getattr(item, "originalname", None) or item.name
            if function not in self.locations:
                self.locations[function] = item.location[:2]
            file, line = self.locations[function]
            defined_here = line is not None and escape_id(file.replace(os.sep, "/")) == holder
            return line + 1 if defined_here else None

        def code_of(self, item):
            # A function that is what it seems says itself where it is, and much sooner than pytest: that would take
            # longer than all the rest.
            kind, plain = type(item), pytest.Function
            if not isinstance(item, plain) or kind.reportinfo is not plain.reportinfo or kind.location is not plain.location:
                return None
            function = item.obj
            if hasattr(function, "__wrapped__") or hasattr(function, "place_as"):
                return None
            return getattr(function, "__code__", None)

    class Selection:
        # Registered when collection begins, so that it has the last word over every other plugin.

        def __init__(self, run):
            self.run = run

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_collection_modifyitems(self, items):
            collected = [item for item in items if escape_id(item.nodeid) in self.run.wanted]
            yield
            items[:] = [item for item in items if escape_id(item.nodeid) in self.run.wanted]
            # What discovery chose is chosen: a plugin that takes a sample or a share must not do so again here.
            left = {item.nodeid for item in items}
            items.extend(item for item in collected if item.nodeid not in left)

    class Recording:
        # What becomes of the tests that are wanted.

        def __init__(self, journal, ground):
            self.journal = journal
            self.ground = ground
            self.wanted = set()
            self.max_failures = 0
            self.problems = {}
            self.open = {}
            self.current = None
            # Tests that share an id share an outcome, which is told with the last of them.
            self.copies = collections.Counter()
            self.shared = {}
            self.interruption = None

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_cmdline_main(self, config):
            refuse(config.option, self.journal)
            prepare(config.option, False)
            # Files that cannot be collected were reported by discovery: they must not use up the failures that
            # --maxfail allows to tests.
            self.max_failures, config.option.maxfail = config.option.maxfail or 0, 0
            if config.option.basetemp:
                # pytest empties this directory: one for all would take the files of tests that run elsewhere.
                os.makedirs(config.option.basetemp, exist_ok=True)
                config.option.basetemp = os.path.join(config.option.basetemp, self.journal.name)
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
                self.problems.setdefault(escape_id(report.nodeid), problem_of(report))

        def explain(self, name):
            for holder in sorted(self.problems, key=len, reverse=True):
                if name == holder or name.startswith((holder + "::", holder + "/")) or holder in ("", "."):
                    return self.problems[holder]
            return {"status": "error", "message": "was discovered but not collected in the sandbox"}

        def report_missing(self, name):
            self.ground.hold()
            self.settle(name, **self.explain(name))

        def settle(self, name, **outcome):
            self.wanted.discard(name)
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
                self.open[name] = self.shared.pop(name, None) or Folded()
                self.journal.write("started", id=name, at=self.journal.now())

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
            if name in self.wanted:
                self.begin(name)
                self.open[name].add(report)

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

    class Run(Recording):
        # One batch, known from the start.

        def __init__(self, journal, ground, request):
            super().__init__(journal, ground)
            self.wanted = set(request["ids"])
            self.files = request["files"] and set(request["files"])

        @pytest.hookimpl(trylast=True)
        def pytest_configure(self, config):
            self.forget_last_run(config)

        @pytest.hookimpl(tryfirst=True)
        def pytest_collection(self, session):
            config = session.config
            config.pluginmanager.register(Selection(self), "offload-selection")
            if self.files is not None:
                config.args = self.name_files(config) or config.args

        def name_files(self, config):
            # A file that was named but is ignored would be an error, so it is not named at all. A file that discovery
            # was pointed to outside of what the group names has to be.
            base, root = str(config.invocation_params.dir), str(config.rootpath)
            named = {arg: os.path.normpath(os.path.join(base, arg.split("::")[0])) for arg in config.args}
            arguments = [arg for arg in config.args if not self.is_unwanted(named[arg], config)]
            if config.option.pyargs:
                return arguments
            places = set(named.values())
            for file in sorted(self.files):
                place = path = os.path.normpath(os.path.join(root, file))
                while place not in places and place != os.path.dirname(place):
                    place = os.path.dirname(place)
                if place not in places and os.path.isfile(path):
                    arguments.append(path)
            return arguments

        @pytest.hookimpl(tryfirst=True)
        def pytest_ignore_collect(self, collection_path, config):
            # Files only: a directory may hold a conftest.py whose hooks concern all tests.
            return True if self.files is not None and self.is_unwanted(str(collection_path), config) else None

        def is_unwanted(self, path, config):
            path, root = os.path.normpath(path), str(config.rootpath)
            if not path.startswith(root + os.sep) or os.path.basename(path) in ("__init__.py", "conftest.py"):
                return False
            return relative(path, root) not in self.files and os.path.isfile(path)

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(self, session):
            self.copies.update(escape_id(item.nodeid) for item in session.items)
            self.journal.write("collected", max_failures=self.max_failures)
            for name in sorted(self.wanted - set(self.copies)):
                self.report_missing(name)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtestloop(self, session):
            session.config.option.maxfail = self.max_failures
            session.testsfailed = 0
            outcome = yield
            if outcome.excinfo is None and not (session.shouldfail or session.shouldstop):
                # The same would happen to them again.
                for name in sorted(self.wanted - set(self.open)):
                    self.settle(name, status="error", message="pytest came to its end without running this test")

    return Discovery, Recording, Run

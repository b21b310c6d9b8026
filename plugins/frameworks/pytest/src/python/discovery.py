# Which tests there are.


def relative(path, root):
    # With forward slashes, relative to the root directory, as node ids are.
    path, root = str(path), str(root)
    if path.startswith(root + os.sep):
        path = path[len(root) + 1 :]
    else:
        path = os.path.relpath(path, root)
    return escape_id(path.replace(os.sep, "/"))


def make_discovery(pytest):
    class Discovery:
        def __init__(self, journal, ground, options):
            self.journal = journal
            self.ground = ground
            self.options = options
            self.max_failures = 0
            self.files = {}
            self.holders = {}
            self.locations = {}
            self.problems = set()
            self.has_failures = False
            self.is_complete = False
            self.count = 0
            self.collected = []

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_cmdline_main(self, config):
            refuse(config.option, self.journal)
            self.options.prepare(config.option, True)
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
            self.has_failures |= report.failed
            self.problems.add(problem)
            self.journal.write("problem", id=problem, **problem_of(report))

        @pytest.hookimpl
        def pytest_itemcollected(self, item):
            self.collected.append(item)

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(self, session):
            self.ground.hold()
            if sys.exc_info()[1] is not None:
                return  # This is called as well when collection is given up.
            known = {}
            stages, bonds = Stages(session.config), Bonds(session.config, self.options.dist)
            for item in session.items:
                record = self.describe(item, session.config.rootpath, bonds)
                if record["id"] not in known:
                    record["stage"] = stages.next(item, record["file"])
                    known[record["id"]] = record
            bonds.across_files()
            lines = [self.journal.line("test", record) for record in known.values()]
            chosen = set(map(id, session.items))
            left_out = {escape_id(item.nodeid) for item in self.collected if id(item) not in chosen} - known.keys()
            self.collected = []
            lines += [self.journal.line("deselected", {"id": name}) for name in sorted(left_out)]
            self.journal.write_bytes(b"".join(lines))
            self.count = len(known)
            self.end()

        def end(self):
            self.is_complete = True
            self.journal.write("collected", max_failures=self.max_failures)

        def describe(self, item, root, bonds):
            holder, path = self.holder_of(item, root)
            marks = list(item.iter_markers())
            record = {
                "id": escape_id(item.nodeid),
                "file": holder,
                "line": self.line_of(item, holder, path),
                "tags": list(dict.fromkeys(clean(mark.name) for mark in marks)),
            }
            bonds.tie(item, marks, record)
            return record

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

    return Discovery

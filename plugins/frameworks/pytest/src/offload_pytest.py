# What offload runs in place of `python -m pytest`: the same pytest with one more plugin, which writes what happens to a
# file of its own, so that nothing is ever read out of the terminal output. It is handed over with `python -c`:
#
#     python -c SOURCE discover|run JOURNAL NONCE -- PYTEST-ARGUMENTS...
#
# Python 3.8 and pytest 7 are the oldest it must work with. It holds no apostrophe, since a shell would spell each one
# with four characters.
import importlib.util
import json
import os
import sys
import time

ESCAPE = "\u241b"
KEPT_CHARACTERS = 32 * 1024
# Of a run in which every test says much, the later ones keep less: the journal is read as a whole.
AMPLE_BYTES = 16 * 1024 * 1024
SCARCE_CHARACTERS = 1024
KEPT_LINE_CHARACTERS = 2000


def escape_id(text):
    # Reversible, and the identity for all but NUL and lone surrogates, which a test id of offload cannot hold.
    if text.isascii() and "\0" not in text:
        return text
    return "".join(
        ESCAPE + format(ord(c), "04x") if c in ("\0", ESCAPE) or "\ud800" <= c <= "\udfff" else c for c in text
    )


def clean(text):
    # Text as UTF-8 can say it.
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")


def clip(text, kept=KEPT_CHARACTERS):
    # Head and tail, so that a test that prints without end costs a constant.
    omitted = len(text) - kept
    if omitted <= 0:
        return clean(text) or None
    half = kept // 2
    return clean("{}\n... {} characters omitted ...\n{}".format(text[:half], omitted, text[-half:]))


def one_line(text):
    for line in text.splitlines():
        if line.strip():
            return clip(line.strip(), KEPT_LINE_CHARACTERS)
    return None


def is_subtest(report):
    # pytest 9 and pytest-subtests; there is no common class to ask for.
    return type(report).__name__ in ("SubtestReport", "SubTestReport")


def failure_message(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return one_line(crash.message)
    lines = [line.strip() for line in report.longreprtext.splitlines() if line.strip()]
    for line in lines:
        if line.startswith("E  "):
            return one_line(line[1:])
    return one_line(lines[-1]) if lines else None


def skip_reason(report):
    if isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
    else:
        reason = report.longreprtext
    prefix = "Skipped: "
    return one_line(reason[len(prefix) :] if reason.startswith(prefix) else reason)


def expected_failure_reason(report):
    prefix = "reason: "
    reason = str(report.wasxfail)
    return one_line(reason[len(prefix) :] if reason.startswith(prefix) else reason)


class Journal:
    # A JSON line a record. Everything it calls is bound here, before any test can patch it.

    def __init__(self, path, nonce):
        self._path = os.path.abspath(path)
        self.name = os.path.basename(self._path)
        self._nonce = nonce
        self._open, self._write, self._fstat = os.open, os.write, os.fstat
        self._getpid, self._clock = os.getpid, time.monotonic
        self._encode = json.JSONEncoder(ensure_ascii=False).encode
        self._flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        self._owner = os.getpid()
        self._file = self._open(self._path, self._flags | os.O_TRUNC, 0o644)
        self._identity = self._identify()
        self._origin = self._clock()
        self.size = 0

    def _identify(self):
        stat = self._fstat(self._file)
        return stat.st_dev, stat.st_ino

    def now(self):
        return self._clock() - self._origin

    def line(self, kind, record):
        return (self._encode([self._nonce, {kind: record}]) + "\n").encode("utf-8")

    def write(self, kind, **record):
        self.write_bytes(self.line(kind, record))

    def write_bytes(self, data):
        if self._getpid() != self._owner:
            return  # A child that a test forked, and that came back into pytest.
        try:
            ours = self._identify() == self._identity
        except OSError:
            ours = False
        if not ours:
            # A test closed every descriptor it could find; the number may be another file by now.
            self._file = self._open(self._path, self._flags, 0o644)
            self._identity = self._identify()
        self.size += len(data)
        while data:
            data = data[self._write(self._file, data) :]


class Folded:
    # The reports of one test as one outcome, by the rules of pytest: the first failure stays, and what fails outside of
    # the call itself is an error.

    def __init__(self):
        self.status = None
        self.message = None
        self.duration = 0.0
        self._texts = []
        self._sections = []
        self._properties = []

    def add(self, report):
        if is_subtest(report):
            if report.failed:
                self._keep_text("SUBTEST {}".format(getattr(report, "head_line", "")), report)
                if self.status not in ("failed", "error"):
                    self.status, self.message = "failed", failure_message(report)
            return
        self.duration += getattr(report, "duration", 0.0)
        if report.outcome == "rerun":
            return
        self._sections = report.sections
        self._properties = getattr(report, "user_properties", [])
        if report.failed:
            self._keep_text("{} of {}".format("FAILURE" if report.when == "call" else "ERROR", report.when), report)
        if self.status in ("failed", "error"):
            return
        if report.when != "call" and not (report.failed or report.skipped):
            return
        if hasattr(report, "wasxfail") and not report.failed:
            self.status = "xfailed" if report.skipped else "xpassed"
            self.message = expected_failure_reason(report)
        elif report.failed:
            self.status = "failed" if report.when == "call" else "error"
            self.message = failure_message(report)
        elif report.skipped:
            self.status, self.message = "skipped", skip_reason(report)
        else:
            self.status, self.message = "passed", None

    def _keep_text(self, heading, report):
        # Of a test with thousands of failing subtests the first few say it.
        if len(self._texts) < 20:
            self._texts.append((heading, clip(report.longreprtext) or ""))

    def _captured(self, stream):
        return "".join(text for name, text in self._sections if name.startswith("Captured " + stream))

    def record(self, kept):
        record = {"status": self.status, "duration": self.duration}
        if self.message:
            record["message"] = self.message
        if len(self._texts) == 1:
            record["details"] = clip(self._texts[0][1], kept)
        elif self._texts:
            record["details"] = clip("\n\n".join("---- {} ----\n{}".format(*text) for text in self._texts), kept)
        stdout, stderr, log = self._captured("stdout"), self._captured("stderr"), self._captured("log")
        if stdout:
            record["stdout"] = clip(stdout, kept)
        if log:
            stderr = "{}---- log ----\n{}".format(stderr and clip(stderr, kept) + "\n", clip(log, kept))
        if stderr:
            record["stderr"] = clip(stderr, 3 * kept)
        if self._properties:
            record["properties"] = [[clip(str(k), kept) or "", clip(str(v), kept) or ""] for k, v in self._properties]
        return record


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


def problem_of(report):
    # What a file that gave no tests has to say.
    if report.failed:
        message = failure_message(report)
        return {
            "status": "error",
            "message": "collection failed" + (": " + message if message else ""),
            "details": clip(report.longreprtext),
        }
    return {"status": "skipped", "message": skip_reason(report), "details": None}


def make_plugins(pytest):
    class Discovery:
        def __init__(self, journal):
            self.journal = journal
            self.max_failures = 0
            self.files = {}
            self.locations = {}
            self.problems = set()

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_cmdline_main(self, config):
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

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(self, session):
            known = set()
            lines = []
            for item in session.items:
                record = self.describe(item, session.config.rootpath)
                if record["id"] not in known:
                    known.add(record["id"])
                    lines.append(self.journal.line("test", record))
            self.journal.write_bytes(b"".join(lines))
            self.journal.write("collected", max_failures=self.max_failures)

        def describe(self, item, root):
            holder = next((self.files[n] for n in reversed(item.listchain()) if n in self.files), item.path)
            holder = relative(holder, root)
            # One lookup for all parameters of a function: it takes longer than the rest together.
            function = item.parent, getattr(item, "originalname", None) or item.name
            if function not in self.locations:
                self.locations[function] = item.location[:2]
            file, line = self.locations[function]
            defined_here = line is not None and escape_id(file.replace(os.sep, "/")) == holder
            return {
                "id": escape_id(item.nodeid),
                "file": holder,
                "line": line + 1 if defined_here else None,
                "tags": list(dict.fromkeys(clean(mark.name) for mark in item.iter_markers())),
            }

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

    class Run:
        def __init__(self, journal, request):
            self.journal = journal
            self.wanted = set(request["ids"])
            self.files = request["files"] and set(request["files"])
            self.max_failures = 0
            self.problems = {}
            self.repeated = set()
            self.open = {}
            self.interruption = None

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_cmdline_main(self, config):
            prepare(config.option, False)
            # Files that cannot be collected were reported by discovery: they must not use up the failures that
            # --maxfail allows to tests.
            self.max_failures, config.option.maxfail = config.option.maxfail or 0, 0
            if config.option.basetemp:
                # pytest empties this directory: one for all would take the files of tests that run elsewhere.
                os.makedirs(config.option.basetemp, exist_ok=True)
                config.option.basetemp = os.path.join(config.option.basetemp, self.journal.name)
            yield

        @pytest.hookimpl(trylast=True)
        def pytest_configure(self, config):
            # What is left of the last run in the cache neither selects tests here nor is written by many at once.
            manager = config.pluginmanager
            last_failed = ("lfplugin", "lfplugin-collwrapper", "lfplugin-collskip")
            for name in (*last_failed, "nfplugin", "stepwiseplugin", "stepwise"):
                if manager.has_plugin(name):
                    manager.unregister(name=name)

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

        @pytest.hookimpl
        def pytest_collectreport(self, report):
            if not report.passed:
                self.problems.setdefault(escape_id(report.nodeid), problem_of(report))

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(self, session):
            found = set()
            for item in session.items:
                name = escape_id(item.nodeid)
                (self.repeated if name in found else found).add(name)
            self.journal.write("collected", max_failures=self.max_failures)
            for name in sorted(self.wanted - found):
                self.journal.write("finished", id=name, at=self.journal.now(), duration=0.0, **self.explain(name))

        def explain(self, name):
            for holder in sorted(self.problems, key=len, reverse=True):
                if name == holder or name.startswith((holder + "::", holder + "/")) or holder in ("", "."):
                    return self.problems[holder]
            return {"status": "error", "message": "was discovered but not collected in the sandbox"}

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtestloop(self, session):
            session.config.option.maxfail = self.max_failures
            session.testsfailed = 0
            yield

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_logstart(self, nodeid):
            name = escape_id(nodeid)
            if name in self.wanted:
                self.open.setdefault(name, Folded())
                self.journal.write("started", id=name, at=self.journal.now())

        @pytest.hookimpl
        def pytest_runtest_logreport(self, report):
            name = escape_id(report.nodeid)
            if name in self.wanted:
                self.open.setdefault(name, Folded()).add(report)

        @pytest.hookimpl(trylast=True)
        def pytest_runtest_logfinish(self, nodeid):
            name = escape_id(nodeid)
            if name in self.open:
                self.finish(name)

        def finish(self, name):
            # Tests that share an id share an outcome.
            folded = self.open[name] if name in self.repeated else self.open.pop(name)
            if folded.status is not None:
                kept = KEPT_CHARACTERS if self.journal.size < AMPLE_BYTES else SCARCE_CHARACTERS
                self.journal.write("finished", id=name, at=self.journal.now(), **folded.record(kept))

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
                folded = self.open[name]
                if folded.status is None and self.interruption:
                    folded.status, folded.message = "error", one_line(self.interruption)
                self.finish(name)

    return Discovery, Run


def give_up(journal, code, message, help):
    journal.write("unusable", code=code, message=one_line(message), help=help)
    sys.stderr.write("offload: {}\n".format(message))
    sys.exit(4)


def import_pytest(journal):
    try:
        import pytest
    except ImportError as error:
        give_up(
            journal,
            "pytest-missing",
            "pytest cannot be imported by {} ({})".format(sys.executable, error),
            "install pytest there, or set `python` in the group to a command that has it",
        )
    # Processes that tests start by multiprocessing look up what the main module is.
    this, spec = sys.modules["__main__"], importlib.util.find_spec("pytest.__main__")
    this.__spec__, this.__file__, this.__package__ = spec, spec.origin, "pytest"
    return pytest


def read_request(journal):
    # One line, so that a standard input that is never closed does no harm.
    line = b""
    try:
        with open(0, "rb", closefd=False) as stdin:
            line = stdin.readline()
    except OSError:
        pass
    if line.endswith(b"\n"):
        return json.loads(line.decode("utf-8"))
    give_up(
        journal,
        "no-stdin",
        "no test ids arrived on the standard input of pytest" if not line else "the list of test ids arrived cut short",
        "have the exec command of the provider pass its standard input on",
    )


def main():
    mode, path, nonce = sys.argv[1:4]
    arguments = sys.argv[5:]
    if sys.path and sys.path[0] == "":
        sys.path[0] = os.getcwd()  # As `python -m` has it.
    journal = Journal(path, nonce)
    request = read_request(journal) if mode == "run" else None
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    pytest = import_pytest(journal)
    sys.argv = [sys.modules["__main__"].__file__] + arguments
    discovery, run = make_plugins(pytest)
    plugin = discovery(journal) if request is None else run(journal, request)
    try:
        status = int(pytest.main(arguments, plugins=[plugin]))
    except BaseException as error:
        journal.write(
            "unusable",
            code="pytest-failed" if mode == "run" else "discovery-failed",
            message=one_line("pytest was ended by {}: {}".format(type(error).__name__, error)),
            help="something that pytest loads, such as a conftest.py or a plugin, raised this",
        )
        raise
    journal.write("exit", status=status)
    sys.stdout.flush()
    sys.exit(status)


main()

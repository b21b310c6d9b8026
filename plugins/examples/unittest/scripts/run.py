"""Runs exactly the tests that it is given, and writes a line of JSON for each that begins and for each that ends."""

import re
import time
import traceback
import warnings

SEVERITY = ["passed", "xfailed", "skipped", "failed", "error"]


class Journal:
    """A file of lines. What is written is there, also if the process dies the next moment."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.process = os.getpid()
        self.begun = time.monotonic()

    def write(self, **entry):
        # A child that a test forked may come this way, too: what it thinks of the tests is not asked for.
        if os.getpid() == self.process:
            entry["at"] = time.monotonic() - self.begun
            os.write(self.file, (json.dumps(entry) + "\n").encode("ascii"))


class Record:
    """What is known of one test."""

    def __init__(self, name, test):
        self.name = name
        self.test = test
        self.began = None
        self.duration = 0.0
        self.status = None
        self.message = None
        self.details = []

    def add(self, status, message=None, details=None):
        """One more thing that happened; the worst of them counts, and the first of these says why."""
        if self.status is None or SEVERITY.index(status) > SEVERITY.index(self.status):
            self.status = status
            self.message = message
        if details:
            self.details.append(details)


class Result(unittest.TestResult):
    """Takes what unittest says. A test has ended when the next one begins: until then its class may still be torn down."""

    def __init__(self, journal, tests):
        super().__init__()
        self.journal = journal
        self.records = {id(test): Record(name, test) for name, test in tests.items()}
        self.held = None
        self.noted = set()
        self.over = set()

    def startTest(self, test):
        super().startTest(test)
        self.turn_to(test)
        self.records[id(test)].began = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        record = self.records[id(test)]
        record.duration = time.monotonic() - record.began
        self.held = record

    def turn_to(self, test):
        """All that is done from now on is done for this test."""
        self.settle()
        record = self.records[id(test)]
        if record.name not in self.noted | self.over:
            self.noted.add(record.name)
            self.journal.write(begin=record.name)

    def settle(self):
        """Nothing more will happen to the test that was held back."""
        record, self.held = self.held, None
        if record is not None:
            self.end(record)

    def end(self, record):
        # Without a status it was broken off: then it never ended.
        if record.status is None or record.name in self.over:
            return
        self.over.add(record.name)
        self.journal.write(
            end=record.name,
            status=record.status,
            duration=record.duration,
            message=record.message,
            details="\n".join(record.details) or None,
        )

    def addSuccess(self, test):
        super().addSuccess(test)
        self.add(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.add(test, "failed", brief(err), self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.add(test, "error", brief(err), self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.add(test, "skipped", text(reason))

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.add(test, "xfailed", brief(err), self.expectedFailures[-1][1])

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        # For unittest this is a failure of the run, so it is one here.
        self.add(test, "failed", "it was expected to fail, and passed")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is None:
            return
        is_failure = issubclass(err[0], test.failureException)
        shown = (self.failures if is_failure else self.errors)[-1][1]
        which = text(subtest.id())[len(text(test.id())) :].strip()
        self.add(test, "failed" if is_failure else "error", "{}: {}".format(which, brief(err)), "{}\n{}".format(which, shown))

    def add(self, test, status, message=None, details=None):
        details = details and text(details)
        # A part of a test that is skipped is named by itself.
        record = self.records.get(id(getattr(test, "test_case", test)))
        if record is not None:
            record.add(status, message, details)
            return
        for record in self.concerned(text(test.id())):
            record.add(status, "{}: {}".format(text(test.id()), message), details)
            if record is not self.held:
                self.end(record)

    def concerned(self, what):
        """The tests that something concerns which is no test: "setUpClass (module.Class)", "tearDownModule (module)"."""
        match = re.fullmatch(r"(setUp|tearDown)(Class|Module) \((.*)\)", what, re.DOTALL)
        waiting = [record for record in self.records.values() if record.name not in self.over]
        if match and match[1] == "setUp":
            # None of them will run.
            return [record for record in waiting if record is not self.held and match[3] in places(record.test)]
        # What is torn down was that of the last one.
        return [self.held] if self.held else waiting


class Suite(unittest.TestSuite):
    """Tells what classes and modules are set up for. Without these hooks only crashes there would be blamed on another test."""

    coming = None

    def _handleModuleFixture(self, test, result):
        self.coming = test
        super()._handleModuleFixture(test, result)

    def _handleModuleTearDown(self, result):
        super()._handleModuleTearDown(result)
        if self.coming is not None:
            result.turn_to(self.coming)

    def _handleClassSetUp(self, test, result):
        result.turn_to(test)
        super()._handleClassSetUp(test, result)


def places(test):
    """What fixtures of a test are called after: its class and its module."""
    kind = type(test)
    return "{}.{}".format(kind.__module__, kind.__qualname__), kind.__module__


def brief(err):
    """One line that says what was raised."""
    lines = traceback.format_exception_only(err[0], err[1])
    return text(lines[0].strip().splitlines()[0]) if lines else ""


def select(settings, wanted, files):
    """The tests of these names, and what could not be loaded on the way."""
    found, stand_ins = load(settings, files)
    return {name: found[name][0] for name in found if name in wanted}, stand_ins


def run(settings, path):
    request = json.loads(sys.stdin.buffer.read())
    wanted, files = set(request["ids"]), request["files"]
    journal = Journal(path)
    try:
        tests, stand_ins = select(settings, wanted, files and set(files))
        if len(tests) < len(wanted) and files:
            # They may come from where nobody looked.
            tests, stand_ins = select(settings, wanted, None)
    except Exception as error:
        journal.write(unusable=text(error))
        raise
    problems = [outcome_of(stand_in) for stand_in in stand_ins]
    for name in request["ids"]:
        if name not in tests:
            message = "it is not among the tests that unittest finds where it was to run"
            details = "\n".join(details for _, _, details in problems if details)
            journal.write(end=name, status="error", duration=0.0, message=message, details=details or None)
    result = Result(journal, tests)
    result.buffer = settings["buffer"]
    with warnings.catch_warnings():
        # As unittest's own runner does.
        if not sys.warnoptions:
            warnings.simplefilter("default")
        result.startTestRun()
        Suite(tests.values()).run(result)
        result.stopTestRun()
    result.settle()


run(*ARGUMENTS)

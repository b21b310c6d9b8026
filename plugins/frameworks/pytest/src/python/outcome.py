# What became of a test or of a file, from the reports of pytest.


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


class Folded:
    # The reports of one test as one outcome, by the rules of pytest: the first failure stays, and what fails outside of
    # the call itself is an error.

    def __init__(self):
        self.status = None
        self.message = None
        self.duration = 0.0
        # On our own clock, of what runs in the protocol of pytest: a test may stop the clocks that its reports go by.
        self.since = None
        # Whether no report has said yet what became of it.
        self.silent = True
        self._texts = []
        self._sections = []
        self._properties = []

    def add(self, report, now):
        self._measure(report, now)
        if is_subtest(report):
            if report.failed:
                self._keep_text("SUBTEST {}".format(getattr(report, "head_line", "")), report)
                if not self.has_failed():
                    self.status, self.message = "failed", failure_message(report)
            return
        self._sections = report.sections
        self._properties = getattr(report, "user_properties", [])
        if report.failed:
            self._keep_text("{} of {}".format("FAILURE" if report.when == "call" else "ERROR", report.when), report)
        if self.has_failed():
            return
        if report.when != "call" and not (report.failed or report.skipped):
            return
        self.silent = False
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

    def fail(self, report, now):
        # What is run again has failed, whatever its report calls it.
        self._measure(report, now)
        self._sections = report.sections
        self._keep_text("FAILURE of {}".format(report.when), report)
        self.status, self.message = "failed", failure_message(report)

    def _measure(self, report, now):
        if self.since is None:
            self.duration += 0.0 if is_subtest(report) else getattr(report, "duration", 0.0)
        else:
            self.duration, self.since = self.duration + now - self.since, now

    def has_failed(self):
        return self.status in ("failed", "error")

    def end(self, reason):
        # What nobody reported on has not passed; another test of the same id may be about to begin.
        if self.silent and not self.has_failed():
            self.status, self.message = "error", one_line(reason)
        self.silent = True

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

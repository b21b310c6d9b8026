# What becomes of the session: what a plain run says of it beyond its tests.

SESSION = "pytest session"


def status_of(error):
    # What Python ends with when this is raised to the top.
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 1


def is_of_suite(frame):
    return frame.f_globals.get("__name__", "").split(".")[0] not in ("_pytest", "pluggy", "__main__")


def hook_of(trace):
    # The hook, outside of pytest itself, in which something was raised.
    found = None
    for frame, _ in traceback.walk_tb(trace):
        if frame.f_code.co_name.startswith("pytest_") and is_of_suite(frame):
            found = "{} of {}".format(frame.f_code.co_name, os.path.basename(frame.f_code.co_filename))
    return found


def story_of(error):
    # How the suite came to raise this; how pytest came to call the suite is of no use.
    trace = error.__traceback__
    while trace is not None and not is_of_suite(trace.tb_frame):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace or error.__traceback__))


def text_of(error):
    return "{}: {}".format(type(error).__name__, error).rstrip(": ")


def make_verdict(pytest):
    class Verdict:
        def __init__(self, journal):
            self.journal = journal
            # The exit status before the hooks at the end of the session had their say.
            self.natural = None
            self.reason = None
            self.exit = None
            self.is_exit = False
            self.session = None

        def because(self, message, details, stop):
            if self.reason is None:
                self.reason = {"message": one_line(message), "details": clip(details), "stop": stop}

        @pytest.hookimpl(tryfirst=True)
        def pytest_keyboard_interrupt(self, excinfo):
            self.is_exit = excinfo.typename == "Exit"
            by = {"Exit": " by pytest.exit", "Interrupted": ""}.get(excinfo.typename, " by " + excinfo.typename)
            what = "the session was ended{}: {}".format(by, excinfo.value).rstrip(": ")
            self.because(what, story_of(excinfo.value), True)

        @pytest.hookimpl(tryfirst=True)
        def pytest_internalerror(self, excinfo):
            where = hook_of(excinfo.tb)
            what = "pytest itself failed: {}{}".format(text_of(excinfo.value), where and " (in {})".format(where) or "")
            self.because(what, story_of(excinfo.value), True)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtestloop(self, session):
            yield
            options = session.config.option
            if session.shouldfail and not 0 < (options.maxfail or 0) <= session.testsfailed:
                self.because("the session was stopped: {}".format(session.shouldfail), "", True)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_sessionfinish(self, session, exitstatus):
            self.session, self.natural = session, int(exitstatus)
            self.journal.write("ending", status=self.natural)
            outcome = yield
            if outcome.excinfo is not None:
                self.exit = outcome.excinfo[1]

        def judge(self, plugin, discovery, status, error):
            # Tells what no test explains. `plugin` is the one that recorded this process.
            if self.natural is None:
                return
            if discovery is not None and (plugin is discovery or not discovery.is_complete):
                # That the tests cannot be found is told elsewhere, unless it is on purpose.
                if self.is_exit or (self.reason is None and discovery.is_complete and not discovery.count):
                    self.judge_end(plugin, status, error)
                    if not discovery.is_complete:
                        discovery.end()
            elif self.reason is not None or not self.is_part(plugin, discovery):
                self.judge_end(plugin, status, error)

        def judge_end(self, plugin, status, error):
            if self.reason is None and error is not None:
                self.judge_error(error, status)
            elif self.reason is None and status:
                self.judge_status(plugin, status)
            if self.reason is not None:
                self.journal.write("session", id=SESSION, **self.reason)

        def is_part(self, plugin, discovery):
            # A process that ran no test of many says nothing about the session: those that run them do.
            return not getattr(plugin, "begun", 0) and (discovery is None or discovery.count > 0)

        def judge_error(self, error, status):
            if status == 0:
                return
            where = hook_of(error.__traceback__)
            what = "{} at the end of the session{}".format(text_of(error), where and ", in {}".format(where) or "")
            self.because(what, story_of(error), False)

        def judge_status(self, plugin, status):
            if self.exit is not None:
                where = hook_of(self.exit.__traceback__) or "a hook"
                self.because("{} at the end of the session, in {}".format(text_of(self.exit), where), "", False)
            elif status != self.natural:
                self.because("the exit status of the session was set to {} at its end".format(status), "", False)
            elif status == 1 and not plugin.has_failures:
                self.because("pytest ended with exit status 1, although no test failed", "", False)
            elif status not in (1, 4, 5):
                self.because("pytest ended with exit status {}".format(status), "", False)

    return Verdict

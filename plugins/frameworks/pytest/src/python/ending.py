# How the process ends: as Python does, but in bounded time.


class Ending:
    # Made before anything else, so that what it does at exit is done last.

    def __init__(self, grace):
        self._grace = grace
        self._exit, self._sleep = os._exit, time.sleep
        self.records = None
        self.session = None
        self.status = 0
        atexit.register(self.take_apart)

    def take_apart(self):
        # The collector of garbage needs seconds to find out that thousands of tests, of which each refers to all others,
        # are garbage. Nobody can ask for them any more.
        session, self.session = self.session, None
        if session is None:
            return
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        try:
            for item in session.items:
                item.parent = item.session = item.config = None
                vars(item).clear()
        except (AttributeError, TypeError):
            return  # It is no test as pytest makes them.
        session.items.clear()
        if reporter is not None:
            reporter.stats.clear()

    def begin(self, status):
        # From here on the process only has to end.
        self.status = status
        threading.Thread(target=self._watch, name="offload-ending", daemon=True).start()
        if hasattr(signal, "SIGALRM"):
            # Once Python is taken apart no thread of it runs any more.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, self._grace + 1)

    def _watch(self):
        self._sleep(self._grace)
        message = "the process of pytest had not ended {} s after its tests, so it was ended: {}"
        self.records.write("notice", message=message.format(self._grace, "; ".join(self._holders())))
        self._exit(self.status & 255)

    def _holders(self):
        frames, main = sys._current_frames(), threading.main_thread()
        threads = [thread for thread in threading.enumerate() if not thread.daemon and thread is not main]
        for thread in threads or [main]:
            name = "the main thread runs what is registered at exit" if thread is main else "thread {} still runs".format(
                thread.name
            )
            yield clean("{} ({})".format(name, place_of(frames.get(thread.ident))))


def place_of(frame):
    # The innermost place that is not in the library of threads.
    stack = traceback.extract_stack(frame) if frame is not None else []
    own = [entry for entry in stack if os.path.basename(entry.filename) != "threading.py" and entry.filename != "<string>"]
    for entry in reversed(own or stack):
        return "{}:{} in {}".format(entry.filename, entry.lineno, entry.name)
    return "nothing is known of where"


def make_fork_watch(pytest):
    class Forks:
        # A child that a test forked, and that comes back into pytest, would run all the other tests once more.

        def __init__(self):
            self._getpid, self._exit, self._write = os.getpid, os._exit, os.write

        # Inside of what captures output, so that what the child says is among the output of its test.
        @pytest.hookimpl(hookwrapper=True, trylast=True)
        def pytest_runtest_call(self):
            owner = self._getpid()
            outcome = yield
            if self._getpid() != owner:
                self._end(outcome.excinfo)

        pytest_runtest_setup = pytest_runtest_teardown = pytest_runtest_call

        def _end(self, raised):
            status = 0
            try:
                sys.stdout.flush()
                sys.stderr.flush()
                if raised is not None:
                    status = status_of(raised[1])
                    if not isinstance(raised[1], SystemExit):
                        text = "".join(traceback.format_exception(*raised))
                        self._write(2, "in a forked child of the test:\n{}".format(clean(text)).encode("utf-8"))
            finally:
                self._exit(status & 255)

    return Forks

# What keeps processes that run tests at the same time out of the way of each other, by the means that suites have for
# pytest-xdist.


def name_worker():
    # Databases, ports and the like are often named by it.
    slot = os.environ.get("OFFLOAD_SLOT")
    if slot is not None:
        os.environ["PYTEST_XDIST_WORKER"] = "gw" + slot


COVERAGE_OF_PARTS = (
    "no process sees the coverage of the whole run, so --cov-report and --cov-fail-under are passed over: "
    "`coverage combine` and then `coverage report` tell it"
)


def make_place(path):
    # A directory that no other process has: one that comes later in the same sandbox must not empty it.
    number = 0
    while True:
        try:
            os.makedirs(path + ("-{}".format(number) if number else ""), mode=0o700)
            return path + ("-{}".format(number) if number else "")
        except FileExistsError:
            number += 1


def empty_once(path, stamp):
    # pytest begins a run with an empty directory of this name: the first process that comes sees to it.
    import fcntl
    import shutil

    with open(stamp, "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not os.fstat(file.fileno()).st_size:
            shutil.rmtree(path, ignore_errors=True)
            file.write("emptied")


def make_neighbours(pytest):
    class Worker:
        # The fixtures of pytest-django and pytest-xdist that ask which worker this is get an answer. Other plugins do
        # not: to them a worker is something that a controller listens to.
        ASKING = ("django_db_modify_db_settings_xdist_suffix", "worker_id")

        @pytest.hookimpl(hookwrapper=True)
        def pytest_fixture_setup(self, fixturedef, request):
            worker = {"workerid": os.environ["PYTEST_XDIST_WORKER"]}
            if fixturedef.argname in self.ASKING:
                request.config.workerinput = worker
            if fixturedef.argname == "worker_id" and request.config.pluginmanager.has_plugin("tmpdir"):
                self.descend(request.getfixturevalue("tmp_path_factory"), **worker)
            yield
            if getattr(request.config, "workerinput", None) is worker:
                del request.config.workerinput

        def descend(self, factory, workerid):
            # Who knows of several workers takes the directory above for theirs, and for one that is new with each run.
            base = factory.getbasetemp()
            if not (base.name == workerid or hasattr(factory, "offload_shared")):
                factory._basetemp = base / workerid
                factory._basetemp.mkdir(mode=0o700)

    class Neighbours:
        def __init__(self, journal, discovering, group):
            self.journal = journal
            self.discovering = discovering
            self.group = group
            # A directory that all sandboxes of this run on this machine see, and nobody else.
            self.shared = os.environ.get("OFFLOAD_RUN_TMP")

        def name_base(self):
            return os.environ.get("PYTEST_XDIST_WORKER") or self.journal.name

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_cmdline_main(self, config):
            base = config.option.basetemp
            if base:
                # pytest empties this directory: one for all would take the files of tests that run elsewhere.
                if self.shared:
                    name = "basetemp-" + "".join(c if c.isalnum() else "_" for c in os.path.abspath(base))[-200:]
                    empty_once(base, os.path.join(self.shared, name))
                    config.option.basetemp = make_place(os.path.join(base, self.name_base()))
                else:
                    os.makedirs(base, exist_ok=True)
                    config.option.basetemp = os.path.join(base, self.journal.name)
            yield

        @pytest.hookimpl(trylast=True)
        def pytest_configure(self, config):
            manager = config.pluginmanager
            if "PYTEST_XDIST_WORKER" in os.environ and (manager.has_plugin("django") or manager.has_plugin("xdist")):
                manager.register(Worker(), "offload-neighbours")
            factory = getattr(config, "_tmp_path_factory", None)
            if factory is None or not self.shared:
                return
            factory.offload_shared = True
            if not config.option.basetemp and getattr(factory, "_basetemp", self) is None:
                # As with the workers of pytest-xdist: beside one another, in a directory of this run.
                place = make_place(os.path.join(self.shared, self.group, self.name_base()))
                factory._basetemp = pathlib.Path(place).resolve()

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_load_initial_conftests(self, early_config):
            options = early_config.known_args_namespace
            if getattr(options, "cov_source", None) and not getattr(options, "no_cov", False):
                self.share_coverage(options)
            yield

        def share_coverage(self, options):
            # Each process has a part, in a file of its own beside the one that they are combined to. Reports and limits
            # are about the whole.
            import coverage

            whole = coverage.Coverage(config_file=options.cov_config, data_suffix=True)
            if self.discovering:
                self.journal.write("notice", message=COVERAGE_OF_PARTS)
                if not options.cov_append:
                    whole.erase()
            os.environ["COVERAGE_FILE"] = "{}.{}".format(os.path.abspath(whole.config.data_file), self.journal.name)
            options.cov_report = {"": None}
            options.cov_fail_under = 0

    return Neighbours

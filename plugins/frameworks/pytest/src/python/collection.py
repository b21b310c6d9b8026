# What of the tests is loaded: no more than is run, unless somebody looks at all of them.

# Where plugins come from that look at tests one by one: it makes no difference to them how many there are.
ITEM_BY_ITEM = {
    "_pytest",
    "__main__",
    "_hypothesis_pytestplugin",
    "anyio",
    "hypothesis",
    "pytest_asyncio",
    "pytest_cov",
    "pytest_django",
    "pytest_mock",
    "pytest_rerunfailures",
    "pytest_timeout",
    "time_machine",
    "xdist",
}

LOOKING = (
    "pytest_collection_modifyitems",
    "pytest_collection_finish",
    "pytest_report_collectionfinish",
    "pytest_itemcollected",
    "pytest_deselected",
)


def home_of(function):
    return (getattr(function, "__module__", None) or "").split(".")[0]


def is_looked_at(config):
    # Whether a plugin or a conftest.py wants to see what was collected.
    hooks = [getattr(config.pluginmanager.hook, name) for name in LOOKING]
    return any(home_of(impl.function) not in ITEM_BY_ITEM for hook in hooks for impl in hook.get_hookimpls())


@contextlib.contextmanager
def kept_output(config):
    # To load a file ends the capturing of output, which a test under way still needs.
    manager = config.pluginmanager.get_plugin("capturemanager")
    capture = getattr(manager, "_global_capturing", None)
    if capture is None or not capture.is_started():
        yield
        return
    out, err = manager.read_global_capture()
    try:
        yield
    finally:
        manager.resume_global_capture()
        sys.stdout.write(out)
        sys.stderr.write(err)


class Part:
    # What is collected from one file in one place, or will be.

    def __init__(self, file, node):
        self.file = file
        self.node = node
        self.items = None


def make_collection(pytest):
    directory = getattr(pytest, "Directory", pytest.Package)

    class Collection:
        # To be made when collection begins. Directories are walked at once, files are loaded when they are wanted.

        def __init__(self, session, loaded):
            self.session = session
            self.config = session.config
            self.kind = type(session)
            # Called after each file.
            self.loaded = loaded
            self.parts = []
            self.files = {}
            self.items = []
            self.count = 0
            self.is_walked = False
            self.is_whole = False
            session.genitems = self.put_off
            session.__class__ = watched(self.kind, self)

        def put_off(self, node):
            if isinstance(node, directory):
                return self.kind.genitems(self.session, node)
            part = Part(relative(node.path, self.config.rootpath), node)
            self.parts.append(part)
            self.files.setdefault(part.file, []).append(part)
            return iter(())

        def end_walk(self):
            self.is_walked = True
            self.session.__dict__.pop("genitems", None)

        def load(self, file):
            for part in self.files.get(file, ()):
                if part.items is None:
                    part.items = []
                    part.items += self.kind.genitems(self.session, part.node)
                    self.loaded()
            return [item for part in self.files.get(file, ()) for item in part.items]

        def load_all(self, is_wanted=lambda file: True):
            for file in self.files:
                if is_wanted(file):
                    self.load(file)
            return [item for part in self.parts for item in part.items or ()]

        def everything(self):
            # As a plain run has it, for somebody who looks at a later time.
            if self.is_walked and not self.is_whole:
                self.is_whole = True
                with kept_output(self.config):
                    items = self.load_all()
                    hook = self.config.hook.pytest_collection_modifyitems
                    hook(session=self.session, config=self.config, items=items)
                self.items[:] = items
                self.count = len(items)

        def look(self, reader):
            # pytest itself only wants to know what is loaded.
            if reader.f_globals.get("__name__", "").split(".")[0] not in ("_pytest", "__main__"):
                self.everything()

    def watched(kind, collection):
        class Session(kind):
            __slots__ = ()

            @property
            def items(self):
                collection.look(sys._getframe(1))
                return collection.items

            @items.setter
            def items(self, items):
                collection.items = items

            @property
            def testscollected(self):
                collection.look(sys._getframe(1))
                return collection.count

            @testscollected.setter
            def testscollected(self, count):
                collection.count = count

        Session.__module__, Session.__qualname__ = kind.__module__, kind.__qualname__
        return Session

    return Collection

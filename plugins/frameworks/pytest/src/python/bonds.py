# Which tests rely on running in one process, one after the other, as far as a suite declares it. The host obeys the tags.

WHOLE = "unit:whole"


class Bonds:
    # Of pytest-xdist, pytest-dependency, pytest-order and pytest-ordering, the recipe `incremental` of the documentation of
    # pytest, and of classes that are set up once.

    MARKS = {"xdist_group", "dependency", "order", "run", "incremental"}

    def __init__(self, config, dist):
        self.whole_files = dist in ("loadfile", "loadscope")
        self.orders = "pytest_order" in sys.modules or "pytest_ordering" in sys.modules
        self.order_is_local = getattr(config.option, "order_scope", None) in ("module", "class")
        self.classes = {}
        self.dependent = []
        self.ordered = []
        self.labels = set()
        self.depends_across = False
        self.records = []
        if config.pluginmanager.has_plugin("dependency") or "pytest_dependency" in sys.modules:
            self.whole_files |= self.marks_all(config)

    def marks_all(self, config):
        try:
            return bool(config.getini("automark_dependency"))
        except (KeyError, ValueError):
            return False

    def tie(self, item, marks, record):
        tags = set()
        if self.whole_files or self.is_set_up_once(item):
            tags.add(WHOLE)
        groups = set()
        for mark in marks:
            if mark.name not in self.MARKS:
                continue
            if mark.name == "xdist_group":
                groups.add(str(mark.args[0] if mark.args else mark.kwargs.get("name", "default")))
            elif mark.name == "incremental":
                tags.add(WHOLE)
            elif mark.name == "dependency":
                tags.add(WHOLE)
                self.dependent.append(record)
                self.depends_across |= mark.kwargs.get("scope") in ("session", "package")
            elif self.orders:
                tags.add(WHOLE)
                self.ordered.append(record)
                self.note_labels(mark)
        if groups:
            tags.add("together:xdist_group:" + clean("_".join(sorted(groups))))
        record["tags"] += sorted(tags)
        if self.orders:
            self.records.append(record)

    def note_labels(self, mark):
        for side in ("before", "after"):
            labels = mark.kwargs.get(side) or ()
            for label in [labels] if isinstance(labels, str) else labels:
                if isinstance(label, str) and "::" in label:
                    self.labels.add(escape_id(label))

    def across_files(self):
        # To be asked when all tests are known.
        if self.depends_across:
            self.bind(self.dependent, "together:dependency")
        if self.order_is_local:
            return
        named = [r for r in self.records if self.labels and self.is_named(r["id"])]
        if len({record["file"] for record in self.ordered + named}) > 1:
            self.bind(self.ordered + named, "together:order")

    def is_named(self, name):
        plain = name.split("[", 1)[0]
        return any(plain == label or plain.endswith("/" + label) or name == label for label in self.labels)

    def bind(self, records, tag):
        for record in records:
            if tag not in record["tags"]:
                record["tags"].append(tag)

    def is_set_up_once(self, item):
        kind = getattr(item, "cls", None)
        if not isinstance(kind, type):
            return False
        if kind not in self.classes:
            self.classes[kind] = self.has_class_setup(kind)
        return self.classes[kind] or self.has_class_fixture(item)

    def has_class_setup(self, kind):
        names = ("setUpClass", "tearDownClass", "setUpTestData", "setup_class", "teardown_class")
        for base in kind.__mro__:
            # What the classes of unittest and of Django do by themselves is undone after each test.
            if base.__module__.startswith(("unittest.", "django.")) or base is object:
                continue
            if any(name in vars(base) for name in names):
                return True
        return False

    def has_class_fixture(self, item):
        known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", None) or {}
        return any(
            getattr(found[-1], "scope", None) == "class" for name, found in known.items() if found and name[0] != "_"
        )

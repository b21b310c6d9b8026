# Which tests must not run before others in the same process, as the order of pytest says.


class Stages:
    # The next stage begins where a file comes up again: the order of its tests is no matter of that file alone. And it
    # begins where pytest-django has tests that empty the tables after those that leave them as they were.

    def __init__(self, config):
        self.stage = 0
        self.files = set()
        self.last = None
        self.kind = None
        self.cases = None
        if config.pluginmanager.has_plugin("django") and "django.test" in sys.modules:
            self.cases = sys.modules["django.test"].TransactionTestCase, sys.modules["django.test"].TestCase

    def next(self, item, file):
        kind = self.cases and self.use_of_tables(item)
        again = file != self.last and file in self.files
        if self.last is not None and (again or kind != self.kind):
            self.stage += 1
            self.files = set()
        self.files.add(file)
        self.last, self.kind = file, kind
        return self.stage

    def use_of_tables(self, item):
        transactional, ordinary = self.cases
        case = getattr(item, "cls", None)
        if isinstance(case, type) and issubclass(case, transactional):
            return "kept" if issubclass(case, ordinary) else "emptied"
        names = getattr(item, "fixturenames", ())
        mark = item.get_closest_marker("django_db")
        options = dict(zip(("transaction", "reset_sequences"), mark.args), **mark.kwargs) if mark else {}
        if options.get("transaction") or options.get("reset_sequences") or "transactional_db" in names:
            return "emptied"
        return "kept" if mark or "db" in names else "none"

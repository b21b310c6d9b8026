# A warm process: it takes tests while it runs.

# What POSIX lets nobody come between (PIPE_BUF), and how much text fits in there, whatever the characters.
UNCUT_BYTES = 4096
PIECE_CHARACTERS = 900

# Seconds after which a worker without orders was started before the tests are known.
EARLY = 0.05

# Seconds for which a worker that has tests does not look for orders: to ask the system takes a part of what a short test
# takes.
DEAF = 0.01

# Seconds after which a worker that loads one file after the other says that it is alive.
ALIVE = 1.0


class Pipe(Records):
    # To the host, on the standard output that tests and their children print to as well. What is written at once is
    # short enough for the system not to cut it, and begins and ends a line. What ends is told together with what begins
    # next: one call of the system for each test.

    def __init__(self, scratch, nonce, file):
        super().__init__(scratch + "worker", nonce, file)
        self._held = b""

    def write_soon(self, kind, **record):
        self._held += self.line(kind, record)

    def write_bytes(self, data):
        data, self._held = self._held + data, b""
        if len(data) < UNCUT_BYTES:
            super().write_bytes(b"\n" + data)
            return
        together = b"\n"
        for line in data.splitlines(True):
            for piece in [line] if len(line) < UNCUT_BYTES else self.pieces(line):
                if len(together) + len(piece) > UNCUT_BYTES:
                    super().write_bytes(together)
                    together = b"\n"
                together += piece
        super().write_bytes(together)

    def pieces(self, line):
        text = line.decode("utf-8")
        for start in range(0, len(text), PIECE_CHARACTERS):
            yield self.line("piece", text[start : start + PIECE_CHARACTERS])
        yield self.line("whole", {})

    def flush(self):
        if self._held:
            self.write_bytes(b"")


class Orders:
    # A JSON line each.

    def __init__(self, file):
        self._file = file
        self._read, self._select = os.read, select.select
        self._rest = b""
        self.ended = False

    def arrive(self, seconds):
        # Whether there is something to read, or the end, within so many seconds.
        return bool(self.ended or self._rest or self._select([self._file], [], [], seconds)[0])

    def next(self, wait):
        # None where there is none, and at the end.
        while b"\n" not in self._rest:
            if self.ended or not (wait or self._select([self._file], [], [], 0)[0]):
                return None
            data = self._read(self._file, 65536)
            self.ended = not data
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return json.loads(line.decode("utf-8"))


def make_worker(pytest, Collection, Discovery, Recording):
    class Ahead:
        # Registered when collection begins, so that it has the first and the last word.

        def __init__(self, collection):
            self.collection = collection

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_collection_modifyitems(self, items):
            if not self.collection.is_walked:
                self.collection.end_walk()
                if is_looked_at(self.collection.config):
                    self.collection.is_whole = True
                    items += self.collection.load_all()
            yield

    class Worker(Recording):
        def __init__(self, pipe, ground, options, orders, discovers):
            super().__init__(pipe, ground, options)
            self.orders = orders
            self.discovery = Discovery(pipe, ground, options) if discovers else None
            # Files whose tests are in `items`, and those that the host was told of.
            self.indexed = set()
            self.told = set()
            self.items = {}
            self.returned = set()
            self.queue = collections.deque()
            self.upcoming = collections.deque()
            self.finishing = False
            self.listens = 0.0
            self.heard = 0.0
            self.warnings = 0

        @pytest.hookimpl
        def pytest_warning_recorded(self, when):
            # What collecting warns of is counted where everything is collected.
            if when == "runtest" or self.discovery is not None:
                self.warnings += 1

        @pytest.hookimpl(trylast=True)
        def pytest_configure(self, config):
            if self.discovery is None:
                self.forget_last_run(config)
            else:
                self.discovery.max_failures = self.max_failures
                config.pluginmanager.register(self.discovery, "offload-discovery")

        @pytest.hookimpl(tryfirst=True)
        def pytest_collection(self, session):
            if self.discovery is None:
                self.collection = Collection(session, self.loaded)
                session.config.pluginmanager.register(Ahead(self.collection), "offload-ahead")

        def loaded(self):
            now = self.journal.now()
            if now - self.heard > ALIVE:
                # To load everything takes time, and who is silent is given up.
                self.heard = now
                self.journal.write("returned", ids=[])

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(self, session):
            if self.discovery is None:
                self.collect_ahead()
            else:
                self.index(session.items)
                session.config.pluginmanager.unregister(self.discovery)
                self.forget_last_run(session.config)
            item = self.next_item()
            while item is not None:
                following = self.next_item()
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.shouldfail or session.shouldstop:
                    self.give_back([following] if following is not None else [])
                    if session.shouldfail:
                        raise session.Failed(session.shouldfail)
                    raise session.Interrupted(session.shouldstop)
                item = following
            return True

        def collect_ahead(self):
            # While the tests are looked for elsewhere, there is time to load files that may be asked for later: on a core
            # that nobody else needs meanwhile, and beginning where this worker is likely to begin.
            slot, cores = int(os.environ.get("OFFLOAD_SLOT", 0)), os.cpu_count() or 1
            if slot >= cores or self.orders.arrive(EARLY):
                return
            files = list(self.collection.files)
            first = len(files) * slot // (2 * cores)
            for file in files[first:] + files[:first]:
                self.load(file)
                if self.orders.arrive(0):
                    return

        def next_item(self):
            # Waits until there is one, or there will be none.
            while True:
                if not (self.upcoming or self.queue) or self.journal.now() >= self.listens:
                    self.take_orders(False)
                    self.listens = self.journal.now() + DEAF
                if self.upcoming:
                    return self.upcoming.popleft()
                if self.queue:
                    self.upcoming.extend(self.look_up(**self.queue.popleft()))
                elif self.finishing:
                    return None
                else:
                    self.journal.flush()
                    self.take_orders(True)

        def take_orders(self, wait):
            order = self.orders.next(wait) if not self.finishing else None
            while order is not None:
                if "assign" in order:
                    self.queue.extend(order["assign"])
                    self.wanted.update(test["id"] for test in order["assign"])
                elif "withdraw" in order:
                    self.withdraw(set(order["withdraw"]))
                elif "finish" in order:
                    self.finishing = True
                    return
                order = self.orders.next(False)
            if self.orders.ended:
                # Nobody listens any more.
                self.finishing = True
                self.queue.clear()

        def withdraw(self, names):
            returned = [test["id"] for test in self.queue if test["id"] in names]
            self.queue = collections.deque(test for test in self.queue if test["id"] not in names)
            self.journal.write("returned", ids=returned)

        def give_back(self, items):
            names = [escape_id(item.nodeid) for item in [*items, *self.upcoming]]
            names += [test["id"] for test in self.queue]
            # One that failed already is told at the end.
            failed = {name for name, folded in self.shared.items() if folded.has_failed()}
            self.journal.write("returned", ids=[name for name in dict.fromkeys(names) if name not in failed])

        def look_up(self, id, unit):
            if self.collection is not None:
                if unit in self.collection.files:
                    self.open_file(unit)
                if id not in self.items:
                    # An unusual collector may have taken it from another file.
                    for file in self.collection.files:
                        if file not in self.indexed:
                            self.open_file(file)
            items = self.items.get(id, [])
            if not items:
                self.miss(id, unit)
            self.copies[id] = len(items)
            return items

        def open_file(self, file):
            self.load(file)
            if file not in self.told:
                self.told.add(file)
                ids = [escape_id(item.nodeid) for item in self.collection.load(file)]
                self.journal.write_soon("unit", file=file, ids=ids)

        def miss(self, name, unit):
            # Somebody else found it in the same file: what differs from process to process can only be run there.
            if self.explain(name) or name in self.returned or not (self.collection and self.collection.load(unit)):
                self.report_missing(name)
                return
            self.ground.hold()
            self.returned.add(name)
            self.wanted.discard(name)
            self.journal.write("returned", ids=[name])

        def load(self, file):
            if file in self.indexed:
                return
            self.indexed.add(file)
            self.journal.flush()
            collected = self.collection.load(file)
            if self.collection.is_whole:
                self.index(collected)
                return
            items, session = list(collected), self.collection.session
            session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=items)
            # What discovery chose is chosen: a plugin that takes a sample or a share must not do so again here.
            left = {item.nodeid for item in items}
            items += [item for item in collected if item.nodeid not in left]
            self.collection.items += items
            self.collection.count += len(items)
            self.index(items)

        def index(self, items):
            for item in items:
                self.items.setdefault(escape_id(item.nodeid), []).append(item)

    return Worker

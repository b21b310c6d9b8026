# A process that runs one batch, which is known from the start.


def make_batch(pytest, Collection, Recording):
    class Selection:
        # Registered when collection begins, so that it has the first and the last word.

        def __init__(self, batch):
            self.batch = batch

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_collection_modifyitems(self, items):
            begins = not self.batch.collection.is_walked
            if begins:
                self.batch.begin_selection(items)
            yield
            if begins:
                self.batch.end_selection(items)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtestloop(self, session):
            # Around every loop, also one that another plugin puts in the place of ours.
            outcome = yield
            if outcome.excinfo is None and not (session.shouldfail or session.shouldstop):
                self.batch.settle_unrun()

    class Batch(Recording):
        def __init__(self, journal, ground, options, request):
            super().__init__(journal, ground, options)
            self.wanted = set(request["ids"])
            self.files = request["files"] and set(request["files"])
            self.chosen = []

        @pytest.hookimpl(trylast=True)
        def pytest_configure(self, config):
            self.forget_last_run(config)

        @pytest.hookimpl(tryfirst=True)
        def pytest_collection(self, session):
            config = session.config
            config.pluginmanager.register(Selection(self), "offload-selection")
            self.collection = Collection(session, lambda: None)
            if self.files is not None and not config.option.pyargs:
                config.args = list(config.args) + self.unnamed_files(config)

        def unnamed_files(self, config):
            # Those that discovery was pointed to outside of what the group names.
            base, root = str(config.invocation_params.dir), str(config.rootpath)
            places = {os.path.normpath(os.path.join(base, arg.split("::")[0])) for arg in config.args}
            unnamed = []
            for file in sorted(self.files):
                place = path = os.path.normpath(os.path.join(root, file))
                while place not in places and place != os.path.dirname(place):
                    place = os.path.dirname(place)
                if place not in places and os.path.isfile(path):
                    unnamed.append(path)
            return unnamed

        def begin_selection(self, items):
            self.collection.end_walk()
            whole = self.files is None or is_looked_at(self.collection.config)
            self.collection.is_whole = whole
            items += self.collection.load_all(lambda file: whole or file in self.files)
            self.chosen = [item for item in items if escape_id(item.nodeid) in self.wanted]

        def end_selection(self, items):
            collected = self.chosen
            self.chosen = [item for item in items if escape_id(item.nodeid) in self.wanted]
            # What discovery chose is chosen: a plugin that takes a sample or a share must not do so again here.
            left = {item.nodeid for item in self.chosen}
            self.chosen += [item for item in collected if item.nodeid not in left]

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(self, session):
            names = {escape_id(item.nodeid) for item in self.chosen}
            unusual = self.wanted - names
            if unusual and not self.collection.is_whole and not all(self.explain(name) for name in unusual):
                # An unusual collector may have taken them from another file.
                self.collection.everything()
                self.chosen += [item for item in self.collection.items if escape_id(item.nodeid) in unusual]
            self.copies.update(escape_id(item.nodeid) for item in self.chosen)
            self.journal.write("collected", max_failures=self.max_failures)
            for name in sorted(self.wanted - set(self.copies)):
                self.report_missing(name)

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(self, session):
            # Files that cannot be collected were told of before, and use up no failure.
            session.config.option.maxfail = self.max_failures and self.max_failures + session.testsfailed
            for item, following in zip(self.chosen, [*self.chosen[1:], None]):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.shouldfail:
                    raise session.Failed(session.shouldfail)
                if session.shouldstop:
                    raise session.Interrupted(session.shouldstop)
            return True

        def settle_unrun(self):
            # The same would happen to them again.
            for name in sorted(self.wanted - set(self.open)):
                self.settle(name, status="error", message="pytest came to its end without running this test")

    return Batch

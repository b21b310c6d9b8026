"""A pytest plugin that notes every test's outcome as {node id: status} in the file that PLAIN_OUTCOMES names.

It is deliberately another program than the one that offload uses, so that the two cannot share a mistake.
"""

import json
import os

import pytest


def worse(old, new):
    order = ["passed", "xpassed", "xfailed", "skipped", "failed", "error"]
    return max(old, new, key=order.index)


class Notes:
    def __init__(self, path):
        self.path = path
        self.outcomes = {}

    def note(self, node, status):
        old = self.outcomes.get(node)
        # What fails in its call and then in its tear-down has failed.
        if old in ("failed", "error"):
            return
        self.outcomes[node] = status if old is None else worse(old, status)

    def pytest_collectreport(self, report):
        if report.failed:
            self.note(report.nodeid, "error")

    def pytest_runtest_logreport(self, report):
        if type(report).__name__ == "SubtestReport":
            if report.failed:
                self.note(report.nodeid, "failed")
        elif hasattr(report, "wasxfail"):
            self.note(report.nodeid, "xfailed" if report.skipped else "xpassed")
        elif report.failed:
            self.note(report.nodeid, "failed" if report.when == "call" else "error")
        elif report.skipped:
            self.note(report.nodeid, "skipped")
        elif report.when == "call":
            self.note(report.nodeid, "passed")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self):
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(self.outcomes, file)


def pytest_configure(config):
    path = os.environ.get("PLAIN_OUTCOMES")
    if path:
        config.pluginmanager.register(Notes(path), "plain-outcomes")

"""The component: what offload calls. Each call hands over to a plain function, which the tests try without offload."""

import json

import commands
import findings
from settings import SCHEMA, Settings
from wit_world import exports
from wit_world.exports.framework import Discovery, Discovery_Found, Discovery_Run, FinishedRun, RunPlan
from wit_world.exports.metadata import Info
from wit_world.imports import host
from wit_world.imports.types import Context, Outcome, Test


class Metadata(exports.Metadata):
    def describe(self) -> Info:
        return Info(
            name="unittest",
            version="0.1.0",
            description="Tests of Python's unittest",
            settings_schema=json.dumps(SCHEMA),
            # `python` may be any command. Which one it may be is for whoever grants.
            requests=["run:*"],
        )


class Framework(exports.Framework):
    def needs(self) -> list[str]:
        return []

    def discover(self, context: Context, paths: list[str], previous: list[FinishedRun]) -> Discovery:
        settings = Settings.parse(host.settings())
        if not previous:
            return Discovery_Run(commands.discovery(settings, context))
        return Discovery_Found(findings.found(settings, paths, previous[-1]))

    def run_command(self, context: Context, tests: list[Test]) -> RunPlan:
        return commands.run(Settings.parse(host.settings()), context, tests)

    def parse_results(self, context: Context, tests: list[Test], run: FinishedRun) -> list[Outcome]:
        return findings.outcomes(Settings.parse(host.settings()), tests, run)

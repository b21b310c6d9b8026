# What the command line and the configuration of pytest may ask for, and what must not happen here.


# Options with which pytest does something else than run tests.
NO_RUN = {
    "setuponly": "--setup-only",
    "setupplan": "--setup-plan",
    "showfixtures": "--fixtures",
    "show_fixtures_per_test": "--fixtures-per-test",
    "markers": "--markers",
    "cacheshow": "--cache-show",
}

# Options that have one file written about the whole run.
REPORT_FILES = {
    "xmlpath": "--junitxml",
    "htmlpath": "--html",
    "report_log": "--report-log",
    "json_report": "--json-report",
    "csv_path": "--csv",
    "cucumber_json_path": "--cucumberjson",
    "nunit_xmlpath": "--nunitxml",
    "md_report": "--md-report",
    "md_report_output": "--md-report-output",
    "ctrf": "--ctrf",
    "resultlog": "--result-log",
}

PASSED_OVER = (
    "{} is passed over, since every process of pytest would overwrite that file with the results of its own part of the tests: "
    "see [report] in offload.toml for reports of the whole run"
)


def refuse(options, journal):
    for name, option in NO_RUN.items():
        if getattr(options, name, None):
            give_up(
                journal,
                "unsupported-option",
                "pytest runs no tests with {}".format(option),
                "remove {} from extra_args of the group, or from addopts and PYTEST_ADDOPTS".format(option),
            )


class Options:
    def __init__(self, journal, discovering):
        self.journal = journal
        # Whether this is the process that says what a person should know before any test is run.
        self.discovering = discovering
        # What pytest-xdist was told to keep together.
        self.dist = "no"

    def prepare(self, options, collect_only):
        self.dist = getattr(options, "dist", "no")
        for name, option in REPORT_FILES.items():
            if getattr(options, name, None):
                setattr(options, name, None)
                if self.discovering:
                    self.journal.write("notice", message=PASSED_OVER.format(option))
        # An option is there only when the plugin that defines it is.
        wanted = {
            "collectonly": collect_only,
            "continue_on_collection_errors": True,
            "usepdb": False,
            "trace": False,
            # pytest-xdist: offload is what distributes.
            "numprocesses": None,
            "dist": "no",
            "distload": False,
            "tx": [],
            "looponfail": False,
        }
        for name, value in wanted.items():
            if hasattr(options, name):
                setattr(options, name, value)

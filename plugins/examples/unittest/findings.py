"""What the files say that the commands wrote."""

import json
import re
from collections.abc import Iterator
from math import inf
from typing import Any

from componentize_py_types import Err
from wit_world.exports.framework import FinishedRun
from wit_world.imports.types import Captured, Exit_Code, Exit_Signal, Failure, Found, Outcome, Test

from settings import Settings

_STATUSES = {"passed", "failed", "error", "skipped", "xfailed"}

# How much of a program's standard error is quoted, in characters.
_COMPLAINT = 2000

# How deep anything may be nested that is read. The scripts nest nothing deeper; and what goes very deep, which only others can
# have written, would exhaust the component's stack before Python notices.
_DEPTH = 20


def found(settings: Settings, paths: list[str], run: FinishedRun) -> Found:
    """The tests in unittest's order, and what could not be loaded."""
    tests, problems, is_whole = [], [], False
    for entry in _entries(run):
        match entry:
            case {"test": {**test}}:
                tests.append(_test(test))
            case {"problem": {**problem}}:
                problems.append(_problem(problem))
            case {"whole": True}:
                is_whole = True
    # A test that nobody knows of is a test that nobody runs.
    if not is_whole:
        message = f"unittest could not say which tests there are: {complaint(run.output)}"
        raise Err(Failure("discovery-failed", message, f"see what `{settings.by_hand()}` says", False))
    if paths:
        tests = [test for test in tests if any(_lies_in(test, path) for path in paths)]
    return Found(tests, problems, 1 if settings.failfast else None, [], None)


def outcomes(settings: Settings, tests: list[Test], run: FinishedRun) -> list[Outcome]:
    """What became of these tests, as far as it was written before the process ended, however it did. A test that began and
    did not end was running; of one that did not begin nothing is said."""
    told: dict[str, Outcome | float] = {test.id: inf for test in tests}
    last = 0.0
    for entry in _entries(run):
        last = max(last, _seconds(entry.get("at")))
        match entry:
            case {"unusable": str(why)}:
                raise _broken(settings, _text(why) or complaint(run.output))
            case {"begin": str(id)} if told.get(id) == inf:
                told[id] = _seconds(entry.get("at"))
            case {"end": str(id)} if id in told:
                told[id] = _outcome(id, entry)
    # Where there is no file at all, Python did not come to write one. A process that was ended from outside may not have had
    # the time, and a shell says 128 and more of those.
    has_begun = any(file.contents is not None for file in run.files)
    if not has_begun and isinstance(run.output.exit, Exit_Code) and run.output.exit.value <= 128:
        raise _broken(settings, complaint(run.output))
    return [
        _blank(id, "running", max(last - outcome, 0.0)) if isinstance(outcome, float) else outcome
        for id, outcome in told.items()
        if outcome != inf
    ]


def complaint(output: Captured) -> str:
    """What a program said when it did not do what it was asked: the end of its errors, or how it ended."""
    said = output.stderr.decode("utf-8", "replace").strip()[-_COMPLAINT:]
    match output.exit:
        case _ if said:
            return said
        case Exit_Signal(signal):
            return f"signal {signal}"
        case Exit_Code(code):
            return f"exit code {code}"


def _broken(settings: Settings, why: str) -> Err[Failure]:
    message = f"unittest could not run its tests in the sandbox: {why}"
    return Err(Failure("unittest-failed", message, f"see what `{settings.by_hand()}` says there", False))


def _test(entry: dict[str, Any]) -> Test:
    file, line = _text(entry.get("file")), entry.get("line")
    return Test(
        id=_text(entry.get("id")) or "",
        # Tests of one file are cheaper together.
        unit=file,
        file=file,
        line=line if isinstance(line, int) and 0 <= line < 1 << 32 else None,
        name=_text(entry.get("name")),
        classname=_text(entry.get("classname")),
        tags=[],
        skipped=False,
        stage=0,
    )


def _problem(entry: dict[str, Any]) -> Outcome:
    return _outcome(_text(entry.get("id")) or "", entry)


def _outcome(id: str, entry: dict[str, Any]) -> Outcome:
    status = _text(entry.get("status"))
    outcome = _blank(id, status if status in _STATUSES else "error", _seconds(entry.get("duration")))
    outcome.message = _text(entry.get("message"))
    outcome.details = _text(entry.get("details"))
    return outcome


def _blank(id: str, status: str, duration: float) -> Outcome:
    return Outcome(id, status, duration, None, None, None, None, [], None, None, None)


def _lies_in(test: Test, path: str) -> bool:
    """Whether a person who names this path, module, class or test means this test."""
    path = path.removeprefix("./").rstrip("/")
    names = [(test.id, "."), (test.unit or "", "/")]
    return path == "." or any(name == path or name.startswith(path + separator) for name, separator in names)


def _entries(run: FinishedRun) -> Iterator[dict[str, Any]]:
    """The lines of the file that are whole: it may have been cut off anywhere."""
    for file in run.files:
        for line in (file.contents or b"").split(b"\n"):
            try:
                entry = json.loads(line.decode("utf-8")) if _is_shallow(line) else None
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry


def _is_shallow(line: bytes) -> bool:
    if line.count(b"[") + line.count(b"{") <= _DEPTH:
        return True
    # Brackets outside of strings, of which the innermost pairs are taken away again and again.
    brackets = re.sub(rb'"(?:[^"\\]|\\.)*"|[^][{}"]+', b"", line)
    for _ in range(_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return not brackets


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and 0 <= value < inf else 0.0


def _text(value: Any) -> str | None:
    """Text that can leave the component: JSON can hold halves of characters, which UTF-8 cannot."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else None

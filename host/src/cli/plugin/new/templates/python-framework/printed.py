"""What the runner printed, and what it means."""

from wit_world.imports.types import Captured, Exit_Signal, Outcome

# How much of what a program complained is shown, in characters.
COMPLAINT = 2000


def listed(output: bytes) -> list[str]:
    """The ids of a list, one a line. A list that is no text is a ValueError: nothing in an id may be guessed."""
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        raise ValueError("a list of tests that is no text") from error
    if "\0" in text:
        raise ValueError("a list of tests that is no text")
    return [line for line in text.split("\n") if line]


def outcomes(output: bytes) -> dict[str, Outcome]:
    """What became of tests, by their ids: `ok` and `FAILED` end one, and one that only began was running when the runner ended.
    Whether it crashed or was too slow is for offload to say."""
    told = {}
    for line in output.decode(errors="replace").split("\n"):
        word, _, rest = line.partition(" ")
        if word == "begin":
            told[rest] = outcome(rest, "running")
        elif word == "ok":
            told[rest] = outcome(rest, "passed")
        elif word == "FAILED":
            id, _, why = rest.partition(": ")
            told[id] = outcome(id, "failed", why)
    return told


def complaint(output: Captured) -> str:
    """What a program said when it did not do what it was asked: the end of its errors, or how it ended."""
    said = output.stderr.decode(errors="replace").strip()[-COMPLAINT:]
    if said:
        return said
    kind = "signal" if isinstance(output.exit, Exit_Signal) else "exit code"
    return f"{kind} {output.exit.value}"


def outcome(id: str, status: str, message: str | None = None) -> Outcome:
    """An outcome of which nothing more is known."""
    return Outcome(
        id,
        status,
        duration=0.0,
        message=message,
        details=None,
        stdout=None,
        stderr=None,
        properties=[],
        name=None,
        classname=None,
        file=None,
    )

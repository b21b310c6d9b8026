# What offload runs in place of `python -m pytest`: the same pytest with plugins of ours, which write what happens to a file,
# or a pipe, of its own, so that nothing is ever read out of the terminal output. It is handed over with `python -c`:
#
#     python -c SOURCE discover|run JOURNAL NONCE OPTIONS PYTEST-ARGUMENTS...
#
#     python -c SOURCE work|discover-and-work SCRATCH "" OPTIONS PYTEST-ARGUMENTS...
#
# where SOURCE is the files that command.rs names in a row, and OPTIONS is a JSON object of what the group was told.
# Python 3.8 and pytest 7 are the oldest that they must work with. They hold no apostrophe: a shell would spell each one
# with four characters.
import atexit
import collections
import contextlib
import importlib.util
import json
import os
import pathlib
import select
import signal
import sys
import threading
import time
import traceback

ESCAPE = "\u241b"
KEPT_CHARACTERS = 32 * 1024
# Of a run in which every test says much, the later ones keep less: the journal is read as a whole.
AMPLE_BYTES = 16 * 1024 * 1024
SCARCE_CHARACTERS = 1024
KEPT_LINE_CHARACTERS = 2000


def escape_id(text):
    # Reversible, and the identity for all but NUL and lone surrogates, which a test id of offload cannot hold.
    if text.isascii() and "\0" not in text:
        return text
    return "".join(
        ESCAPE + format(ord(c), "04x") if c in ("\0", ESCAPE) or "\ud800" <= c <= "\udfff" else c for c in text
    )


def clean(text):
    # Text as UTF-8 can say it.
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")


def clip(text, kept=KEPT_CHARACTERS):
    # Head and tail, so that a test that prints without end costs a constant.
    omitted = len(text) - kept
    if omitted <= 0:
        return clean(text) or None
    half = kept // 2
    return clean("{}\n... {} characters omitted ...\n{}".format(text[:half], omitted, text[-half:]))


def one_line(text):
    for line in text.splitlines():
        if line.strip():
            return clip(line.strip(), KEPT_LINE_CHARACTERS)
    return None


class Records:
    # A JSON line a record. Everything it calls is bound here, before any test can patch it.

    def __init__(self, path, nonce, file):
        self._path = os.path.abspath(path)
        self.name = os.path.basename(self._path)
        self._nonce = nonce
        self._open, self._write, self._fstat = os.open, os.write, os.fstat
        # Libraries that freeze the time for a test leave this clock alone, or would have to find it here.
        self._getpid, self._clock = os.getpid, time.perf_counter
        self._encode = json.JSONEncoder(ensure_ascii=False).encode
        self._owner = os.getpid()
        self._file = file
        self._origin = self._clock()

    def now(self):
        return self._clock() - self._origin

    def line(self, kind, record):
        return (self._encode([self._nonce, {kind: record}]) + "\n").encode("utf-8")

    def write(self, kind, **record):
        self.write_bytes(self.line(kind, record))

    def write_bytes(self, data):
        if self._getpid() != self._owner:
            return  # A child that a test forked, and that came back into pytest.
        while data:
            data = data[self._write(self._file, data) :]

    def write_soon(self, kind, **record):
        self.write(kind, **record)

    def flush(self):
        pass

    def kept_characters(self):
        return KEPT_CHARACTERS


class Journal(Records):
    # A file, read when the process has ended.

    def __init__(self, path, nonce):
        self._flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        super().__init__(path, nonce, os.open(path, self._flags | os.O_TRUNC, 0o644))
        self._identity = self._identify()
        self._size = 0

    def kept_characters(self):
        return KEPT_CHARACTERS if self._size < AMPLE_BYTES else SCARCE_CHARACTERS

    def _identify(self):
        stat = self._fstat(self._file)
        return stat.st_dev, stat.st_ino

    def write_bytes(self, data):
        if self._getpid() != self._owner:
            return
        try:
            ours = self._identify() == self._identity
        except OSError:
            ours = False
        if not ours:
            # A test closed every descriptor it could find; the number may be another file by now.
            self._file = self._open(self._path, self._flags, 0o644)
            self._identity = self._identify()
        self._size += len(data)
        super().write_bytes(data)

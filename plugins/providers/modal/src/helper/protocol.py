# The process that speaks to Modal for all of a run: requests come a line each on standard input, answers go out the same way, in
# JSON-RPC. It is handed over with `python -c`, where the text is protocol.py, failures.py, execution.py, images.py, sandboxes.py
# and main.py in a row. The syntax is that of Python 3.8, so that an old one can still say what it lacks.
import asyncio
import base64
import contextlib
import itertools
import json
import os
import sys
import tarfile
import tempfile
import time

# A line holds at most what one request may: the variables and names of a sandbox, or a piece of an input.
LONGEST_LINE = 64 * 1024 * 1024


def take_stdout():
    # Whatever the SDK or a library of it prints must not get between the messages.
    ours = os.dup(1)
    os.dup2(2, 1)
    # What is built is told in plain text, whatever the terminal of the host can show.
    os.environ.pop("FORCE_COLOR", None)
    os.environ["NO_COLOR"] = "1"
    return os.fdopen(ours, "wb", buffering=0)


class Peer:
    # The host: what it says, and what is said to it.

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        # Only newer versions of Python let several tasks wait for the same writer.
        self.writing = asyncio.Lock()

    @classmethod
    async def connect(cls, stdout):
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=LONGEST_LINE)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, stdout)
        return cls(reader, asyncio.StreamWriter(transport, protocol, None, loop))

    async def messages(self):
        while True:
            line = await self.reader.readline()
            if not line.endswith(b"\n"):
                return
            yield json.loads(line)

    async def answer(self, number, result):
        await self._send({"jsonrpc": "2.0", "id": number, "result": result})

    async def refuse(self, number, failure):
        data = {"code": failure.code, "help": failure.help, "retryable": failure.retryable}
        error = {"code": -32000, "message": failure.message, "data": data}
        await self._send({"jsonrpc": "2.0", "id": number, "error": error})

    async def output(self, number, stream, data):
        params = {"id": number, "data": base64.b64encode(data).decode("ascii")}
        await self._send({"jsonrpc": "2.0", "method": stream, "params": params})

    async def log(self, level, message):
        params = {"level": level, "message": message}
        await self._send({"jsonrpc": "2.0", "method": "log", "params": params})

    async def _send(self, message):
        # A host that is gone ends us by our standard input.
        async with self.writing:
            self.writer.write(json.dumps(message).encode("ascii") + b"\n")
            with contextlib.suppress(ConnectionError):
                await self.writer.drain()


class Input:
    # The standard input of a command, as it comes from the host.

    def __init__(self):
        self.pieces = asyncio.Queue()

    def put(self, data):
        self.pieces.put_nowait(data)

    def end(self):
        self.pieces.put_nowait(None)

    async def get(self):
        return await self.pieces.get()

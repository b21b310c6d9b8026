"""A process of this machine that any number of readers follow."""

import asyncio
import os
import signal

from grpclib import GRPCError, Status

PIECE = 256 * 1024


class Process(asyncio.SubprocessProtocol):
    def __init__(self):
        self.output = {1: bytearray(), 2: bytearray()}
        self.closed = set()
        self.status = None
        self.lost = None
        self.changed = asyncio.Event()
        self.stdin_bytes = 0
        self.may_write = asyncio.Event()
        self.may_write.set()

    async def start(self, argv, directory, env):
        loop = asyncio.get_running_loop()
        try:
            await loop.subprocess_exec(
                lambda: self, *argv, cwd=directory, env=env, start_new_session=True
            )
        except OSError as error:
            raise GRPCError(Status.NOT_FOUND, str(error))

    # What asyncio tells of it.

    def connection_made(self, transport):
        self.transport = transport

    def pipe_data_received(self, number, data):
        self.output[number] += data
        self._tell()

    def pipe_connection_lost(self, number, _):
        self.closed.add(number)
        self.may_write.set()
        self._tell()

    def process_exited(self):
        self.status = self.transport.get_returncode()
        self._tell()

    def pause_writing(self):
        self.may_write.clear()

    def resume_writing(self):
        self.may_write.set()

    # What is done with it.

    def kill(self):
        try:
            os.killpg(self.transport.get_pid(), signal.SIGKILL)
        except ProcessLookupError:
            pass

    def lose(self, status, message):
        """Whoever follows it from now on is told that it is gone."""
        self.lost = GRPCError(status, message)
        self._tell()

    async def follow(self, number, offset):
        """The stream's bytes from there on, as they come."""
        output = self.output[number]
        while True:
            await self._until(lambda: len(output) > offset or number in self.closed)
            data = bytes(output[offset : offset + PIECE])
            if not data:
                return
            yield data
            offset += len(data)

    async def ended(self):
        await self._until(lambda: self.status is not None)
        return self.status

    async def write(self, data, eof):
        stdin = self.transport.get_pipe_transport(0)
        self.stdin_bytes += len(data)
        # One that reads no more is its own business.
        if data and 0 not in self.closed:
            stdin.write(data)
            await self.may_write.wait()
        if eof and 0 not in self.closed:
            stdin.close()

    def _tell(self):
        self.changed.set()
        self.changed = asyncio.Event()

    async def _until(self, holds):
        while not self.lost and not holds():
            await self.changed.wait()
        if self.lost:
            raise self.lost

"""A process of this machine that any number of readers follow."""

import asyncio
import os
import signal

from grpclib import GRPCError, Status

PIECE = 256 * 1024


class Process:
    def __init__(self):
        self.output = {1: bytearray(), 2: bytearray()}
        self.ended_streams = set()
        self.changed = asyncio.Condition()
        self.status = None
        self.stdin_bytes = 0
        self.stdin_closed = False
        self.lost = None

    async def start(self, argv, directory, env):
        pipe = asyncio.subprocess.PIPE
        try:
            self.child = await asyncio.create_subprocess_exec(
                *argv, cwd=directory, env=env, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
        except OSError as error:
            raise GRPCError(Status.NOT_FOUND, str(error))
        pumps = [self._pump(1, self.child.stdout), self._pump(2, self.child.stderr), self._wait()]
        self.tasks = [asyncio.create_task(pump) for pump in pumps]

    async def _pump(self, number, stream):
        while data := await stream.read(PIECE):
            async with self.changed:
                self.output[number] += data
                self.changed.notify_all()
        async with self.changed:
            self.ended_streams.add(number)
            self.changed.notify_all()

    async def _wait(self):
        status = await self.child.wait()
        async with self.changed:
            self.status = status
            self.changed.notify_all()

    def kill(self):
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    async def lose(self, status, message):
        """Whoever follows it from now on is told that it is gone."""
        self.lost = GRPCError(status, message)
        async with self.changed:
            self.changed.notify_all()

    async def follow(self, number, offset):
        """The stream's bytes from there on, as they come."""
        output = self.output[number]
        while True:
            async with self.changed:
                await self.changed.wait_for(
                    lambda: self.lost or len(output) > offset or number in self.ended_streams
                )
                if self.lost:
                    raise self.lost
                data = bytes(output[offset : offset + PIECE])
            if not data:
                return
            yield data
            offset += len(data)

    async def ended(self):
        async with self.changed:
            await self.changed.wait_for(lambda: self.lost or self.status is not None)
        if self.lost:
            raise self.lost
        return self.status

    async def write(self, data, eof):
        try:
            if data:
                self.child.stdin.write(data)
                await self.child.stdin.drain()
                self.stdin_bytes += len(data)
            if eof and not self.stdin_closed:
                self.stdin_closed = True
                self.child.stdin.close()
        except (BrokenPipeError, ConnectionResetError):
            # It reads no more, which is its own business.
            self.stdin_bytes += len(data)

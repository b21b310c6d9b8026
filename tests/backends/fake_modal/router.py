"""The worker's side: commands in sandboxes, and their streams."""

import asyncio

from grpclib import GRPCError, Status
from modal_proto import task_command_router_pb2 as router
from modal_proto.api_pb2 import GenericResult

from control import variables

# When a command goes wrong that is to do so half-way.
HALF_WAY = 0.5

STREAMS = {
    router.TASK_EXEC_STDIO_FILE_DESCRIPTOR_STDOUT: 1,
    router.TASK_EXEC_STDIO_FILE_DESCRIPTOR_STDERR: 2,
}


def exit_status(message, status):
    return message(signal=-status) if status < 0 else message(code=status)


class Router:
    def __init__(self, faults, sandboxes):
        self.faults = faults
        self.sandboxes = sandboxes

    def _sandbox(self, task):
        sandbox = self.sandboxes.by_task.get(task)
        if sandbox is None or sandbox.ended.is_set():
            raise GRPCError(Status.NOT_FOUND, "task {} is gone".format(task))
        return sandbox

    def _process(self, request):
        sandbox = self._sandbox(request.task_id)
        if request.exec_id not in sandbox.processes:
            raise GRPCError(Status.NOT_FOUND, "no such exec")
        return sandbox.processes[request.exec_id]

    async def TaskExecStart(self, request):
        sandbox = self._sandbox(request.task_id)
        # A call that is made again is the same one.
        if request.exec_id not in sandbox.processes:
            env = variables(request.secret_sources, {})
            process = await sandbox.run(request.exec_id, list(request.command_args), request.workdir, env)
            line = " ".join(request.command_args)
            if self.faults.strikes("drop-exec", line):
                self._later(lambda: process.lose(Status.FAILED_PRECONDITION, "the exec was dropped"))
            if self.faults.strikes("oom-exec", line):
                self._later(lambda: sandbox.finish(GenericResult.GENERIC_STATUS_KERNEL_OOM_KILL, 137))
        return router.TaskExecStartResponse()

    def _later(self, what):
        asyncio.get_running_loop().call_later(HALF_WAY, what)

    async def TaskExecStdioRead(self, request):
        process = self._process(request)
        async for data in process.follow(STREAMS[request.file_descriptor], request.offset):
            yield router.TaskExecStdioReadResponse(data=data)

    async def TaskExecWait(self, request):
        status = await self._process(request).ended()
        self._sandbox(request.task_id)
        return exit_status(router.TaskExecWaitResponse, status)

    async def TaskExecPoll(self, request):
        status = self._process(request).status
        if status is None:
            return router.TaskExecPollResponse()
        return exit_status(router.TaskExecPollResponse, status)

    async def TaskExecStdinWrite(self, request):
        process = self._process(request)
        # What had arrived already when it was sent again.
        known = process.stdin_bytes - request.offset
        await process.write(request.data[max(0, known) :], request.eof)
        return router.TaskExecStdinWriteResponse()

"""Sandboxes: directories of their own with the processes that run in them."""

import asyncio
import os
import shutil
import time
import uuid

from modal_proto.api_pb2 import GenericResult

from processes import Process

# How often somebody else's wish to end a sandbox is looked for.
POLL = 0.05


class Sandbox:
    def __init__(self, app, definition, image, env, tags, directory):
        # The SDK knows by the last letter that it is of the second kind.
        self.id = "sb-{}V".format(uuid.uuid4().hex[:22])
        self.task = "ta-{}V".format(uuid.uuid4().hex[:22])
        self.app = app
        self.definition = definition
        self.image = image
        self.tags = tags
        self.created = time.time()
        self.directory = directory
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": directory,
            "TMPDIR": os.path.join(directory, ".tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
            **(image.env if image else {}),
            **env,
            "MODAL_SANDBOX_ID": self.id,
        }
        self.result = GenericResult()
        self.ended = asyncio.Event()
        self.processes = {}

    async def start(self):
        if self.image:
            shutil.copytree(self.image.directory, self.directory, symlinks=True)
        os.makedirs(self.env["TMPDIR"])
        await self.run("main", list(self.definition.entrypoint_args), self.definition.workdir, {})
        self.watcher = asyncio.create_task(self._watch())

    async def run(self, name, argv, workdir, env):
        process = Process()
        await process.start(argv, self.locate(workdir), {**self.env, **env})
        self.processes[name] = process
        return process

    def locate(self, path):
        """A directory in the sandbox; the image's own one is where all of it is."""
        workdir = self.image.workdir if self.image else "/"
        if not path or path == workdir:
            return self.directory
        if path.startswith(workdir.rstrip("/") + "/") and workdir != "/":
            return os.path.join(self.directory, os.path.relpath(path, workdir))
        return path

    async def _watch(self):
        ended = asyncio.create_task(self.processes["main"].ended())
        done, _ = await asyncio.wait([ended], timeout=self.definition.timeout_secs or None)
        if not done:
            return self.finish(GenericResult.GENERIC_STATUS_TIMEOUT, 124)
        status = ended.result()
        good = GenericResult.GENERIC_STATUS_SUCCESS if status == 0 else GenericResult.GENERIC_STATUS_FAILURE
        self.finish(good, status)

    def finish(self, status, code):
        if self.ended.is_set():
            return
        self.result = GenericResult(status=status, exitcode=code)
        self.ended.set()
        for process in self.processes.values():
            process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.forget(self)


class Sandboxes:
    def __init__(self, state, variables):
        self.state = state
        self.variables = variables
        self.by_id = {}
        self.by_task = {}
        self.requests = os.path.join(state, "terminate")
        os.makedirs(self.requests, exist_ok=True)
        self._tell()

    async def create(self, app, definition, image, env, tags):
        directory = os.path.join(self.state, "sandbox-{}".format(len(self.by_id)))
        sandbox = Sandbox(app, definition, image, {**env, **self.variables}, tags, directory)
        sandbox.forget = lambda _: self._tell()
        self.by_id[sandbox.id] = self.by_task[sandbox.task] = sandbox
        await sandbox.start()
        self._tell()
        return sandbox

    def living(self):
        return [sandbox for sandbox in self.by_id.values() if not sandbox.ended.is_set()]

    async def terminate_on_request(self):
        """Ends the sandboxes whose ids are names of files in STATE/terminate, as somebody else's doing."""
        while True:
            await asyncio.sleep(POLL)
            for name in os.listdir(self.requests):
                os.remove(os.path.join(self.requests, name))
                if name in self.by_id:
                    self.by_id[name].finish(GenericResult.GENERIC_STATUS_TERMINATED, 137)

    def end(self):
        for sandbox in self.living():
            sandbox.finish(GenericResult.GENERIC_STATUS_TERMINATED, 137)

    def _tell(self):
        path = os.path.join(self.state, "living")
        with open(path + ".new", "w") as file:
            file.writelines(sandbox.id + "\n" for sandbox in self.living())
        os.replace(path + ".new", path)

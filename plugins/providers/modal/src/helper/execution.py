# Commands in sandboxes.

# How long after a command has ended its streams may say nothing: what it left running may hold them.
SILENCE_SECONDS = 2
# How long a command may go on that no longer takes its input.
DEAF_SECONDS = 5
# How long it may take to find out what has become of a sandbox.
DIAGNOSIS_SECONDS = 10


class Execution:
    # One command that runs.

    def __init__(self, process):
        self.process = process
        self.pieces = 0

    @classmethod
    async def start(cls, sandbox, line, env=None, directory=None):
        process = await sandbox.exec.aio("sh", "-c", line, env=env or None, workdir=directory, text=False)
        return cls(process)

    async def finish(self, give, source=None):
        # Gives its output as it comes, ("stdout" or "stderr", bytes), and returns its exit code.
        pumps = [
            asyncio.ensure_future(self._pump(self.process.stdout, "stdout", give)),
            asyncio.ensure_future(self._pump(self.process.stderr, "stderr", give)),
        ]
        ended = asyncio.ensure_future(self.process.wait.aio())
        feeding = asyncio.ensure_future(self._feed(source))
        try:
            await first_failure(pumps + [feeding], ended)
            await self._drain(pumps)
            return ended.result()
        finally:
            for task in pumps + [ended, feeding]:
                task.cancel()
                # One failure is told, and others are of the same kind.
                task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _pump(self, stream, name, give):
        async for data in stream:
            self.pieces += 1
            await give(name, data)

    async def _drain(self, pumps):
        # What is on its way may take longer than the command did.
        pending, before = pumps, -1
        while pending and self.pieces > before:
            before = self.pieces
            done, pending = await asyncio.wait(pending, timeout=SILENCE_SECONDS)
            for pump in done:
                pump.result()

    async def _feed(self, source):
        # Short commands of ours read nothing.
        if source is None:
            return
        stdin = self.process.stdin
        data = b""
        try:
            while data is not None:
                data = await source.get()
                if data:
                    stdin.write(data)
                    await stdin.drain.aio()
            stdin.write_eof()
            await stdin.drain.aio()
        except Exception:
            # A command may end, or close its input, before all was sent.
            if data:
                await asyncio.sleep(DEAF_SECONDS)
                raise


async def first_failure(tasks, ended):
    # Waits for `ended`, but not longer than until one of the others fails.
    pending = {ended, *tasks}
    while not ended.done():
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


class Kept:
    # The output of a short command.

    def __init__(self):
        self.text = {"stdout": b"", "stderr": b""}

    async def give(self, name, data):
        self.text[name] += data

    def complaint(self, code):
        said = self.text["stderr"][-2048:].decode("utf-8", "replace").strip()
        return said or "exit code {}".format(code)


async def capture(sandbox, line, directory=None, source=None):
    kept = Kept()
    execution = await Execution.start(sandbox, line, None, directory)
    return await execution.finish(kept.give, source), kept


async def diagnose(sandbox, error, doing):
    # Why a command could not be run to its end: mostly its sandbox is to blame.
    failure = translate(error, doing)
    if isinstance(error, Failure) or failure.code == "helper-failed":
        return failure
    try:
        fate = await asyncio.wait_for(fate_of(sandbox), DIAGNOSIS_SECONDS)
    except (modal.exception.AuthError, modal.exception.PermissionDeniedError) as refusal:
        return translate(refusal, doing)
    except Exception:
        message = "{}, and the sandbox cannot be reached".format(failure.message)
        return Failure("sandbox-lost", message, None, True)
    return fate or Failure("exec-lost", failure.message, failure.help, True)


async def fate_of(identity):
    # Nothing, if it lives.
    try:
        sandbox = await modal.Sandbox.from_id.aio(identity)
        if await sandbox.poll.aio() is None:
            return None
        await sandbox.wait.aio()
    except modal.exception.NotFoundError:
        return lost(identity)
    except modal.exception.SandboxTimeoutError:
        message = "sandbox {} reached the end of its lifetime".format(identity)
        return Failure("evicted", message, "raise `timeout_secs` in [provider]", True)
    except modal.exception.SandboxTerminatedError:
        return lost(identity)
    if sandbox.returncode == 137:
        message = "sandbox {} ended with exit code 137, as what has no memory left does".format(identity)
        return Failure("evicted", message, "raise `memory` in [provider]", True)
    return lost(identity)

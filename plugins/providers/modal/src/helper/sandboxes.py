# Sandboxes: making them, finding them again, ending them.

# What every sandbox of ours is tagged with, so that it can be found without knowing its id.
MARK = {"made-by": "offload"}
# How many sandboxes may be ended, or files copied, at the same time.
SIDE_BY_SIDE = 64
# What is sent to a sandbox at once.
PIECE = 1024 * 1024
# How often a sandbox is ended whose end fails, and how long after each time.
TRIES = 3
PAUSE_SECONDS = 0.5
# How long the end waits for sandboxes that are still on their way.
PATIENCE_SECONDS = 2


class Sandboxes:
    def __init__(self):
        self.apps = {}
        self.images = {}
        self.known = {}
        self.packed = {}
        # Creations that nobody waits for any more.
        self.abandoned = set()
        self.side_by_side = asyncio.Semaphore(SIDE_BY_SIDE)

    async def app(self, name):
        if name not in self.apps:
            self.apps[name] = asyncio.ensure_future(modal.App.lookup.aio(name, create_if_missing=True))
        try:
            return await asyncio.shield(self.apps[name])
        except Exception:
            # The next one tries again.
            self.apps.pop(name, None)
            raise

    async def find(self, sandbox):
        # One that was made before this process was started again is found by its id.
        identity = sandbox["id"]
        if identity not in self.known:
            self.known[identity] = await modal.Sandbox.from_id.aio(identity)
        return self.known[identity]

    async def prepare(self, params):
        app = await self.app(params["app"])
        image = described(params)
        self.images[await build(image, app)] = image
        return {"image": image.object_id}

    async def create(self, params):
        making = asyncio.ensure_future(self._make(params))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            # What is on its way may come up all the same, and nobody would know its id.
            abandoned = asyncio.ensure_future(self._abandon(making))
            self.abandoned.add(abandoned)
            abandoned.add_done_callback(self.abandoned.discard)
            raise

    async def _abandon(self, making):
        with contextlib.suppress(Exception):
            await self._end(await making)

    async def _make(self, params):
        identity = params["image"]
        image = self.images.get(identity) or modal.Image.from_id(identity)
        tags = {"run": params["run"], "name": params["name"], "created": str(int(time.time()))}
        sandbox = await modal.Sandbox.create.aio(
            "sleep",
            # Modal ends it before.
            str(params["lifetime"] + 60),
            app=await self.app(params["app"]),
            image=image,
            timeout=params["lifetime"],
            workdir=params.get("directory"),
            cpu=params.get("cpu"),
            memory=params.get("memory"),
            region=params.get("region"),
            secrets=self._secrets(params),
            tags={**MARK, **tags},
        )
        self.images[identity] = image
        self.known[sandbox.object_id] = sandbox
        try:
            scratch = await self._furnish(sandbox, params)
        except BaseException as error:
            # The host knows no id of it, so that nobody else would end it.
            left = await asyncio.shield(self._end({"id": sandbox.object_id}))
            if not isinstance(error, Exception):
                raise
            failure = translate(error, "furnishing a sandbox")
            failure.message += "; " + left if left else ""
            raise failure
        return {"id": sandbox.object_id, "scratch": scratch}

    def _secrets(self, params):
        named = [modal.Secret.from_name(name) for name in params["secrets"]]
        return named + ([modal.Secret.from_dict(params["env"])] if params["env"] else [])

    async def _furnish(self, sandbox, params):
        directory = params.get("directory")
        code, kept = await capture(sandbox, params["scratch"], directory)
        scratch = kept.text["stdout"].decode("utf-8", "replace").strip()
        if code != 0 or not scratch:
            message = "no directory could be made in a sandbox: {}".format(kept.complaint(code))
            raise Failure("exec-failed", message, "the image must have a POSIX shell, `mkdir` and `sleep`")
        for copy in params["copies"]:
            await self._copy(sandbox, copy, directory)
        return scratch

    async def _copy(self, sandbox, copy, directory):
        local, remote = copy["local"], copy["remote"]
        if not os.path.isdir(local):
            message = "{} is no directory, so it cannot be copied to {}".format(local, remote)
            raise Failure("copy-failed", message, "name existing directories in copy_dirs and --copy-dir")
        packed = await self._pack(local)
        greeting = copy["greeting"].encode("ascii") + b"\n"
        source = Pieces(itertools.chain([greeting], packed.pieces(PIECE)))
        code, kept = await capture(sandbox, copy["line"], directory, source)
        if copy["done"].encode() not in kept.text["stdout"]:
            message = "copying {} to {} failed: {}".format(local, remote, kept.complaint(code))
            raise Failure("copy-failed", message, "the image must have `tar`")

    async def _pack(self, directory):
        if directory not in self.packed:
            packing = asyncio.get_running_loop().run_in_executor(None, Packed, directory)
            self.packed[directory] = asyncio.ensure_future(packing)
        try:
            return await asyncio.shield(self.packed[directory])
        except OSError as error:
            # A file may have changed meanwhile: the next one tries again.
            self.packed.pop(directory, None)
            message = "{} could not be packed: {}".format(directory, one_line(error))
            raise Failure("copy-failed", message, "see whether all in it can be read", True)

    async def download(self, params):
        sandbox = await self.find(params["sandbox"])

        async def fetch(file):
            async with self.side_by_side:
                there = await fetched(sandbox, file, params)
                return None if there else file["remote"]

        missing = await asyncio.gather(*[fetch(file) for file in params["files"]])
        return {"missing": [remote for remote in missing if remote is not None]}

    async def run(self, params):
        # A short command, for its exit code.
        sandbox = await self.find(params["sandbox"])
        source = None
        if "stdin" in params:
            source = Pieces([params["stdin"].encode("utf-8")])
        code, kept = await capture(sandbox, params["line"], params.get("directory"), source)
        return {"code": code, "complaint": kept.complaint(code)}

    async def destroy(self, params):
        left = await asyncio.gather(*[self._end(sandbox) for sandbox in params["sandboxes"]])
        left = [said for said in left if said]
        if left:
            raise Failure("destroy-failed", "; ".join(left), "end them in the dashboard of Modal", True)
        return {}

    async def _end(self, sandbox):
        # Why it could not be ended, or nothing.
        identity = sandbox["id"]
        async with self.side_by_side:
            for attempt in range(TRIES):
                await asyncio.sleep(PAUSE_SECONDS if attempt else 0)
                try:
                    known = self.known.get(identity) or await modal.Sandbox.from_id.aio(identity)
                    await known.terminate.aio()
                except modal.exception.NotFoundError:
                    pass
                except Exception as error:
                    failure = "sandbox {} could not be terminated: {}".format(identity, one_line(error))
                    continue
                self.known.pop(identity, None)
                return None
        return failure

    async def leftovers(self, params):
        try:
            app = await modal.App.lookup.aio(params["app"])
        except modal.exception.NotFoundError:
            return []
        found = [sandbox async for sandbox in modal.Sandbox.list.aio(app_id=app.app_id, tags=MARK)]
        tags = await asyncio.gather(*[sandbox.get_tags.aio() for sandbox in found])
        return [described_by(known, sandbox.object_id) for sandbox, known in zip(found, tags)]

    async def close(self):
        # What is still on its way is ended when it comes up, and otherwise by Modal at the end of its lifetime.
        if self.abandoned:
            await asyncio.wait(self.abandoned, timeout=PATIENCE_SECONDS)


def described_by(tags, identity):
    created = tags.get("created", "")
    leftover = {"id": identity, "run": tags.get("run", ""), "name": tags.get("name", "")}
    return {**leftover, "created": int(created) if created.isdigit() else None}


class Pieces:
    # A standard input that is all there.

    def __init__(self, pieces):
        self.pieces = iter(pieces)

    async def get(self):
        return next(self.pieces, None)


async def fetched(sandbox, file, params):
    # Whether there was such a file.
    with open(file["local"], "wb") as local:

        async def give(name, data):
            if name == "stdout":
                local.write(data)
            else:
                kept.extend(data)

        kept = bytearray()
        execution = await Execution.start(sandbox, file["line"], None, params.get("directory"))
        code = await execution.finish(give)
    if code == 0:
        return True
    os.remove(file["local"])
    if code == params["missing"]:
        return False
    said = bytes(kept[-2048:]).decode("utf-8", "replace").strip() or "exit code {}".format(code)
    raise Failure("download-failed", "{} could not be read: {}".format(file["remote"], said), None, True)

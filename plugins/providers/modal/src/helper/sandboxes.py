# Sandboxes: making them, finding them again, ending them.

# What every sandbox of ours is tagged with, so that it can be found without knowing its id.
MARK = {"made-by": "offload"}
# How many sandboxes may be ended, or files copied, at the same time.
SIDE_BY_SIDE = 64
# What is sent to a sandbox at once.
PIECE = 1024 * 1024
# How long after the host has gone sandboxes are looked for that nobody else knows of.
SWEEP_SECONDS = 4


class Sandboxes:
    def __init__(self):
        self.apps = {}
        self.images = {}
        self.known = {}
        self.packed = {}
        # Runs that may have sandboxes that the host never heard of, and the names of their apps.
        self.suspects = {}
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
            self.suspects[sandbox["run"]] = sandbox["app"]
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
            abandoned = asyncio.ensure_future(self._abandon(making, params))
            self.abandoned.add(abandoned)
            abandoned.add_done_callback(self.abandoned.discard)
            raise

    async def _abandon(self, making, params):
        self.suspects[params["run"]] = params["app"]
        with contextlib.suppress(Exception):
            created = await making
            await self.known.pop(created["id"]).terminate.aio()

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
            # The host knows no id of it, so that nobody else can end it.
            try:
                await asyncio.shield(sandbox.terminate.aio())
            except Exception:
                self.suspects[params["run"]] = params["app"]
            if not isinstance(error, Exception):
                raise
            failure = await diagnose(sandbox.object_id, error, "furnishing a sandbox")
            # That it is gone by now is our own doing.
            raise failure if isinstance(error, Failure) else translate(error, "furnishing a sandbox")
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
        if local not in self.packed:
            packing = asyncio.get_running_loop().run_in_executor(None, Packed, local)
            self.packed[local] = asyncio.ensure_future(packing)
        packed = await asyncio.shield(self.packed[local])
        greeting = copy["greeting"].encode("ascii") + b"\n"
        source = Pieces(itertools.chain([greeting], packed.pieces(PIECE)))
        code, kept = await capture(sandbox, copy["line"], directory, source)
        if copy["done"].encode() not in kept.text["stdout"]:
            message = "copying {} to {} failed: {}".format(local, remote, kept.complaint(code))
            raise Failure("copy-failed", message, "the image must have `tar`")

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
            try:
                known = self.known.get(identity) or await modal.Sandbox.from_id.aio(identity)
                await known.terminate.aio()
            except modal.exception.NotFoundError:
                pass
            except Exception as error:
                if identity in self.known:
                    self.suspects[sandbox["run"]] = sandbox["app"]
                return "sandbox {} could not be terminated: {}".format(identity, one_line(error))
            self.known.pop(identity, None)
            return None

    async def leftovers(self, params):
        return [leftover async for _, leftover in self._tagged(params["app"], MARK)]

    async def _tagged(self, app, tags):
        try:
            found = await modal.App.lookup.aio(app)
        except modal.exception.NotFoundError:
            return
        sandboxes = [sandbox async for sandbox in modal.Sandbox.list.aio(app_id=found.app_id, tags=tags)]
        for sandbox, known in zip(sandboxes, await asyncio.gather(*[one.get_tags.aio() for one in sandboxes])):
            leftover = {"id": sandbox.object_id, "run": known.get("run", ""), "name": known.get("name", "")}
            created = known.get("created", "")
            yield sandbox, {**leftover, "created": int(created) if created.isdigit() else None}

    async def sweep(self):
        # Ends what this run may have left without anybody knowing: creations that were given up, or that an earlier process
        # had begun when it was killed.
        if self.abandoned:
            await asyncio.wait(self.abandoned, timeout=SWEEP_SECONDS / 2)
        for run, app in self.suspects.items():
            async for sandbox, _ in self._tagged(app, {**MARK, "run": run}):
                with contextlib.suppress(modal.exception.NotFoundError):
                    await sandbox.terminate.aio()


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

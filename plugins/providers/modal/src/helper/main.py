# The program itself.

INSTALL = "pip install 'modal==1.6.4'"
# What SIGKILL and SIGTERM make of a command.
KILLED = (137, 143)
# How long the end of a sandbox may take to be known.
SETTLE_SECONDS = 0.5
# How long Modal may say nothing before a person is told: the SDK itself goes on trying for a minute.
SILENCE_IS_ODD_SECONDS = 8

try:
    import modal
    import modal.exception
except ImportError:
    modal = None


class Helper:
    def __init__(self, peer):
        self.peer = peer
        self.sandboxes = Sandboxes()
        self.tasks = {}
        self.inputs = {}
        sandboxes = self.sandboxes
        # What each method does, and how a failure of it is called.
        self.methods = {
            "examine": (self.examine, "looking around"),
            "prepare": (self.prepare, "preparing the image"),
            "create": (sandboxes.create, "creating a sandbox"),
            "run": (sandboxes.run, "running a command"),
            "download": (sandboxes.download, "downloading files"),
            "destroy": (sandboxes.destroy, "destroying sandboxes"),
            "leftovers": (sandboxes.leftovers, "looking for sandboxes"),
        }

    async def serve(self):
        async for message in self.peer.messages():
            method, params = message["method"], message.get("params", {})
            if "id" in message:
                number = message["id"]
                if method == "exec":
                    self.inputs[number] = Input()
                self.tasks[number] = asyncio.ensure_future(self.handle(number, method, params))
            elif method == "stdin" and params["id"] in self.inputs:
                self.inputs[params["id"]].put(base64.b64decode(params["data"]))
            elif method == "stdin-end" and params["id"] in self.inputs:
                self.inputs[params["id"]].end()
            elif method == "cancel" and params["id"] in self.tasks:
                self.tasks[params["id"]].cancel()

    async def handle(self, number, method, params):
        try:
            await self.peer.answer(number, await self.answer(number, method, params))
        except Failure as failure:
            await self.peer.refuse(number, failure)
        finally:
            self.tasks.pop(number, None)
            self.inputs.pop(number, None)

    async def answer(self, number, method, params):
        self.check_version()
        if method == "exec":
            return await self.execute(number, params)
        if method not in self.methods:
            raise Failure("bad-call", "the helper has no method {}".format(method))
        function, doing = self.methods[method]
        try:
            return await function(params)
        except Exception as error:
            if "sandbox" in params:
                raise await diagnose(params["sandbox"]["id"], error, doing)
            raise translate(error, doing)

    async def execute(self, number, params):
        async def give(name, data):
            await self.peer.output(number, name, data)

        try:
            sandbox = await self.sandboxes.find(params["sandbox"])
            execution = await Execution.start(sandbox, params["line"], params["env"], params.get("directory"))
            code = await execution.finish(give, self.inputs[number])
            if code in KILLED:
                # Whoever ends a sandbox kills what runs there, which says nothing of the test.
                await asyncio.sleep(SETTLE_SECONDS)
                fate = await fate_of(params["sandbox"]["id"])
                if fate:
                    raise fate
            return {"code": code}
        except Exception as error:
            raise await diagnose(params["sandbox"]["id"], error, "running a command")

    def check_version(self):
        if modal is None:
            message = "the package `modal` cannot be imported by {}".format(sys.executable)
            raise Failure("sdk-missing", message, INSTALL)
        if not modal.__version__.startswith("1.6."):
            message = "version {} of the package `modal` is not known here, but 1.6".format(modal.__version__)
            raise Failure("sdk-unsupported", message, INSTALL)

    async def prepare(self, params):
        # The first thing that is asked of Modal, and one that it answers at once.
        app = asyncio.ensure_future(self.sandboxes.app(params["app"]))
        if not (await asyncio.wait([app], timeout=SILENCE_IS_ODD_SECONDS))[0]:
            text = "Modal has not answered for {} s: see whether {} can be reached from here"
            await self.peer.log("warn", text.format(SILENCE_IS_ODD_SECONDS, modal.config.config["server_url"]))
        await app
        return await self.sandboxes.prepare(params)

    async def examine(self, params):
        found = "{} with {}".format(modal.__version__, sys.executable)
        findings = [{"subject": "modal SDK", "problem": False, "message": found}]
        try:
            client = await modal.Client.from_env.aio()
            await client.hello.aio()
            findings.append({"subject": "modal account", "problem": False, "message": "logged in"})
        except Exception as error:
            failure = translate(error, "logging in to Modal")
            message = {"problem": True, "message": failure.message, "remedy": failure.help}
            findings.append({"subject": "modal account", **message})
        if params["dockerfile"]:
            try:
                described({**params, "rebuild": False})
                message = {"problem": False, "message": params["dockerfile"]}
            except Failure as failure:
                message = {"problem": True, "message": failure.message, "remedy": failure.help}
            findings.append({"subject": "dockerfile", **message})
        return findings


async def main(stdout):
    helper = Helper(await Peer.connect(stdout))
    await helper.serve()
    tasks = list(helper.tasks.values())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await helper.sandboxes.close()


asyncio.run(main(take_stdout()))
# Connections that are still open must not hold up the end.
os._exit(0)

# Images, and what is printed while one is built.

# How much of it a failure tells: what went wrong is said last.
KEPT_LINES = 20


class Said:
    # Stands in for the standard output: everything goes to standard error, the last lines are kept.

    def __init__(self):
        self.lines = []
        self.begun = ""

    def write(self, text):
        sys.stderr.write(text)
        *ended, self.begun = (self.begun + text).split("\n")
        self.lines = (self.lines + [line for line in ended if line.strip()])[-KEPT_LINES:]
        return len(text)

    def flush(self):
        sys.stderr.flush()

    def isatty(self):
        return False


def described(params):
    # The image that the settings name, which is not there yet.
    rebuild = params["rebuild"]
    if params.get("dockerfile"):
        path = params["dockerfile"]
        if not os.path.isfile(path):
            message = "there is no {} in {}".format(path, os.getcwd())
            raise Failure("no-dockerfile", message, "set `dockerfile` in [provider] to a file that exists")
        context = params.get("context") or "."
        return modal.Image.from_dockerfile(path, context_dir=context, force_build=rebuild)
    name = params["image"]
    if name.startswith("im-"):
        return modal.Image.from_id(name)
    return modal.Image.from_registry(name, force_build=rebuild)


async def build(image, app):
    said = Said()
    try:
        with contextlib.redirect_stdout(said), modal.enable_output():
            await image.build.aio(app)
    except modal.exception.ImageBuildError as error:
        lines = said.lines + [line for line in str(error).splitlines() if line.strip()]
        message = "the image could not be built:\n{}".format("\n".join(lines[-KEPT_LINES:]))
        raise Failure("image-build-failed", message)
    return image.object_id


class Packed:
    # A directory as a tar archive, made once and sent to every sandbox.

    def __init__(self, directory):
        self.file = tempfile.TemporaryFile()
        with tarfile.open(fileobj=self.file, mode="w", format=tarfile.GNU_FORMAT) as archive:
            self._add(archive, directory, ".")
        self.size = self.file.tell()

    def _add(self, archive, path, name):
        # Discovery, which runs meanwhile, may remove a file of its own.
        try:
            archive.add(path, name, recursive=False)
            children = sorted(os.listdir(path)) if os.path.isdir(path) and not os.path.islink(path) else []
        except FileNotFoundError:
            if name == ".":
                raise
            return
        for child in children:
            self._add(archive, os.path.join(path, child), name + "/" + child)

    def pieces(self, size):
        # Any number of sandboxes are sent it at the same time.
        for offset in range(0, self.size, size):
            yield os.pread(self.file.fileno(), size, offset)

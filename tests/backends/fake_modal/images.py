"""Images: directories that sandboxes begin as copies of.

Of a Dockerfile they know WORKDIR, which names the one directory that an image has; COPY and RUN, which happen in it; and ENV.
What FROM says is ignored, but for an image of our own.
"""

import asyncio
import os
import shlex
import shutil
import uuid


class Image:
    def __init__(self, directory):
        self.id = "im-" + uuid.uuid4().hex[:22]
        self.directory = directory
        self.workdir = "/"
        self.env = {}
        self.definition = None
        self.failure = None
        self.is_built = False

    def locate(self, path):
        """Where that is on this machine."""
        inside = os.path.join(self.workdir, path)
        if inside == self.workdir:
            return self.directory
        return os.path.join(self.directory, os.path.relpath(inside, self.workdir))


class Images:
    def __init__(self, state):
        self.state = state
        self.images = {}
        self.mounts = {}
        self.files = {}

    def find_or_add(self, definition, rebuild):
        key = definition.SerializeToString(deterministic=True)
        for image in self.images.values():
            if image.definition.SerializeToString(deterministic=True) == key and image.is_built and not rebuild:
                return image
        image = Image(os.path.join(self.state, "image-{}".format(len(self.images))))
        image.definition = definition
        self.images[image.id] = image
        return image

    async def build(self, image):
        """Yields what is printed meanwhile; what went wrong is in `failure`."""
        os.makedirs(image.directory, exist_ok=True)
        text = "\n".join(image.definition.dockerfile_commands).replace("\\\n", " ")
        for number, line in enumerate(filter(_says_something, text.splitlines())):
            yield "=> Step {}: {}\n".format(number, line)
            instruction, _, rest = line.strip().partition(" ")
            step = getattr(self, "_" + instruction.lower(), None)
            if step is None:
                image.failure = "the fake knows no {}".format(instruction)
                return
            async for said in step(image, rest.strip()):
                yield said
            if image.failure:
                return
        image.is_built = True

    async def _from(self, image, rest):
        for base in image.definition.base_images:
            if base.docker_tag == rest:
                known = self.images[base.image_id]
                shutil.copytree(known.directory, image.directory, symlinks=True, dirs_exist_ok=True)
                image.workdir, image.env = known.workdir, dict(known.env)
        return
        yield

    async def _workdir(self, image, rest):
        image.workdir = rest
        return
        yield

    async def _env(self, image, rest):
        image.env.update(word.split("=", 1) for word in shlex.split(rest))
        return
        yield

    async def _copy(self, image, rest):
        *sources, target = shlex.split(rest)
        for file in self.mounts.get(image.definition.context_mount_id, []):
            name = file.filename.lstrip("/")
            for source in sources:
                source = os.path.normpath(source)
                if source == "." or name == source or name.startswith(source + "/"):
                    inside = name if source == "." else os.path.relpath(name, source)
                    path = os.path.join(image.locate(target), os.path.basename(name) if inside == "." else inside)
                    self._write(path, file)
        return
        yield

    def _write(self, path, file):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as output:
            output.write(self.files[file.sha256_hex])
        if file.mode:
            os.chmod(path, file.mode & 0o777)

    async def _run(self, image, rest):
        pipe, both = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
        child = await asyncio.create_subprocess_shell(
            rest, cwd=image.directory, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=both
        )
        async for line in child.stdout:
            yield line.decode("utf-8", "replace")
        status = await child.wait()
        if status != 0:
            image.failure = "RUN {} ended with exit code {}".format(rest, status)


def _says_something(line):
    return line.strip() and not line.lstrip().startswith("#")

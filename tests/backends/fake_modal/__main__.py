"""A stand-in for Modal's servers, for the real SDK: sandboxes are directories, and commands are processes of this machine.

    python tests/backends/fake_modal STATE [NAME=VALUE...]

The variables are in the environment of every sandbox. It needs the `modal` package, whose protocol definitions it speaks, and prints its port. In STATE it keeps `living`, the ids of
the sandboxes that exist, and `calls`, a line for each call that was made. What should go wrong is said there, too: see
faults.py. It ends with its standard input.

It proves that the SDK is spoken to rightly, and what becomes of a run in which things fail. It isolates nothing, and builds of a
Dockerfile only what images.py says.
"""

import asyncio
import os
import signal
import sys

from grpclib.server import Server
from modal_proto.api_grpc import ModalClientBase
from modal_proto.task_command_router_grpc import TaskCommandRouterBase

from control import Control
from faults import Faults
from images import Images
from router import Router
from sandboxes import Sandboxes
from service import service


async def main(state, variables):
    os.makedirs(state, exist_ok=True)
    faults = Faults(state)
    images = Images(state)
    sandboxes = Sandboxes(state, dict(variable.split("=", 1) for variable in variables))
    calls = open(os.path.join(state, "calls"), "a", buffering=1)
    control = Control(faults, images, sandboxes)
    router = Router(faults, sandboxes)
    server = Server([
        service(ModalClientBase, control, calls, faults),
        service(TaskCommandRouterBase, router, calls, faults),
    ])
    await server.start("127.0.0.1", 0)
    port = server._server.sockets[0].getsockname()[1]
    control.router_url = "http://127.0.0.1:{}".format(port)
    print(port, flush=True)

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), lambda: os.read(sys.stdin.fileno(), 1024) or ended.set())
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    terminator = asyncio.create_task(sandboxes.terminate_on_request())
    await ended.wait()
    terminator.cancel()
    sandboxes.end()
    server.close()


asyncio.run(main(sys.argv[1], sys.argv[2:]))

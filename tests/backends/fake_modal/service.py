"""A gRPC service made of the methods that an object has."""

import inspect

from grpclib import GRPCError, Status

# What takes the stream of requests itself.
TAKES_A_STREAM = {"TaskExecStdinWriteStream"}


def service(base, implementation, calls, faults):
    """`base` as grpclib generated it; what `implementation` lacks is answered as unimplemented."""
    handlers = {name: _handler(name, implementation, calls, faults) for name in base.__abstractmethods__}
    return type(type(implementation).__name__, (base,), handlers)()


def _handler(name, implementation, calls, faults):
    answer = getattr(implementation, name, None)

    async def handle(_, stream):
        calls.write(name + "\n")
        if answer is None:
            calls.write("UNIMPLEMENTED {}\n".format(name))
            raise GRPCError(Status.UNIMPLEMENTED, "the fake has no {}".format(name))
        if faults.strikes("refuse"):
            raise GRPCError(Status.UNAUTHENTICATED, "Token missing. Could not authenticate client.")
        request = stream if name in TAKES_A_STREAM else await stream.recv_message()
        if inspect.isasyncgenfunction(answer):
            async for message in answer(request):
                await stream.send_message(message)
        else:
            await stream.send_message(await answer(request))

    return handle

# What went wrong, in the words that the host knows.

LOG_IN = "run `modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET"


class Failure(Exception):
    def __init__(self, code, message, help=None, retryable=False):
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.retryable = retryable


def lost(sandbox):
    return Failure("sandbox-lost", "sandbox {} is gone: somebody or something else ended it".format(sandbox), None, True)


def one_line(error):
    text = " ".join(str(error).split())
    return text or type(error).__name__


def translate(error, doing):
    # `doing` says what failed, as in "creating a sandbox".
    if isinstance(error, Failure):
        return error
    kinds = modal.exception
    message = "{} failed: {}".format(doing, one_line(error))
    if isinstance(error, kinds.AuthError):
        return Failure("not-logged-in", message, LOG_IN)
    if isinstance(error, kinds.PermissionDeniedError):
        return Failure("not-permitted", message, "see whether the token belongs to the right workspace of Modal")
    if isinstance(error, kinds.VersionError):
        return Failure("sdk-unsupported", message, INSTALL)
    if isinstance(error, kinds.ResourceExhaustedError):
        return Failure("no-capacity", message, None, True)
    if isinstance(error, kinds.NotFoundError):
        return Failure("not-found", message, "see whether it exists in this workspace and environment of Modal")
    if isinstance(error, (kinds.InvalidError, kinds.RequestSizeError, kinds.UnimplementedError)):
        return Failure("refused", message)
    from_below = isinstance(error, (kinds.Error, OSError, asyncio.TimeoutError))
    if from_below or type(error).__module__.startswith("grpclib"):
        # What is left are servers and connections that do not work at this moment, by many names.
        return Failure("unavailable", message, None, True)
    return Failure("helper-failed", "{} failed: {!r}".format(doing, error))

# The program itself.


def give_up(journal, code, message, help):
    journal.write("unusable", code=code, message=one_line(message), help=help)
    sys.stderr.write("offload: {}\n".format(message))
    sys.exit(4)


def import_pytest(journal):
    try:
        import pytest
    except ImportError as error:
        give_up(
            journal,
            "pytest-missing",
            "pytest cannot be imported by {} ({})".format(sys.executable, error),
            "install pytest there, or set `python` in the group to a command that has it",
        )
    # Processes that tests start by multiprocessing look up what the main module is.
    this, spec = sys.modules["__main__"], importlib.util.find_spec("pytest.__main__")
    this.__spec__, this.__file__, this.__package__ = spec, spec.origin, "pytest"
    return pytest


def read_request(journal):
    # One line, so that a standard input that is never closed does no harm.
    line = b""
    try:
        with open(0, "rb", closefd=False) as stdin:
            line = stdin.readline()
    except OSError:
        pass
    if line.endswith(b"\n"):
        return json.loads(line.decode("utf-8"))
    give_up(
        journal,
        "no-stdin",
        "no test ids arrived on the standard input of pytest" if not line else "the list of test ids arrived cut short",
        "have the exec command of the provider pass its standard input on",
    )


def take_stdin():
    # Ours alone: a test that reads finds nothing.
    ours = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return ours


def begin_work(scratch):
    orders = Orders(take_stdin())
    greeting = orders.next(True)
    if greeting is None:
        sys.exit("offload: nothing arrived on the standard input of pytest")
    # The nonce is nowhere that a test would come across.
    pipe = Pipe(scratch, greeting["greet"], os.dup(1))
    pipe.write("ready")
    return pipe, orders


def main():
    mode, path, nonce = sys.argv[1:4]
    told, arguments = json.loads(sys.argv[4]), sys.argv[5:]
    ending = Ending(told["grace"])
    name_worker()
    if sys.path and sys.path[0] == "":
        sys.path[0] = os.getcwd()  # As `python -m` has it.
    if mode in ("discover", "run"):
        journal = Journal(path, nonce)
        request = read_request(journal) if mode == "run" else None
        os.close(take_stdin())
    else:
        journal, orders = begin_work(path)
    ending.records = journal
    ground = Ground(journal)
    pytest = import_pytest(journal)
    sys.argv = [sys.modules["__main__"].__file__] + arguments
    discovers = mode in ("discover", "discover-and-work")
    options = Options(journal, discovers)
    Collection, Discovery, Recording = make_collection(pytest), make_discovery(pytest), make_recording(pytest)
    if mode == "discover":
        plugin = Discovery(journal, ground, options)
    elif mode == "run":
        plugin = make_batch(pytest, Collection, Recording)(journal, ground, options, request)
    else:
        worker = make_worker(pytest, Collection, Discovery, Recording)
        plugin = worker(journal, ground, options, orders, discovers)
    verdict = make_verdict(pytest)(journal)
    neighbours = make_neighbours(pytest)(journal, discovers, told["group"])
    plugins = [neighbours, make_fork_watch(pytest)(), plugin, verdict]
    error = None
    try:
        status = int(pytest.main(arguments, plugins=plugins))
    except BaseException as raised:
        error, status = raised, status_of(raised)
    if error is not None and verdict.natural is None:
        journal.write(
            "unusable",
            code="discovery-failed" if mode == "discover" else "pytest-failed",
            message=one_line("pytest was ended by {}".format(text_of(error))),
            help="something that pytest loads, such as a conftest.py or a plugin, raised this",
        )
    verdict.judge(plugin, plugin if mode == "discover" else getattr(plugin, "discovery", None), status, error)
    journal.write("exit", status=status, warnings=getattr(plugin, "warnings", 0))
    ending.session = verdict.session
    ending.begin(status)
    if error is not None:
        raise error
    sys.stdout.flush()
    sys.exit(status)


main()

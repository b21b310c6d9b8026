# The directory that pytest was started in.


class Ground:
    # Somebody may clear it away while tests run, with all that it holds. What pytest then says of a test, or of how many
    # there are, is about that. Bound here, before any test can patch it.

    def __init__(self, records):
        self._records = records
        self._path = os.getcwd()
        self._stat, self._exit = os.stat, os._exit

    def hold(self):
        # To be asked before anything bad is told. What was told before stays; the rest is for another sandbox.
        try:
            self._stat(self._path)
        except (FileNotFoundError, NotADirectoryError):
            self._records.write("gone")
            sys.stderr.write("offload: {} is gone\n".format(self._path))
            sys.stderr.flush()
            self._exit(1)
        except OSError:
            pass

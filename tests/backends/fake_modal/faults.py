"""What should go wrong: files in STATE/faults, made before a run or in the middle of it.

A file's name says what, and its text how often ("2", or "always"), after which a second word may narrow it down to what
mentions that word:

    fail-create       a sandbox is refused for want of room
    hang-create       a creation does not end
    slow-create       the text says how many seconds each creation takes
    fail-terminate    a termination fails
    drop-exec         the server forgets a command half a second after it began
    oom-exec          the sandbox of a command runs out of memory half a second after it began
    refuse            all calls are refused as not authenticated
"""

import os


class Faults:
    def __init__(self, state):
        self.directory = os.path.join(state, "faults")
        os.makedirs(self.directory, exist_ok=True)

    def seconds(self, name):
        return float(self._words(name)[0] or 0)

    def strikes(self, name, text=""):
        """Whether this goes wrong now, which uses it up once."""
        often, mention = self._words(name)
        if not often or mention not in text:
            return False
        if often != "always":
            self._set(name, int(often) - 1, mention)
        return True

    def _words(self, name):
        try:
            with open(os.path.join(self.directory, name)) as file:
                often, _, mention = file.read().strip().partition(" ")
                return often, mention
        except FileNotFoundError:
            return "", ""

    def _set(self, name, often, mention):
        path = os.path.join(self.directory, name)
        if often <= 0:
            os.remove(path)
            return
        with open(path, "w") as file:
            file.write("{} {}".format(often, mention))

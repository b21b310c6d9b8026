"""The plugin without offload: its scripts are run by themselves, and by calls whose processes are this machine's."""

import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import app
import scripts
from componentize_py_types import Err
from wit_world.exports.provider import SandboxSpec, Transfer
from wit_world.imports import host, process
from wit_world.imports.types import Captured, Command, Exit_Code


def capture(command: Command, stdin: bytes) -> Captured:
    """What offload does when the plugin asks it to run something."""
    ended = subprocess.run(command.argv, input=stdin, capture_output=True)
    return Captured(Exit_Code(ended.returncode), ended.stdout, ended.stderr)


class ProviderTest(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = Path(place.name).resolve()
        (self.place / "it's a project").mkdir()
        (self.place / "it's a project" / "a.txt").write_text("a")
        self.provider = app.Provider()
        settings = f'{{"working_dir": "{self.place}/it\'s a project"}}'
        for module, name, value in [
            (host, "settings", lambda: settings),
            (process, "capture", capture),
            (process, "run", lambda command, _: capture(command, b"").exit),
        ]:
            patch = mock.patch.object(module, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def create(self, **more: object) -> str:
        spec = {"name": "one", "slot": 0, "run_id": "r", "image": None, "env": [], "cwd": None, "copy_dirs": [], "isolated": False}
        created = self.provider.create(SandboxSpec(**spec | more))
        self.assertEqual(created.scratch_root, f"{created.sandbox}/tmp")
        self.addCleanup(self.provider.destroy, [created.sandbox])
        return created.sandbox

    def test_a_sandbox_has_copies_and_goes_away(self) -> None:
        (self.place / "data").mkdir()
        (self.place / "data" / "b.txt").write_text("b")
        sandbox = self.create(copy_dirs=[Transfer(f"{self.place}/data", "in/side")])
        self.assertEqual(Path(sandbox, "work", "a.txt").read_text(), "a")
        self.assertEqual(Path(sandbox, "work", "in", "side", "b.txt").read_text(), "b")
        for _ in ["there", "already gone"]:
            self.provider.destroy([sandbox])
            self.assertFalse(Path(sandbox).exists())

    def test_what_could_not_be_made_leaves_nothing(self) -> None:
        ended = subprocess.run(scripts.create(f"{self.place}/x-", "/nowhere", []), capture_output=True, env={"TMPDIR": "/"})
        self.assertNotEqual(ended.returncode, 0)
        self.assertEqual(list(self.place.glob("x-*")), [])
        with self.assertRaises(Err) as raised:
            self.create(copy_dirs=[Transfer(f"{self.place}/none", "data")])
        self.assertTrue(raised.exception.value.retryable)

    def test_commands_run_in_the_copy_with_their_words_and_variables(self) -> None:
        sandbox = self.create()
        script = """printf '%s|' "$PWD" "$ONE" "$@" >out; exit 3"""
        words = ["a b", "", "c=d", "*", "it's $HOME"]
        command = Command(["sh", "-c", script, "x", *words], [("ONE", "`id`\nand more")], None)
        self.assertEqual(self.provider.exec(sandbox, "1", command, mock.Mock()), Exit_Code(3))
        expected = [str(Path(sandbox, "work").resolve()), "`id`\nand more", *words]
        self.assertEqual(Path(sandbox, "work", "out").read_text(), "".join(f"{word}|" for word in expected))

    def test_files_are_fetched_and_those_that_are_missing_are_told(self) -> None:
        sandbox = self.create()
        files = [Transfer(f"{self.place}/{number}", remote) for number, remote in enumerate(["none", "a.txt", f"{sandbox}/tmp/x"])]
        self.assertEqual(self.provider.download(sandbox, files), ["none", f"{sandbox}/tmp/x"])
        self.assertEqual((self.place / "1").read_text(), "a")

    def test_only_directories_of_ours_are_touched(self) -> None:
        for sandbox in ["", "/", "/tmp", f"/tmp/{app.PREFIX}", f"{app.PREFIX}x", f"/tmp/../{app.PREFIX}x", f"/{app.PREFIX}x/.."]:
            with self.assertRaises(Err, msg=sandbox) as raised:
                self.provider.destroy([sandbox])
            self.assertEqual(raised.exception.value.code, "unknown-sandbox")

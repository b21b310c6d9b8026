"""What may be set."""

import json
import unittest

from componentize_py_types import Err
from settings import SCHEMA, Settings


class SettingsTest(unittest.TestCase):
    def test_everything_has_a_default(self) -> None:
        self.assertEqual(Settings.parse("{}"), Settings())
        self.assertEqual(Settings().python_words(), ["python3"])

    def test_the_schema_says_what_can_be_set(self) -> None:
        self.assertEqual(set(SCHEMA["properties"]), set(Settings.__dataclass_fields__))
        for name, key in SCHEMA["properties"].items():
            self.assertEqual(key.get("default"), getattr(Settings(), name))
            self.assertTrue(key["description"])

    def test_python_is_a_command(self) -> None:
        self.assertEqual(Settings.parse('{"python": "uv run \'my python\'"}').python_words(), ["uv", "run", "my python"])
        for python in ["", " ", "'"]:
            with self.assertRaises(Err) as raised:
                Settings.parse(json.dumps({"python": python}))
            self.assertEqual(raised.exception.value.code, "invalid-settings")

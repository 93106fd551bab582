"""The workflow with its own functions, on virtual time: no server, no worker, and nobody waits."""

import os
import pathlib
import tempfile
import unittest
from typing import Any, List
from unittest import mock

import baton
import tasks
from baton.testing import Played, run
from pipeline import pipeline

TASKS: List[baton.Task[Any]] = [tasks.find, tasks.count, tasks.merge, tasks.publish]


class WordList(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "a.txt").write_text("one two two\n")
        (self.folder / "b.txt").write_text("Two three\n")
        self.output = self.folder / "words"

    def play(self, **scenario: Any) -> Played:
        return run(pipeline(), {"folder": str(self.folder), "output": str(self.output), "top": 2}, tasks=TASKS, **scenario)

    def test_a_function_is_a_function(self) -> None:
        self.assertEqual(tasks.merge([{"a": 1}, {"a": 1, "b": 1}], 1), [("a", 2)])

    def test_words_are_counted_and_published(self) -> None:
        played = self.play()
        self.assertEqual(played.result, {"path": str(self.output), "words": 2})
        self.assertEqual(self.output.read_text(), "3 two\n1 one\n")
        self.assertEqual(played.results["count"], [{"one": 1, "two": 2}, {"two": 1, "three": 1}])

    def test_an_embargo_is_waited_for(self) -> None:
        exists = os.path.exists
        answers = iter([True] * 6)
        with mock.patch("tasks.os.path.exists", lambda path: next(answers, False) if path.endswith(".embargo") else exists(path)):
            played = self.play()
        self.assertEqual((played.run and played.run.status, played.task("publish").attempts), ("completed", 7))
        self.assertGreaterEqual(played.duration, 6 * 600)  # an hour, of which nobody has noticed anything

    def test_a_document_that_cannot_be_read(self) -> None:
        (self.folder / "c.txt").write_bytes(b"\xff")
        played = self.play()
        assert played.run is not None and played.run.error is not None
        self.assertEqual((played.run.status, played.run.error.type), ("failed", "UnicodeDecodeError"))
        self.assertFalse(self.output.exists())

    def test_a_publisher_that_is_down_for_ever(self) -> None:
        played = self.play(steps={"publish": {"error": "connection"}})
        self.assertEqual(played.task("publish").attempts, 20)
        with self.assertRaises(Exception):
            played.result


if __name__ == "__main__":
    unittest.main()

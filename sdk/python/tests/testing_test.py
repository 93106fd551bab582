"""Scenarios from Python."""

import unittest

import baton
from baton.testing import play
from harness import PROGRAM

FLOW = baton.Workflow("w")
FLOW.step("a", task="f", retry={"max_attempts": 2, "initial": "1h", "jitter": "none"})


class Play(unittest.TestCase):
    def test_skips_time(self):
        played = play(FLOW, {"good": {"expect": {"status": "completed"}}}, steps={"a": [{"error": "x"}, {"result": 3}]},
                      program=PROGRAM, restart_every=1)
        self.assertEqual([(one.name, one.status, one.duration) for one in played], [("good", "passed", 3600.0)])

    def test_says_what_is_wrong(self):
        with self.assertRaisesRegex(AssertionError, 'bad: .*expected "failed"'):
            play(FLOW, {"bad": {"expect": {"status": "failed"}}}, steps={"a": {"result": 1}}, program=PROGRAM)

    def test_scenarios_that_cannot_be_read(self):
        with self.assertRaisesRegex(baton.BatonError, "expects"):
            play(FLOW, {"x": {"expects": {}}}, program=PROGRAM)


if __name__ == "__main__":
    unittest.main()

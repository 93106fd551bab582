"""The clock on the wall jumps under the real program (R10): nothing comes early, nothing that runs is taken for lost."""

import time
import unittest

from harness.case import BatonCase
from harness.faults import Faults
from harness.invariants import check_attempts, check_database

DAY = 86_400
JUMPS = (DAY, -DAY, 3600, 0)
DELAY = 3.0


class ClockTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.faults = Faults(self.dir)
        self.addCleanup(self.faults.close)

    def definition(self):
        flaky = ("sh", "-c", 'grep -q "^$BATON_TASK_ID .* end 1$" "$LEDGER"')
        return self.workflow({
            # Leases, heartbeats and limits of time are measured while the clock jumps.
            "long": self.step("long", *self.gate("long"), timeout="1h"),
            "alive": self.step("alive", *self.gate("long"), timeout={"heartbeat": "10m"}),
            "flaky": self.step("flaky", *flaky, retry={"max_attempts": 2, "backoff": "fixed", "initial": DELAY,
                                                       "jitter": "none"}),
            "waits": {"wait": {"for": DELAY}},
            "after": self.step("after", needs=["flaky", "waits", "long", "alive"]),
        }, deadline="2h")

    def times(self, run):
        return {task["step"]: task["status"] for task in self.api().tasks(run)}

    def test_timers_and_leases_do_not_care(self):
        self.keep_owner("--concurrency", "6", env=self.faults.environment)
        self.assertGreater(self.faults.attached, 0, "the library is not loaded")
        for jump in JUMPS:
            with self.subTest(jump=jump):
                (self.dir / "gate.long").unlink(missing_ok=True)
                begin = time.monotonic()
                run = self.api().submit(self.definition(), f"key-{self.random.random()}")[1]["id"]
                self.eventually(lambda: self.times(run)["flaky"] == "retrying" and self.times(run)["waits"] == "running",
                                "the delays")
                self.faults.shift_clock(jump)
                # It fired when it was due, neither early nor only after the clock has caught up.
                self.eventually(lambda: self.times(run)["waits"] == "completed", "the wait's end", 60)
                self.assertGreaterEqual(time.monotonic() - begin, DELAY)
                self.eventually(lambda: self.times(run)["flaky"] == "completed", "the retry", 60)
                self.assertGreaterEqual(time.monotonic() - begin, DELAY)
                self.assertEqual((self.times(run)["long"], self.times(run)["alive"]), ("running", "running"))
                self.open_gate("long")
                ended = self.api().wait(run)
                self.assertEqual(ended["status"], "completed", ended)
                for task in map(lambda t: self.api().task(t["id"]), self.api().tasks(run)):
                    self.assertEqual((task["lost"], task["interrupted"]), (0, 0), task)
                    if task["step"] != "flaky":
                        self.assertEqual(task["attempts"], 1, task)

    def test_a_clock_that_was_set_back_while_there_was_no_owner(self):
        self.keep_owner("--concurrency", "6", env=self.faults.environment)
        run = self.api().submit(self.definition(), "key")[1]["id"]
        self.eventually(lambda: self.times(run)["flaky"] == "retrying", "the delay")
        self.kill_owner()
        self.faults.shift_clock(-DAY)
        self.keep_owner("--concurrency", "6", env=self.faults.environment)
        self.open_gate("long")
        self.assertEqual(self.api().wait(run)["status"], "completed")
        for task in self.api().tasks(run):
            check_attempts(self, self.api().task(task["id"])) if task["step"] != "flaky" else None
        self.kill_owner()
        check_database(self, self.data)


if __name__ == "__main__":
    unittest.main()

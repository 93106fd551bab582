"""Ctrl-C: the first cancels, the second terminates, the third leaves (SEMANTICS 33)."""

import json
import signal
import unittest

from harness.case import BatonCase
from harness.invariants import check_run

# Both say when they are ready for signals. One ends when it is asked to, one does not.
POLITE = ("sh", "-c", "trap 'exit 9' TERM; : >$LEDGER.ready.$BATON_RUN_ID; while :; do sleep 0.05; done")
STUBBORN = ("sh", "-c", "trap '' TERM; : >$LEDGER.ready.$BATON_RUN_ID; while :; do sleep 0.05; done")


class SignalsTest(BatonCase):
    def begin(self, command, tidy=("true",)):
        path = self.write(self.workflow({
            "work": self.step("work", *command),
            "after": self.step("after", needs=["work"]),
        }, **{"finally": {"tidy": self.step("tidy", *tidy)}}))
        process = self.start("run", path, "--output", "json")
        return process, self.ready()

    def ready(self):
        """The run whose task is ready for signals, the newest one."""
        run = self.eventually(lambda: self.owner_pid() and self.api().runs(), "a run")[0]["id"]
        self.eventually(lambda: (self.dir / f"ledger.ready.{run}").exists(), "the task")
        return run

    def says(self, process, text):
        self.eventually(lambda: text in self.said(process), f'"{text}"')

    def check_cancelled(self, process, run):
        self.ended(process, 3)
        self.assertEqual(json.loads(self.said(process, "out"))["run"]["status"], "cancelled")
        self.keep_owner()
        _, tasks = check_run(self, self.api(), run, self.ledger)
        self.assertEqual({task["step"]: task["status"] for task in tasks},
                         {"work": "cancelled", "after": "cancelled", "tidy": "completed"})
        self.assertEqual(self.ledger.count("start", "after"), 0)
        self.assertEqual(self.ledger.count("end", "tidy"), 1)

    def test_the_first_one_cancels(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number.name):
                self.doCleanups()
                self.setUp()
                process, run = self.begin(POLITE)
                process.send_signal(number)
                self.check_cancelled(process, run)

    def test_the_second_one_terminates(self):
        process, run = self.begin(STUBBORN)
        process.send_signal(signal.SIGINT)
        self.says(process, "cancelling")
        self.eventually(lambda: self.api().run(run)["status"] == "cancelling", "the cancel")
        process.send_signal(signal.SIGINT)
        self.says(process, "terminating")
        self.check_cancelled(process, run)
        self.assert_no_task_lives()

    def test_a_task_that_ignores_sigterm_is_killed_after_the_grace(self):
        process, run = self.begin(STUBBORN)
        process.send_signal(signal.SIGTERM)
        self.check_cancelled(process, run)
        self.assert_no_task_lives()

    def test_the_third_one_leaves_and_the_run_stays_resumable(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(signal=number.name):
                self.doCleanups()
                self.setUp()
                process, run = self.begin(STUBBORN, tidy=self.gate("tidy"))
                process.send_signal(number)
                self.says(process, "cancelling")
                process.send_signal(number)
                self.says(process, "terminating")
                self.eventually(lambda: self.ledger.count("start", "tidy"), "finally")
                process.send_signal(number)
                self.ended(process, code)
                self.assertIn("--resume " + run, self.said(process))
                self.assert_no_task_lives()
                self.open_gate("tidy")
                self.baton("run", "--resume", run, code=3)
                self.keep_owner()
                check_run(self, self.api(), run, self.ledger)
                self.assertEqual(self.ledger.count("start", "work"), 1)

    def test_a_signal_to_a_guest_cancels_only_its_run(self):
        owner, mine = self.begin(POLITE)
        path = self.write(self.workflow({"work": self.step("guest", *POLITE)}, name="guest"), "guest.json")
        guest = self.start("run", path)
        self.eventually(lambda: self.api().runs()[0]["id"] != mine, "the guest's run")
        self.ready()
        guest.send_signal(signal.SIGINT)
        self.ended(guest, 3)
        self.assertEqual(self.api().run(mine)["status"], "running")
        owner.send_signal(signal.SIGTERM)
        self.ended(owner, 3)


if __name__ == "__main__":
    unittest.main()

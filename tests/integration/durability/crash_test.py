"""kill -9 of the owner at any moment, again and again: nothing that was done is done again, nothing is forgotten, and
the run ends as it would have (docs/reliability/crash-tests.md)."""

import unittest

from harness.case import LONG, BatonCase
from harness.invariants import TERMINAL, check_run

KILLS = 2000 if LONG else 30  # of each test that kills at random moments


class CrashTest(BatonCase):
    def everything(self):
        """A run with all that can be interrupted: side by side, fan-out, retries, joins, finally."""
        flaky = ("sh", "-c", '[ "$(grep -c "^$BATON_TASK_ID .* end 1$" "$LEDGER")" -ge 2 ]')
        work = ("sleep", "0.05")
        return self.workflow({
            "plan": {"set": {"items": list(range(12))}},
            "first": self.step("first", *work),
            "second": self.step("second", *work, needs=["first"]),
            "fan": self.step("fan", *work, needs=["plan"], for_each="${{ steps.plan.result.items }}", max_parallel=4),
            "flaky": self.step("flaky", *flaky, retry={"max_attempts": 20, "backoff": "fixed", "initial": 0.05}),
            "join": self.step("join", *work, needs=["second", "fan", "flaky"]),
            "last": {"needs": ["join"], "set": {"many": "${{ size(steps.fan.result) }}"}},
        }, **{"finally": {
            "tidy": self.step("tidy", *work),
            "report": self.step("report", *work, needs=["tidy"]),
        }})

    def completed(self, run):
        """Tasks that a commit says are completed: their ids and attempts."""
        tasks = [self.api().task(task["id"]) for task in self.api().tasks(run) if task["status"] == "completed"]
        return {task["id"]: (task["attempt_list"], task["result"], task["ended_at"]) for task in tasks}

    def check_everything(self, run):
        row, tasks = check_run(self, self.api(), run, self.ledger)
        self.assertEqual(row["status"], "completed", row)
        self.assertEqual({task["status"] for task in tasks}, {"completed"})
        self.assertEqual([t["result"] for t in tasks if t["step"] == "last"], [{"many": 12}])
        for step in ("join", "tidy", "report"):
            done = [attempt for task in tasks if task["step"] == step for attempt in task["attempt_list"]
                    if attempt["status"] == "completed"]
            self.assertEqual(len(done), 1, step)

    def test_a_run_that_is_killed_at_random_moments_ends_as_it_would_have(self):
        kills = 0
        while kills < KILLS:
            self.keep_owner("--concurrency", "6")
            run = self.api().submit(self.everything(), f"key-{kills}")[1]["id"]
            for _ in range(8):  # after ten interruptions, a task would rightly be set aside
                self.wait_a_while(run)
                if self.api().run(run)["status"] in TERMINAL:
                    break
                done = self.completed(run)
                self.kill_owner()
                kills += 1
                self.assert_no_task_lives()
                self.keep_owner("--concurrency", "6")
                now = self.completed(run)
                self.assertEqual({task: now.get(task) for task in done}, done, "a completed task changed")
            self.assertEqual(self.api().wait(run)["status"], "completed")
            self.check_everything(run)
            self.kill_owner()

    def wait_a_while(self, run):
        """Until a random number of further lines stand in the ledger, or the run is over."""
        target = len(self.ledger.entries()) + self.random.randrange(20)
        self.eventually(lambda: len(self.ledger.entries()) >= target
                        or self.api().run(run)["status"] in TERMINAL, "progress")


if __name__ == "__main__":
    unittest.main()

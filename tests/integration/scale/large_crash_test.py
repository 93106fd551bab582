"""Large work is done in many commits; a kill between any two of them does no harm (ARCHITECTURE: bounded decisions)."""

import unittest

from harness.case import LONG, BatonCase
from harness.invariants import TERMINAL, check_attempts

ITEMS = 100_000 if LONG else 30_000
KILLS = 30 if LONG else 5


class LargeCrashTest(BatonCase):
    def large(self, work):
        return self.workflow({
            "list": {"set": {"items": list(range(ITEMS))}},
            "fan": {"needs": ["list"], "for_each": "${{ steps.list.result.items }}"} | work,
            "join": {"needs": ["fan"], "set": {"many": "${{ size(steps.fan.result) }}"}},
        }, **{"finally": {"tidy": self.step("tidy")}})

    def is_over(self, run):
        return self.api().run(run)["status"] in TERMINAL

    def submitted(self, work):
        self.keep_owner("--concurrency", "4")
        return self.api().submit(self.large(work), "key")[1]["id"]

    def kill_on_the_way(self, run, counts):
        """Kills the owner again and again while the number of tasks that `counts` reads goes from 0 to ITEMS."""
        for kill in range(KILLS):
            goal = ITEMS * kill // KILLS + self.random.randrange(ITEMS // KILLS)
            self.eventually(lambda n=goal: counts(self.api().run(run)["counts"]) >= n or self.is_over(run), "progress")
            self.kill_owner()
            self.keep_owner("--concurrency", "4")

    def check(self, run, status, item_status):
        ended = self.api().wait(run, timeout=120)
        self.assertEqual(ended["status"], status)
        tasks = self.api().tasks(run)
        self.assertEqual(len(tasks), ITEMS + 3)
        items = [task for task in tasks if task["index"] is not None]
        self.assertEqual(sorted(task["index"] for task in items), list(range(ITEMS)))
        self.assertLessEqual({task["status"] for task in items}, item_status)
        self.assertEqual(ended["counts"]["total"], len(tasks))
        [tidy] = [self.api().task(task["id"]) for task in tasks if task["step"] == "tidy"]
        self.assertEqual((tidy["status"], tidy["attempts"]), ("completed", 1))
        check_attempts(self, tidy)
        facts = self.api().history(run)
        self.assertEqual(sum(fact["type"] == "run.ended" for fact in facts), 1)
        ends = [fact["task"] for fact in facts if fact["type"] == "task.ended"]
        self.assertEqual(len(ends), len(set(ends)), "a task ended twice")
        return tasks

    def test_a_fan_out_is_killed_while_it_grows(self):
        run = self.submitted({"set": {"n": "${{ item }}"}})
        self.kill_on_the_way(run, lambda counts: counts["completed"])
        tasks = self.check(run, "completed", {"completed"})
        self.assertEqual([task["result"] for task in tasks if task["step"] == "join"], [{"many": ITEMS}])

    def test_a_large_run_is_killed_while_it_is_cancelled(self):
        run = self.submitted({"exec": ["/bin/sleep", "1000"]})
        self.eventually(lambda: self.api().run(run)["counts"]["running"] >= 4, "the first items")
        self.json("runs", "cancel", run)
        self.kill_on_the_way(run, lambda counts: counts["cancelled"])
        self.check(run, "cancelled", {"cancelled"})


if __name__ == "__main__":
    unittest.main()

"""kill -9 of the owner at any moment, again and again: nothing that was done is done again, nothing is forgotten, and
the run ends as it would have (docs/reliability/crash-tests.md)."""

import datetime
import os
import signal
import unittest

from harness.case import LONG, BatonCase, command_line, processes_with
from harness.invariants import TERMINAL, check_database, check_limit, check_nothing_is_stuck, check_run
from harness.ledger import Ledger

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
        check_limit(self, self.ledger.entries(), "fan", 4)
        self.assertEqual({task["status"] for task in tasks}, {"completed"})
        self.assertEqual([t["result"] for t in tasks if t["step"] == "last"], [{"many": 12}])
        for step in ("join", "tidy", "report"):
            done = [attempt for task in tasks if task["step"] == step for attempt in task["attempt_list"]
                    if attempt["status"] == "completed"]
            self.assertEqual(len(done), 1, step)

    def test_a_run_that_is_killed_at_random_moments_ends_as_it_would_have(self):
        kills = 0
        while kills < KILLS:
            self.ledger = Ledger(self.dir / f"ledger.{kills}")  # a new one for each run: it is read often
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
            check_nothing_is_stuck(self, self.api())
            self.assertEqual(self.api().wait(run)["status"], "completed")
            self.check_everything(run)
            self.kill_owner()
            check_database(self, self.data)

    def wait_a_while(self, run):
        """Until a random number of further lines stand in the ledger, or the run is over."""
        target = len(self.ledger.entries()) + self.random.randrange(20)
        self.eventually(lambda: len(self.ledger.entries()) >= target
                        or self.api().run(run)["status"] in TERMINAL, "progress")

    # The same at moments that matter.

    def submit(self, definition):
        self.keep_owner("--concurrency", "6")
        return self.api().submit(definition, "key")[1]["id"]

    def restart(self):
        self.kill_owner()
        self.assert_no_task_lives()
        self.keep_owner("--concurrency", "6")

    def test_a_fan_out_goes_on_with_the_items_that_are_left(self):
        run = self.submit(self.workflow({
            "fan": self.step("fan", "sleep", "0.02", for_each=list(range(60)), max_parallel=5),
            "join": self.step("join", needs=["fan"]),
        }))
        for ended in (10, 30, 50):
            self.eventually(lambda n=ended: self.ledger.count("end", "fan") >= n, "the fan-out's progress")
            self.restart()
        self.assertEqual(self.api().wait(run)["status"], "completed")
        _, tasks = check_run(self, self.api(), run, self.ledger)
        self.assertEqual([task["index"] for task in tasks if task["index"] is not None], list(range(60)))
        check_limit(self, self.ledger.entries(), "fan", 5)
        self.assertEqual(self.ledger.count("start", "join"), 1)
        # Three kills with five at a time: no more than fifteen can have been interrupted.
        self.assertLessEqual(self.ledger.count("start", "fan"), 60 + 15)

    def test_a_retry_comes_when_it_was_due_and_counts_as_before(self):
        fails_once = ("sh", "-c", 'grep -q "^$BATON_TASK_ID .* end 1$" "$LEDGER"')
        run = self.submit(self.workflow({
            "flaky": self.step("flaky", *fails_once, retry={"max_attempts": 2, "backoff": "fixed", "initial": 1.5}),
        }))
        self.eventually(lambda: self.api().tasks(run)[0]["status"] == "retrying", "the delay")
        self.restart()
        self.assertEqual(self.api().wait(run)["status"], "completed")
        _, [task] = check_run(self, self.api(), run, self.ledger)
        self.assertEqual((task["attempts"], task["interrupted"]), (2, 0))
        first, second = task["attempt_list"]
        self.assertGreaterEqual(seconds_between(first["ended_at"], second["started_at"]), 1.4)

    def test_a_cancel_is_remembered_and_nothing_starts_again(self):
        stubborn = ("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
        run = self.submit(self.workflow({
            "stubborn": self.step("stubborn", *stubborn),
            "after": self.step("after", needs=["stubborn"]),
        }, **{"finally": {"tidy": self.step("tidy")}}))
        self.eventually(lambda: self.ledger.count("start", "stubborn"), "the task's start")
        self.json("runs", "cancel", run)
        self.assertEqual(self.api().run(run)["status"], "cancelling")
        self.restart()
        self.assertEqual(self.api().wait(run)["status"], "cancelled")
        check_run(self, self.api(), run, self.ledger)
        self.assertEqual([self.ledger.count("start", step) for step in ("stubborn", "after", "tidy")], [1, 0, 1])

    def test_finally_runs_to_its_end_and_the_steps_before_it_are_left_alone(self):
        run = self.submit(self.workflow({"work": self.step("work")}, **{"finally": {
            "tidy": self.step("tidy", *self.gate("tidy")),
            "report": self.step("report", needs=["tidy"]),
        }}))
        for kills in (1, 2, 3):
            self.eventually(lambda n=kills: self.ledger.count("start", "tidy") == n, "finally's start")
            self.restart()
        self.open_gate("tidy")
        self.assertEqual(self.api().wait(run)["status"], "completed")
        _, tasks = check_run(self, self.api(), run, self.ledger)
        self.assertEqual({task["step"]: (task["attempts"], task["interrupted"]) for task in tasks},
                         {"work": (1, 0), "tidy": (1, 3), "report": (1, 0)})

    def test_a_task_under_which_baton_ends_ten_times_is_set_aside(self):
        run = self.submit(self.workflow({"fatal": self.step("fatal", *self.gate("never"))}))
        for kills in range(1, 11):
            self.eventually(lambda n=kills: self.ledger.count("start", "fatal") == n, "the task's start")
            self.restart()
        ended = self.api().wait(run)
        self.assertEqual((ended["status"], ended["error"]["type"]), ("failed", "quarantined"))
        _, [task] = check_run(self, self.api(), run, self.ledger)
        self.assertEqual((task["attempts"], task["interrupted"]), (0, 10))

    def test_nothing_that_a_task_started_outlives_a_killed_owner(self):
        # A daemon, a grandchild of a dead parent, one that ignores SIGTERM, one that is stopped, one with descriptors
        # closed, one that keeps forking.
        command = """
          setsid sleep 1000 &
          (setsid sh -c 'sleep 1000 & sleep 1001 & wait' &)
          sh -c 'trap "" TERM HUP INT; while :; do sleep 0.1; done' &
          sleep 1000 & kill -STOP $!
          setsid sh -c 'exec 0<&- 1>&- 2>&- 9>&-; sleep 1000' &
          sh -c 'while :; do setsid sleep 0.2 & sleep 0.01; done' &
          echo ready >"$LEDGER.ready"; wait"""
        self.submit(self.workflow({"wild": self.step("wild", "sh", "-c", command)}))
        self.eventually(lambda: (self.dir / "ledger.ready").exists(), "the processes")
        self.eventually(lambda: len(processes_with(self.task_mark)) >= 8, "the processes")
        self.kill_owner()
        self.assert_no_task_lives()

    def test_a_killed_helper_process_ends_the_owner_and_fails_nothing(self):
        # Without it nothing can be started. Tasks must not pay for that.
        run = self.submit(self.workflow({
            "work": self.step("work", *self.gate("work")),
            "more": self.step("more", "sleep", "0.01", for_each=list(range(200)), max_parallel=2),
        }))
        self.eventually(lambda: self.ledger.count("start", "work") and self.ledger.count("end", "more") > 5, "the tasks")
        owner = self.owner_pid()
        with open(f"/proc/{owner}/task/{owner}/children", encoding="ascii") as children:
            helpers = [pid for pid in map(int, children.read().split()) if "__spawner" in command_line(pid)]
        self.assertEqual(len(helpers), 1)
        os.kill(helpers[0], signal.SIGKILL)
        process = [started for started in self.started if started.pid == owner][0]
        self.ended(process, 74)
        self.assertIn("the helper process that runs tasks was killed", self.said(process))
        self.assert_no_task_lives()
        self.open_gate("work")
        self.keep_owner("--concurrency", "6")
        self.assertEqual(self.api().wait(run)["status"], "completed")
        check_run(self, self.api(), run, self.ledger)

    def test_the_next_command_is_enough(self):
        run = self.submit(self.workflow({"work": self.step("work", *self.gate("work"))}))
        self.eventually(lambda: self.ledger.count("start"), "the task's start")
        self.kill_owner()
        self.assertEqual(self.json("runs", "get", run)["status"], "running")
        self.eventually(lambda: self.ledger.count("start") == 2, "the next start")
        self.open_gate("work")
        self.assertEqual(self.api().wait(run)["status"], "completed")
        check_run(self, self.api(), run, self.ledger)


def seconds_between(earlier, later):
    parse = datetime.datetime.fromisoformat
    return (parse(later) - parse(earlier)).total_seconds()


if __name__ == "__main__":
    unittest.main()

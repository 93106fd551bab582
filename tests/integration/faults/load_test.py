"""Many at once: failures that come together do not come back together (R18), ten thousand ends meet in one join while
the owner is killed (R27), values and lines of every size (R28)."""

import collections
import json
import os
import unittest

from harness.api import Answer
from harness.case import LONG, BatonCase
from harness.invariants import check_attempts

FAILURES = 10_000 if LONG else 400
ITEMS, KILLS = (10_000, 100) if LONG else (500, 4)


class LoadTest(BatonCase):
    def test_failures_that_come_together_do_not_come_back_together(self):
        self.keep_owner("--concurrency", "8")
        api = self.api()
        # The last begins at `initial` and goes up to three times that.
        for jitter, initial in (("full", "10m"), ("equal", "10m"), ("decorrelated", "3m")):
            with self.subTest(jitter=jitter):
                run = api.submit(self.workflow({"fails": {
                    "for_each": list(range(FAILURES)), "exec": ["/bin/false"], "max_failures": FAILURES,
                    "retry": {"max_attempts": 2, "backoff": "exponential", "initial": initial, "max": "10m", "jitter": jitter},
                }}), f"key-{jitter}")[1]["id"]
                # Some are tried again before the last one has failed: what counts is what was decided, not where they stand.
                facts = self.eventually(lambda r=run: self.all_retries(api, r), "all failures", 600)
                # As if all had failed in one second, as after an outage. A bucket has about 20 of them.
                bucket = 20 * 600 / FAILURES
                due = collections.Counter(int(fact["delay"] / bucket) for fact in facts)
                mean = FAILURES / (max(due) - min(due) + 1)
                self.assertLessEqual(max(due.values()), 3 * mean, sorted(due.items()))
                self.assertLessEqual(max(fact["delay"] for fact in facts), 600)
                self.report(f"{jitter}: {FAILURES} failures, busiest {bucket:g} s {max(due.values())}, mean {mean:.1f}")
                self.json("runs", "terminate", run)
                api.wait(run)

    def all_retries(self, api, run):
        """The facts of all retries of a run whose tasks fail once or twice; none before all of them are there."""
        if api.run(run)["counts"]["running"] == 0:
            facts = [fact for fact in api.history(run) if fact["type"] == "task.retrying"]
            return facts if len(facts) == FAILURES else None
        return None

    def test_ten_thousand_ends_and_one_join(self):
        self.keep_owner("--concurrency", "8")
        run = self.api().submit(self.workflow({
            "fan": {"for_each": list(range(ITEMS)), "exec": ["/bin/echo", "${{ item }}"]},
            "join": self.step("join", needs=["fan"]),
            "values": {"needs": ["fan"], "set": {"many": "${{ size(steps.fan.result) }}",
                                                 "texts": "${{ steps.fan.result.map(r, r.stdout) }}"}},
        }), "key")[1]["id"]
        for kill in range(KILLS):
            goal = ITEMS * kill // KILLS + self.random.randrange(max(1, ITEMS // KILLS))
            self.eventually(lambda n=goal: self.api().run(run)["counts"]["completed"] >= n, "progress", 600)
            self.kill_owner()
            self.keep_owner("--concurrency", "8")
        self.eventually(lambda: self.api().run(run)["status"] == "completed", "the end", 600)
        api = self.api()
        tasks = api.tasks(run)
        items = [task for task in tasks if task["step"] == "fan"]
        self.assertEqual([task["index"] for task in items], list(range(ITEMS)))
        interrupted = 0
        for task in items:
            task = api.task(task["id"])
            check_attempts(self, task)
            interrupted += task["interrupted"]
        # The last kill may have met the join itself: then it was begun again, but it ended once.
        (join,) = [api.task(task["id"]) for task in tasks if task["step"] == "join"]
        check_attempts(self, join)
        self.assertIn(self.ledger.count("start", "join"), range(1, 2 + join["interrupted"]))
        (values,) = [api.task(task["id"])["result"] for task in tasks if task["step"] == "values"]
        self.assertEqual(values, {"many": ITEMS, "texts": [f"{n}\n" for n in range(ITEMS)]})
        facts = api.history(run)
        ends = collections.Counter(fact["task"] for fact in facts if fact["type"] == "task.ended")
        self.assertEqual({task: n for task, n in ends.items() if n != 1}, {}, "I2")
        self.report(f"{ITEMS} items, {KILLS} kills, {interrupted} attempts interrupted")

    def test_results_of_every_size(self):
        """Around each border: what stands in a row (4 KiB), and what is allowed (2 MiB)."""
        limit = 2 << 20
        sizes = [2, 3, 100, 4_095, 4_096, 4_097, 65_535, 65_536, limit - 1, limit, limit + 1, limit + 4_096]
        write = """printf '"' >"$BATON_RESULT"; head -c "$SIZE" /dev/zero | tr '\\0' x >>"$BATON_RESULT"
                   printf '"' >>"$BATON_RESULT" """
        steps = {f"s{size}": {"exec": ["/bin/sh", "-c", write], "env": {"SIZE": str(size - 2)}} for size in sizes}
        steps |= {f"n{size}": {"needs": [f"s{size}"], "set": {"size": "${{ size(steps.s%d.result) }}" % size},
                               "trigger_rule": "all_success"} for size in sizes}
        steps["empty"] = {"exec": ["/bin/true"]}
        self.keep_owner()
        run = self.api().submit(self.workflow(steps), "key")[1]["id"]
        self.assertEqual(self.api().wait(run)["status"], "failed")
        tasks = {task["step"]: self.api().task(task["id"]) for task in self.api().tasks(run)}
        for size in sizes:
            task = tasks[f"s{size}"]
            if size <= limit:
                self.assertEqual((task["status"], len(task["result"])), ("completed", size - 2))
                self.assertEqual(tasks[f"n{size}"]["result"], {"size": size - 2})
            else:
                self.assertEqual((task["status"], task["error"]["type"], task["attempts"]), ("failed", "validation", 1))
        self.assertEqual(tasks["empty"]["result"]["stdout"], "")

    def test_inputs_of_every_size(self):
        definition = {"name": "a", "inputs": {"text": {"type": "string"}},
                      "steps": {"b": {"set": {"n": 1}}}}
        limit = 16 << 20
        overhead = len(json.dumps({"text": ""}, separators=(",", ":")))
        self.keep_owner()
        for size in (overhead, 4_096, limit):
            run = self.api().submit(definition, f"key-{size}", input={"text": "x" * (size - overhead)})[1]["id"]
            ended = self.api().wait(run)
            self.assertEqual(ended["status"], "completed")
            self.assertEqual(self.api().run(run)["input"], {"text": "x" * (size - overhead)})
        for size in (limit + 1, 40 << 20):
            try:
                self.api().submit(definition, f"key-{size}", input={"text": "x" * (size - overhead)})
                self.fail(f"{size} bytes were taken")
            except Answer as answer:
                self.assertEqual((answer.status, answer.problem["status"]), (413, 413))
            except OSError:  # hung up on in the middle of far too much
                self.assertGreater(size, limit + 1)

    def test_a_line_of_100_megabytes(self):
        owner = self.keep_owner()
        size = 100_000_000
        run = self.api().submit(self.workflow({"loud": {
            "exec": ["/bin/sh", "-c", f"head -c {size} /dev/zero | tr '\\0' x; echo; echo over"]}}), "key")[1]["id"]
        self.assertEqual(self.api().wait(run)["status"], "completed")
        (task,) = self.api().tasks(run)
        log = self.baton("logs", task["id"]).stdout
        self.assertTrue(log.rstrip().endswith("over"), log[-200:])
        self.assertLess(len(log), 12 << 20)
        with open(f"/proc/{owner.pid}/status", encoding="ascii") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        self.assertLess(peak, 200_000, "KiB of memory of the owner")
        # On the disk: the middle of the file is a hole.
        logs = sum(os.stat(os.path.join(folder, name)).st_blocks * 512
                   for folder, _, names in os.walk(self.data / "logs") for name in names)
        self.assertLess(logs, 12 << 20)


if __name__ == "__main__":
    unittest.main()

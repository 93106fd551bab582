"""Large runs through the command line: chains of 10,000, fan-outs of 100,000, layers of 100,000 (R28, R29)."""

import json
import os
import subprocess
import unittest

from harness.case import BATON, LONG, BatonCase

MAX_BYTES_PER_TASK = 2048


class LargeRunTest(BatonCase):
    def run_file(self, path, *words, stack_kib=None):
        """Peak memory in bytes of `baton run`, which is the owner itself."""
        limit = f"ulimit -s {stack_kib}; " if stack_kib else ""
        with open(self.dir / "out", "wb") as stdout, open(self.dir / "err", "wb") as stderr:
            process = subprocess.Popen(["/bin/sh", "-c", limit + 'exec "$0" "$@"', BATON, "run", path, "--quiet", *words],
                                       env=self.env, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=stdout,
                                       stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, (self.dir / "err").read_text()[-2000:])
        return usage.ru_maxrss * 1024

    def stored(self, name):
        """The newest run of a workflow, with all its tasks by id: complete, ended well, each in its order."""
        self.keep_owner("--concurrency", "4")
        api = self.api()
        run = api.runs(workflow=name)[0]
        self.assertEqual(run["status"], "completed", run)
        tasks = {task["id"]: task for task in api.tasks(run["id"])}
        self.assertEqual(len(tasks), run["counts"]["total"])
        self.assertEqual({task["status"] for task in tasks.values()}, {"completed"})
        for task in tasks.values():
            for needed in task["dependencies"]:
                self.assertLessEqual(tasks[needed]["ended_at"], task["started_at"], task["id"])
        return run, tasks

    def chain(self, length):
        steps = {"s0": {"set": {"n": 0}}}
        for n in range(1, length):
            steps[f"s{n}"] = {"needs": [f"s{n - 1}"], "set": {"n": f"${{{{ steps.s{n - 1}.result.n + 1 }}}}"}}
        return self.workflow(steps, name="chain")

    def fan_out(self, items):
        return self.workflow({
            "list": {"set": {"items": list(range(items))}},
            "fan": {"needs": ["list"], "for_each": "${{ steps.list.result.items }}", "set": {"n": "${{ item * 2 }}"}},
            "join": {"needs": ["fan"], "set": {"many": "${{ size(steps.fan.result) }}",
                                               "last": "${{ steps.fan.result[size(steps.fan.result) - 1].n }}"}},
        }, name=f"fan-{items}")

    def layers(self, tasks, width=100):
        """Each step needs two of the layer before."""
        steps = {}
        for n in range(tasks):
            layer, place = divmod(n, width)
            needs = [] if layer == 0 else [f"l{layer - 1}-{place}", f"l{layer - 1}-{(place * 7 + 1) % width}"]
            steps[f"l{layer}-{place}"] = {"needs": sorted(set(needs)), "set": {"n": n}}
        return self.workflow(steps, name=f"layers-{tasks}")

    def test_a_chain_of_10000(self):
        self.run_file(self.write(self.chain(10_000)), stack_kib=1024)
        _, tasks = self.stored("chain")
        self.assertEqual([task["result"]["n"] for task in sorted(tasks.values(), key=lambda t: t["step_index"])],
                         list(range(10_000)))
        self.assertEqual(len({needed for task in tasks.values() for needed in task["dependencies"]}), 9_999)

    def test_a_fan_out_of_100000(self):
        small = self.run_file(self.write(self.fan_out(10_000)))
        large = self.run_file(self.write(self.fan_out(100_000)), stack_kib=1024)
        growth = (large - small) / 90_000
        self.assertLessEqual(growth, MAX_BYTES_PER_TASK, f"10,000: {small >> 10} KiB, 100,000: {large >> 10} KiB")
        _, tasks = self.stored("fan-100000")
        items = sorted((t for t in tasks.values() if t["index"] is not None), key=lambda t: t["index"])
        self.assertEqual([(t["index"], t["result"]["n"]) for t in items], [(n, 2 * n) for n in range(100_000)])
        self.assertEqual([t["result"] for t in tasks.values() if t["step"] == "join"],
                         [{"many": 100_000, "last": 199_998}])

    def test_layers_of_100000(self):
        small = self.run_file(self.write(self.layers(10_000)))
        large = self.run_file(self.write(self.layers(100_000)), stack_kib=1024)
        growth = (large - small) / 90_000
        _, tasks = self.stored("layers-100000")
        self.assertEqual(sorted(task["result"]["n"] for task in tasks.values()), list(range(100_000)))
        self.assertLessEqual(growth, MAX_BYTES_PER_TASK, f"10,000: {small >> 10} KiB, 100,000: {large >> 10} KiB")

    def test_lists_of_a_large_run_are_complete_whatever_the_page(self):
        self.run_file(self.write(self.fan_out(2_500)))
        run, tasks = self.stored("fan-2500")
        for limit in (250, 999, 1000):
            found, cursor = [], []
            while True:
                page = self.json("tasks", "list", run["id"], "--limit", limit, *cursor)
                found += [task["id"] for task in page["items"]]
                if page["next"] is None:
                    break
                self.assertEqual(len(page["items"]), limit)
                cursor = ["--cursor", page["next"]]
            self.assertEqual(found, list(tasks), limit)

    def test_a_large_run_prints_all_its_tasks(self):
        path = self.write(self.fan_out(3_000))
        printed = json.loads(self.baton("run", path, "--output", "json").stdout)
        self.assertEqual(len(printed["tasks"]), 3_002)
        self.assertEqual({task["status"] for task in printed["tasks"]}, {"completed"})

    def test_many_processes(self):
        items = 100_000 if LONG else 3_000
        self.run_file(self.write(self.workflow({
            "fan": {"for_each": list(range(items)), "exec": ["/bin/true", "${{ index }}"]},
            "join": {"needs": ["fan"], "set": {"many": "${{ size(steps.fan.result) }}"}},
        }, name="processes")))
        _, tasks = self.stored("processes")
        self.assertEqual([t["result"] for t in tasks.values() if t["step"] == "join"], [{"many": items}])
        self.assertEqual({t["attempts"] for t in tasks.values() if t["index"] is not None}, {1})

    def test_limits_are_said(self):
        too_many = {"name": "many", "steps": {f"s{n}": {"set": {}} for n in range(100_001)}}
        self.assertRegex(self.baton("validate", self.write(too_many), code=2).stderr, "100,?000")
        cycle = {"name": "cycle", "steps": {f"s{n}": {"needs": [f"s{(n + 1) % 50_000}"], "set": {}}
                                            for n in range(50_000)}}
        self.assertIn("cycle", self.baton("validate", self.write(cycle), code=2).stderr)


if __name__ == "__main__":
    unittest.main()

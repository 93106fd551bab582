"""Workers and servers as processes of their own that are killed, restarted and drained."""

import os
import signal
import subprocess
import sys
import threading
import unittest

import baton
from harness import HERE, PATIENCE, Case, eventually


class Survival(Case):
    def begun(self, name):
        eventually((self.folder / f"{name}.begun").exists, f"{name} to begin")

    def open(self, name):
        (self.folder / name).touch()

    def starts(self, name):
        """How often the gate of this name was begun."""
        return sum(line.split()[0] == name for line in (self.folder / "ledger").read_text("ascii").splitlines())

    def ended(self, process, code=0):
        self.assertEqual(process.wait(PATIENCE), code)

    def test_a_server_that_is_killed_under_a_task_runs_it_once(self):
        for pool in ("thread", "process"):
            with self.subTest(pool):
                worker = self.worker_process("--pool", pool)
                name = f"g-{pool}"
                run = self.run_step("gate", {"name": name})
                self.begun(name)
                self.server.kill()
                self.open(name)  # it ends while nobody is there to hear it
                self.server.start()
                status, result = self.outcome(run)
                self.assertEqual((status, result["attempt"], self.starts(name)), ("completed", 1, 1))
                (task,) = self.client.tasks(run.id)
                self.assertEqual((task.attempts, task.lost, task.interrupted), (1, 0, 0))
                worker.send_signal(signal.SIGTERM)
                self.ended(worker)

    def test_a_worker_that_is_killed_leaves_no_process_and_its_task_to_others(self):
        first = self.worker_process("--pool", "process", "--concurrency", "1", "--name", "first")
        run = self.run_step("gate", {"name": "g"})
        self.begun("g")
        child = self.children(first.pid)
        first.kill()
        first.wait()
        eventually(lambda: not any(os.path.exists(f"/proc/{pid}") and not self.is_zombie(pid) for pid in child),
                   "the end of its child")
        # Otherwise the lease would have to run out; a supervisor that has seen it die says so.
        self.client.request("DELETE", "/api/v1/workers/first")
        (self.folder / "g.begun").unlink()
        self.worker_process("--name", "second")
        self.begun("g")
        self.open("g")
        status, result = self.outcome(run)
        self.assertEqual((status, result["attempt"]), ("completed", 2))
        (task,) = self.client.tasks(run.id)
        self.assertEqual((task.attempts, task.lost), (1, 1))

    def test_many_tasks_over_kills_of_the_server(self):
        items = 300
        self.worker_process("--concurrency", "2", "--prefetch", str(items))
        run = self.client.submit({"name": "many", "inputs": {"n": {}}, "steps": {
            "a": {"for_each": "${{ inputs.n }}", "task": "gated_add", "with": {"a": "${{ item }}", "b": 1}}}},
            {"n": list(range(items))})
        # All are claimed before the first kill: what a lost answer to a claim had is only found after two leases.
        eventually(lambda: self.client.get(run.id).counts["running"] == items, "the claims")
        self.server.kill()
        self.open("all")
        for share in (10, 40, 70):
            self.server.start()
            eventually(lambda share=share: self.client.get(run.id).counts["completed"] >= items * share // 100, f"{share} %")
            self.server.kill()
        self.server.start()
        self.assertEqual(self.client.result(run.id, PATIENCE), [n + 1 for n in range(items)])
        tasks = list(self.client.tasks(run.id))
        self.assertEqual({(task.attempts, task.lost, task.interrupted) for task in tasks}, {(1, 0, 0)})

    def test_sigterm_lets_what_runs_end_and_gives_back_the_rest(self):
        worker = self.worker_process("--concurrency", "1", "--prefetch", "3")
        runs = [self.run_step("gate", {"name": f"g{n}"}) for n in range(3)]
        self.begun("g0")
        eventually(lambda: len([t for run in runs for t in self.client.tasks(run.id) if t.status == "running"]) == 3,
                   "the claims of all")
        worker.send_signal(signal.SIGTERM)
        eventually(lambda: all(t.status == "queued" for run in runs[1:] for t in self.client.tasks(run.id)),
                   "those that were not begun")
        self.open("g0")
        self.ended(worker)
        self.assertEqual(self.outcome(runs[0])[0], "completed")
        for run in runs[1:]:
            (task,) = self.client.tasks(run.id)
            self.assertEqual((task.attempts, task.lost, task.interrupted), (0, 0, 0))
        self.assertEqual([w for w in self.client.request("GET", "/api/v1/workers")["items"] if not w["in_process"]], [])

    def test_a_second_signal_interrupts(self):
        for pool in ("thread", "process"):
            with self.subTest(pool):
                worker = self.worker_process("--pool", pool, "--concurrency", "1")
                run, other = (self.run_step("gate", {"name": f"{name}-{pool}"}) for name in "ab")
                self.begun(f"a-{pool}")
                self.running(other)
                worker.send_signal(signal.SIGTERM)
                eventually(lambda other=other: next(self.client.tasks(other.id)).status == "queued", "the drain")
                worker.send_signal(signal.SIGTERM)
                self.ended(worker)
                (task,) = self.client.tasks(run.id)
                self.assertEqual((task.status, task.attempts, task.lost, task.interrupted), ("queued", 0, 0, 1))
                self.client.cancel(run.id)
                self.client.cancel(other.id)

    def test_a_late_report_changes_nothing(self):
        begun, go = threading.Event(), threading.Event()

        @baton.task(name="late")
        def late(ctx):
            if ctx.request.attempt == 1:
                begun.set()
                go.wait(PATIENCE)
                return "stale"
            return "fresh"

        worker = self.worker(late, name="late")
        run = self.run_step("late")
        self.assertTrue(begun.wait(PATIENCE))
        self.client.request("DELETE", "/api/v1/workers/late")
        self.assertEqual(self.outcome(run), ("completed", "fresh"))
        with self.assertLogs("baton.worker", "WARNING") as logs:
            go.set()
            eventually(lambda: not worker._held, "the answer to the report")
        self.assertIn("counts no more", logs.output[0])
        self.assertEqual(self.outcome(run), ("completed", "fresh"))

    def test_words_that_are_wrong(self):
        (self.folder / "broken.py").write_text("x = (\n")
        (self.folder / "raises.py").write_text("import no_such_dependency\n")
        (self.folder / "ends.py").write_text("raise SystemExit(3)\n")
        for words, said in (
                (["functions", "--pool", "swimming"], "invalid choice"), (["functions", "--max-tasks-per-child", "2"], "needs pool='process'"),
                (["functions", "--middleware", "functions:add"], "MODULE:CLASS; functions has"), (["functions", "--name", "a/b"], "is no name of a worker"),
                (["functions", "--name", "local"], "is no name of a worker"), (["functions", "--queues", "a b"], "is no name of a queue"),
                (["no_such_module"], "there is no module 'no_such_module' in "), (["./functions.py"], "modules are named as for import: functions"),
                (["json"], "module json has no task"), (["broken"], "module 'broken' cannot be imported: SyntaxError"),
                (["raises"], "module 'raises' cannot be imported: ModuleNotFoundError: No module named 'no_such_dependency'"),
                (["ends"], "module 'ends' cannot be imported: SystemExit: 3"), (["functions", "--target", "ftp://x"], "is no URL of a server")):
            with self.subTest(words):
                done = self.command(*words)
                self.assertEqual(done.returncode, 2)
                self.assertIn(said, done.stderr)
                self.assertNotIn("importlib", done.stderr)

    def test_a_worker_in_a_program_ends_in_good_order(self):
        code = ("import baton, functions, signal, sys\nbefore = signal.getsignal(signal.SIGTERM)\n"
                "baton.Worker([functions.gate], concurrency=1, prefetch=3).run()\n"
                "assert signal.getsignal(signal.SIGTERM) is before\nprint('after')\n")
        process = subprocess.Popen([sys.executable, "-c", code], env=self.command_env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        run = self.run_step("gate", {"name": "first"})
        self.begun("first")
        process.send_signal(signal.SIGINT)
        self.open("first")
        self.ended(process)
        self.assertEqual(process.stdout.read(), "after\n")
        self.assertEqual(self.client.wait(run.id, PATIENCE).status, "completed")

    def test_signals_before_there_is_a_server(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = subprocess.Popen([sys.executable, "-m", "baton", "worker", "functions", "--target", str(self.folder / "none.sock")],
                                       env=self.command_env(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.stderr.close)
            self.addCleanup(process.kill)
            self.assertIn("does not answer", process.stderr.readline())
            process.send_signal(number)
            self.ended(process)
            self.assertIn("was stopped before the server answered", process.stderr.read())

    def command_env(self):
        return {**self.server.env, "BATON_DATA": self.server.data, "BATON_TEST_FOLDER": str(self.folder),
                "PYTHONPATH": os.pathsep.join([str(self.folder), str(HERE), *filter(None, sys.path)])}

    def command(self, *words):
        return subprocess.run([sys.executable, "-m", "baton", "worker", *words], env=self.command_env(), stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)

    @staticmethod
    def children(pid):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            direct = file.read().split()
        if direct:
            return direct
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                        if int(file.read().rpartition(")")[2].split()[1]) == pid:
                            found.append(name)
                except OSError:
                    pass
        return found

    @staticmethod
    def is_zombie(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                return file.read().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True


if __name__ == "__main__":
    unittest.main()

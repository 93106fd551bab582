"""Process pools: crashes, limits, children that are replaced."""

import os
import subprocess
import sys
import threading
import unittest

import baton
import functions
from harness import PATIENCE, Case, eventually


class Processes(Case):
    def setUp(self):
        super().setUp()
        os.environ["BATON_TEST_FOLDER"] = str(self.folder)  # children inherit it
        self.addCleanup(os.environ.pop, "BATON_TEST_FOLDER")

    def pool(self, *tasks, **options):
        return self.worker(*tasks, **{"pool": "process", "concurrency": 2, **options})

    def test_both_kinds_of_functions(self):
        self.pool(functions.add, functions.add_async, functions.pid)
        self.assertEqual(self.outcome(self.run_step("add", {"a": 2, "b": 3})), ("completed", 5))
        self.assertEqual(self.outcome(self.run_step("add_async", [2, 3])), ("completed", 5))
        self.assertNotEqual(self.outcome(self.run_step("pid"))[1], os.getpid())

    def test_a_poison_task_fails_and_others_go_on(self):
        self.pool(functions.segfault, functions.leave, functions.add)
        poison = [self.run_step("segfault"), self.run_step("leave", {"code": 7})]
        others = [self.run_step("add", {"a": n}) for n in range(20)]
        status, error = self.outcome(poison[0])
        self.assertEqual((status, error.type), ("failed", "signal"))
        self.assertIn("SIGSEGV", error.message)
        status, error = self.outcome(poison[1])
        self.assertEqual((status, error.type), ("failed", "exit"))
        self.assertEqual([self.outcome(run) for run in others], [("completed", n) for n in range(20)])

    def test_where_one_process_after_the_other_dies_the_next_is_not_hurried(self):
        waits = []

        class Noting(threading.Event):
            def wait(self, timeout=None):
                waits.append(timeout)
                return super().wait(0.0)

        worker = self.pool(functions.segfault, functions.add, concurrency=1)
        worker._processes._closed = Noting()
        for run in [self.run_step("segfault") for _ in range(4)]:
            self.assertEqual(self.outcome(run)[0], "failed")
        self.assertEqual(self.outcome(self.run_step("add", [1, 2])), ("completed", 3))
        self.assertEqual(self.outcome(self.run_step("segfault"))[0], "failed")
        self.assertEqual(self.outcome(self.run_step("add", [1, 2])), ("completed", 3))
        self.assertEqual(waits, [0.1, 0.2, 0.4])  # none after one that goes well

    def test_what_it_raises_comes_with_its_traceback(self):
        seen = []

        class Notes(baton.Middleware):
            def on_failure(self, task, args, error, traceback, request):
                seen.append((error.type, str(error), "raise ValueError" in traceback))

            def after(self, task, args, result, request):
                seen.append(result)

        self.pool(functions.raises, functions.add, middleware=[Notes()])
        status, error = self.outcome(self.run_step("raises", {"message": "why"}))
        self.assertEqual((status, error.type), ("failed", "ValueError"))
        self.assertIn("functions.py", error.message)
        self.outcome(self.run_step("add", [1, 2]))
        self.assertEqual(seen, [("ValueError", "why", True), 3])

    def test_a_bad_result(self):
        self.pool(functions.bad_result)
        self.assertEqual(self.outcome(self.run_step("bad_result"))[1].type, "validation")

    def test_children_are_replaced(self):
        self.pool(functions.pid, concurrency=1, max_tasks_per_child=2)
        pids = [self.outcome(self.run_step("pid"))[1] for _ in range(4)]
        self.assertEqual(pids[0], pids[1])
        self.assertEqual(pids[2], pids[3])
        self.assertNotEqual(pids[1], pids[2])

    def test_cancel_cuts_a_blocking_call_short(self):
        self.pool(functions.hang)
        run = self.run_step("hang", {"name": "h"})
        eventually((self.folder / "h.begun").exists, "the handler")
        self.client.cancel(run.id)
        self.assertEqual(self.client.wait(run.id, PATIENCE).status, "cancelled")
        self.assertTrue((self.folder / "h.cancelled").exists())

    def test_terminate_kills(self):
        self.pool(functions.stubborn, functions.add, concurrency=1)
        run = self.run_step("stubborn", {"name": "s"})
        eventually((self.folder / "s.begun").exists, "the handler")
        self.client.cancel(run.id, terminate=True)
        self.assertEqual(self.client.wait(run.id, PATIENCE).status, "cancelled")
        self.assertEqual(self.outcome(self.run_step("add", [1])), ("completed", 1))

    def test_limits(self):
        self.limits_hold("process")

    def test_limits_of_coroutines_in_a_loop(self):
        self.limits_hold("async", functions.soft_limit_async, functions.hard_limit_async, functions.passes_on)

    def limits_hold(self, pool, *only):
        """Coroutines hear of it by asyncio's CancelledError, wherever they run."""
        tasks = only or (functions.soft_limit, functions.hard_limit, functions.soft_limit_async, functions.hard_limit_async,
                         functions.passes_on)
        self.worker(*tasks, pool=pool, concurrency=1)  # whose place is free again after each
        for task in tasks:
            status, found = self.outcome(self.run_step(task.name))
            if task.name.startswith("soft"):
                self.assertEqual((status, found), ("completed", "tidied up"), task)
            else:
                self.assertEqual((status, found.type), ("failed", "timeout"), task)

    def program(self, text):
        file = self.folder / "program.py"
        file.write_text("import baton, sys\n@baton.task\ndef f(n): return n * 2\n" + text)
        env = {**self.server.env, "BATON_DATA": self.server.data, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        return subprocess.run([sys.executable, str(file)], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
                              check=False)

    def test_functions_of_the_program_itself(self):
        work = ("worker = baton.Worker([f], pool='process', concurrency=1)\nwith worker, baton.Client() as client:\n"
                "    print(client.result(client.call(f, 4).id))\n")
        done = self.program("if __name__ == '__main__':\n    " + work.replace("\n", "\n    "))
        self.assertEqual((done.stdout, done.returncode), ("8\n", 0), done.stderr)
        done = self.program("worker = baton.Worker([f], pool='process', concurrency=1)\nworker.start()\nbaton.Client().call(f, 4)\n"
                            "worker.join()\n")
        self.assertIn('a worker is started while a process of a pool loads the program to find its functions; put it under if __name__ == '
                      '"__main__":', done.stderr)

    def test_functions_that_were_typed_in(self):
        code = "import baton\nbaton.Worker([baton.task(name='f')(lambda: 1)], '/x', pool='process')"
        done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                              capture_output=True, text=True, check=False)
        self.assertIn("was typed in (a prompt, a notebook, python -c); put it into a module, or use pool='thread'", done.stderr)

    def test_what_another_process_cannot_find_is_refused(self):
        with self.assertRaisesRegex(ValueError, "attribute of its module"):
            baton.Worker([lambda: 1], self.server.data, pool="process")
        with self.assertRaisesRegex(ValueError, "max_tasks_per_child"):
            baton.Worker([functions.add], self.server.data, max_tasks_per_child=3)


if __name__ == "__main__":
    unittest.main()

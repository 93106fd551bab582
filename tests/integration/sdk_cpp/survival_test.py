"""A worker with the C++ SDK, and its server, under kill -9. BATON_CPP_WORKER is the program with the functions of conformance.py."""

import json
import os
import random
import signal
import subprocess
import unittest

from harness.case import BatonCase

WORKER = os.environ.get("BATON_CPP_WORKER")


@unittest.skipUnless(WORKER, "BATON_CPP_WORKER is not set")
class Survival(BatonCase):
    def worker(self, name="w"):
        env = {key: value for key, value in self.env.items() if key != "BATON_DATA"}
        process = subprocess.Popen([WORKER, name], env={**env, "BATON_SOCKET": f"{self.data}/baton.sock"}, stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()

    def submit(self, function, value, **policies):
        step = {"task": f"conformance.{function}", "with": value, **policies}
        definition = json.dumps({"name": "t", "steps": {"a": step}})
        return self.api().request("POST", "/api/v1/runs", {"definition": definition})[1]["id"]

    def held_open(self):
        run = self.submit("wait", {"file": str(self.dir / "gate")})
        begun = self.dir / "gate.begun"
        self.eventually(begun.exists, "the task to begin")
        return run, begun

    def task(self, run):
        return self.api().tasks(run)[0]

    def test_a_killed_worker_leaves_its_task_to_the_next(self):
        self.serve()
        first = self.worker()
        run, begun = self.held_open()
        self.kill(first)
        begun.unlink()
        self.worker()  # of the same name: what the other had is lost at once
        self.eventually(begun.exists, "the task to begin again")
        (self.dir / "gate").touch()
        self.assertEqual(self.api().wait(run, 60)["status"], "completed")
        task = self.task(run)
        self.assertEqual((task["result"], task["lost"], task["attempts"]), ("waited", 1, 1))

    def test_a_killed_server_changes_nothing_for_what_runs(self):
        server = self.serve()
        self.worker()
        run, begun = self.held_open()
        begun.unlink()
        self.kill(server)
        (self.dir / "gate").touch()  # it ends while nobody is there to hear it
        self.serve()
        self.assertEqual(self.api().wait(run, 60)["status"], "completed")
        task = self.task(run)
        self.assertEqual((task["result"], task["lost"], task["attempts"]), ("waited", 0, 1))
        self.assertFalse(begun.exists(), "it ran twice")

    def test_many_tasks_over_kills_of_both(self):
        server, worker = self.serve(), self.worker()
        items = list(range(3000))
        run = self.submit("echo", "${{ item }}", for_each=items)
        for _ in range(2):
            share = random.Random(self.id()).randrange(5, 40)
            self.eventually(lambda: self.api().get(f"/api/v1/runs/{run}")["progress"] >= share, "some tasks to end")
            self.kill(server)
            server = self.serve()
            self.kill(worker)
            worker = self.worker()
        self.assertEqual(self.api().wait(run, 200)["status"], "completed")
        self.assertEqual([task["result"] for task in self.api().pages("/api/v1/tasks", run=run, limit=1000)], items)
        worker.terminate()
        self.assertEqual(worker.wait(60), 0)


if __name__ == "__main__":
    unittest.main()

"""A real server in a directory of its own, for each test case. `BATON_BIN` says which program."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import baton

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = os.path.abspath(os.environ.get("BATON_BIN") or HERE.parents[2] / "build/release/baton")
# A bound against hanging, far above what anything here takes; nothing is measured against it.
PATIENCE = 30.0
POLL = 0.005


def eventually(condition, what):
    """The condition's first true value. It is asked again and again: nobody tells us."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(POLL)
    return value


class Server:
    """`baton server` on a data directory, which may be killed and started again."""

    def __init__(self, folder):
        self.data = str(folder / "data")
        self.process = None
        self.url = None
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("BATON_", "XDG_"))}
        self.env["HOME"] = str(folder)

    def start(self):
        """Returns when it serves. The helper process of a killed one holds its lock for another moment."""
        eventually(self._try_to_start, "the server's lock")

    def _try_to_start(self):
        self.process = subprocess.Popen([PROGRAM, "server", "--listen", "127.0.0.1:0", "--data", self.data, "--output", "jsonl"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env=self.env)
        said = self.process.stdout.readline()
        if said:
            self.url = json.loads(said)["url"]
            return True
        code = self.process.wait()
        self.process.stdout.close()
        self.process = None
        if code != 6:
            raise RuntimeError(f"{PROGRAM} server has ended with {code}")
        return False

    def kill(self, number=signal.SIGKILL):
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)
            self.process.stdout.close()
            self.process = None


class Case(unittest.TestCase):
    """Has `self.server`, which runs, `self.client`, and `self.folder`, which goes with the test."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="baton-py-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.server = Server(self.folder)
        self.server.start()
        self.addCleanup(self.server.kill)
        self.client = baton.Client(self.server.data)
        self.addCleanup(self.client.close)

    def worker(self, *tasks, **options):
        """A worker in this process, which runs until the test ends."""
        worker = baton.Worker(tasks, self.server.data, **{"grace": 5.0, "concurrency": 4, **options})
        worker.start()

        def end():
            worker.stop(now=True)
            try:
                worker.join(PATIENCE)
            except baton.BatonError:
                pass  # the server may be gone already
        self.addCleanup(end)
        return worker

    def worker_process(self, *words, module="functions", stderr=None):
        """`python -m baton worker` as a process of its own."""
        env = {**self.server.env, "BATON_DATA": self.server.data, "BATON_TEST_FOLDER": str(self.folder),
               "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}
        process = subprocess.Popen([sys.executable, "-m", "baton", "worker", module, "--log-level", "error", *words], env=env,
                                   stdin=subprocess.DEVNULL, stderr=stderr)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_step(self, function, with_=None, **policies):
        """Submits a run of one step and returns it."""
        step = {"task": function, **policies}
        if with_ is not None:
            step["with"] = with_
        return self.client.submit({"name": "test", "steps": {"a": step}})

    def outcome(self, run):
        """(status, result or error) of the task of a run of one step, once the run has ended."""
        self.client.wait(run.id, PATIENCE)
        (task,) = self.client.tasks(run.id)
        return task.status, task.error if task.error else task.result

    def running(self, run):
        """Waits until the run's only task is running."""
        return eventually(lambda: next((t for t in self.client.tasks(run.id) if t.status == "running"), None), "the attempt")

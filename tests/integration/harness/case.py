"""A test case with a data directory of its own, which leaves no process behind."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import uuid

from .api import Api
from .ledger import Ledger

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BATON = os.path.abspath(os.environ.get("BATON") or ROOT / "build/release/baton")
LONG = os.environ.get("BATON_TEST_LONG") == "1"
SEED = int(os.environ.get("BATON_TEST_SEED") or random.SystemRandom().randrange(2**32))

# A bound against hanging, far above what anything here takes; nothing is measured against it.
PATIENCE = 120.0
POLL = 0.005


def processes_with(mark):
    """Ids of the living processes whose environment has TEST_MARK=mark. (That of a zombie is empty.)"""
    wanted = f"TEST_MARK={mark}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if wanted in file.read().split(b"\0"):
                        found.append(int(name))
            except OSError:  # it ended meanwhile, or is not ours
                pass
    return found


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "(ended)"


class BatonCase(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if not os.access(BATON, os.X_OK):
            raise RuntimeError(f"{BATON} is no program: build it, or say where it is with BATON=PATH")

    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="baton-"))
        self.data = self.dir / "data"
        self.ledger = Ledger(self.dir / "ledger")
        mark = uuid.uuid4().hex
        self.owner_mark = f"owner-{mark}"  # in the environment of every baton process, and so of its helpers
        self.task_mark = f"task-{mark}"    # in the environment of every task and what it starts
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("BATON_", "XDG_"))}
        self.env |= {"TEST_MARK": self.owner_mark, "BATON_DATA": str(self.data), "HOME": str(self.dir),
                     "NO_COLOR": "1"}
        self.started = []
        self.keeper = None
        self.addCleanup(self._remove_directory)
        self.addCleanup(self._end_processes)

    def _remove_directory(self):
        if os.environ.get("BATON_TEST_KEEP") == "1":
            print(f"{self.id()}: kept {self.dir}, seed {SEED}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def _end_processes(self):
        def mine():
            return processes_with(self.owner_mark) + processes_with(self.task_mark)

        while left := mine():
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            for process in self.started:
                process.poll()
            time.sleep(POLL)
        for process in self.started:
            process.wait()

    # Baton

    def baton(self, *words, code=0, env=None, timeout=PATIENCE, **options):
        """Runs a command to its end and expects its exit code."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        done = subprocess.run([BATON, *map(str, words)], env=self.env | (env or {}), timeout=timeout, check=False,
                              text=True, errors="surrogateescape", cwd=options.pop("cwd", self.dir), **options)
        if code is not None:
            self.assertEqual(done.returncode, code, f"baton {words}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *words, **options):
        return json.loads(self.baton(*words, "--output", "json", **options).stdout)

    def start(self, *words, env=None, **options):
        """Starts a command; what it says goes to files that `said` reads."""
        number = len(self.started)
        with open(self.dir / f"out.{number}", "wb") as out, open(self.dir / f"err.{number}", "wb") as err:
            options = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err} | options
            process = subprocess.Popen([BATON, *map(str, words)], env=self.env | (env or {}),
                                       cwd=options.pop("cwd", self.dir), **options)
        process.number = number
        self.started.append(process)
        return process

    def said(self, process, stream="err"):
        return (self.dir / f"{stream}.{process.number}").read_text(errors="replace")

    def ended(self, process, code=0):
        """Waits for a started command."""
        process.wait(PATIENCE)
        if code is not None:
            self.assertEqual(process.returncode, code, self.said(process) + self.said(process, "out"))
        return process

    def api(self, data=None):
        return Api(f"{data or self.data}/baton.sock")

    def kill_owner(self):
        """kill -9 of whoever owns the data directory now; waits until it is dead."""
        pid = self.eventually(self.owner_pid, "an owner")
        os.kill(pid, signal.SIGKILL)
        for process in self.started:
            if process.pid == pid:
                process.wait(PATIENCE)
        self.eventually(lambda: not os.path.exists(f"/proc/{pid}") or self._is_zombie(pid), "the owner's death")

    @staticmethod
    def _is_zombie(pid):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()[0] == b"Z"
        except OSError:
            return True

    def owner_pid(self):
        try:
            return self.api().owner_pid()
        except (OSError, ValueError):
            return None

    def keep_owner(self, *words, **options):
        """An owner that stays: the first time by a new run that waits an hour for its retry (it has no process and
        takes no slot), later by resuming that run. Returns when it serves the API."""
        if self.keeper is None:
            waits = {"exec": ["/bin/false"], "retry": {"max_attempts": 9, "backoff": "fixed", "initial": "1h"}}
            path = self.write({"name": "keeper", "steps": {"wait": waits}}, "keeper.json")
            self.keeper = self.baton("run", path, "--detach").stdout.strip()
            self.kill_owner()
        process = self.start("run", "--resume", self.keeper, *words, **options)
        self.eventually(lambda: self.owner_pid() == process.pid, "the new owner")
        return process

    def serve(self, *words, **options):
        """A server on a free port, once it serves. A killed owner's lock goes a moment after it: asks again until then."""
        def started():
            process = self.start("server", "--listen", "127.0.0.1:0", *words, **options)
            self.eventually(lambda: process.poll() is not None or self.owner_pid() == process.pid, "the server")
            if process.poll() is None:
                return process
            self.assertEqual(process.returncode, 6, self.said(process))
            return None

        return self.eventually(started, "the server")

    # Workflows. They are JSON, so that nothing but the standard library is needed.

    def workflow(self, steps, name="test", **fields):
        env = {"LEDGER": str(self.ledger.path), "TEST_MARK": self.task_mark}
        return {"name": name, "env": env, "steps": steps} | fields

    def write(self, definition, name="workflow.json"):
        path = self.dir / name
        path.write_text(json.dumps(definition), encoding="ascii")
        return path

    @staticmethod
    def step(name, *command, **fields):
        """A step that keeps its ledger and runs a command."""
        return {"exec": ["/bin/sh", str(HERE / "step.sh"), name, *map(str, command or ("true",))]} | fields

    def gate(self, name):
        """A command that ends when open_gate(name) was called."""
        return "sh", "-c", 'until [ -e "$0" ]; do sleep 0.01; done', self.dir / f"gate.{name}"

    def open_gate(self, name):
        (self.dir / f"gate.{name}").touch()

    def report(self, line):
        """A measured figure, for the page of results: said when BATON_TEST_REPORT names a file."""
        if path := os.environ.get("BATON_TEST_REPORT"):
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"{self.id()}: {line}\n")

    # Waiting

    def eventually(self, condition, what, seconds=PATIENCE):
        """The condition's first true value. It is asked again and again: nobody tells us."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                self.fail(f"waited {seconds:g} s in vain for {what}; seed {SEED}\n" + self._voices())
            time.sleep(POLL)
        return value

    def _voices(self):
        return "\n".join(f"[{p.number}] {p.args[1:]}: {p.returncode}\n{self.said(p)[-2000:]}" for p in self.started)

    def assert_no_task_lives(self, seconds=5.0):
        """What a dead owner had started is gone. The promise is about a second; a loaded machine gets more."""
        self.eventually(lambda: not processes_with(self.task_mark), "the end of all task processes: " + ", ".join(
            command_line(pid) for pid in processes_with(self.task_mark)), seconds)

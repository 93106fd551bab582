"""Closed descriptors, readers that go away, terminals that are closed."""

import fcntl
import itertools
import json
import os
import pty
import signal
import sqlite3
import subprocess
import termios
import unittest

from harness.case import BATON, BatonCase
from harness.invariants import check_run


class DescriptorsTest(BatonCase):
    def definition(self, command=("true",)):
        return self.write(self.workflow({"work": self.step("work", *command), "after": {"needs": ["work"], "set": {"n": 1}}},
                                        **{"finally": {"tidy": self.step("tidy")}}))

    def assert_sound(self):
        """The database is what it was, whatever took the place of a closed descriptor."""
        with sqlite3.connect(f"file:{self.data}/baton.db?mode=ro", uri=True) as database:
            self.assertEqual(database.execute("pragma integrity_check").fetchall(), [("ok",)])

    def statuses(self):
        self.keep_owner()
        runs = [run for run in self.api().runs() if run["workflow"] == "test"]
        for run in runs:
            check_run(self, self.api(), run["id"], self.ledger)
        return [run["status"] for run in runs]

    def test_standard_descriptors_may_be_closed(self):
        path = self.definition(("sh", "-c", 'read line; [ -z "$line" ]; echo out; echo err >&2'))
        for closed in itertools.chain.from_iterable(itertools.combinations(range(3), n) for n in range(1, 4)):
            for form in ("table", "json"):
                with self.subTest(closed=closed, form=form):
                    words = " ".join(f"{fd}>&-" for fd in closed)
                    done = subprocess.run(["/bin/sh", "-c", f'exec "$0" "$@" {words}', BATON, "run", path, "--output", form],
                                          env=self.env, cwd=self.dir, check=False, timeout=60, capture_output=True,
                                          stdin=subprocess.DEVNULL, text=True)
                    # Data that cannot be written is an error; the run has ended all the same.
                    self.assertEqual(done.returncode, 74 if 1 in closed else 0, done.stderr)
                    if 1 in closed and 2 not in closed:
                        self.assertIn("cannot write to stdout: Bad file descriptor", done.stderr)
                    self.assert_sound()
        self.assertEqual(set(self.statuses()), {"completed"})

    def test_a_reader_that_goes_away_does_no_harm(self):
        path = self.definition()
        for words in (("run", path), ("run", path, "--output", "json"), ("runs", "list"), ("--help",), ("schema",),
                      ("completion", "bash")):
            with self.subTest(words=words[0]):
                reader, writer = os.pipe()
                os.close(reader)
                # Python ignores SIGPIPE and would pass that on.
                done = self.baton(*words, stdout=writer, code=None,
                                  preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
                os.close(writer)
                self.assertIn(done.returncode, (0, 74))
                self.assertNotIn("error", done.stderr)
        self.assertEqual(self.statuses(), ["completed"] * 2)

    def test_progress_that_nobody_reads_does_not_stop_a_run(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = self.baton("run", self.definition(), "--output", "json", stderr=writer)
        os.close(writer)
        self.assertEqual(json.loads(done.stdout)["run"]["status"], "completed")

    def on_terminal(self, path, controlling):
        """`baton run` on a new terminal; returns the process and the terminal's other end."""
        master, slave = pty.openpty()

        def enter():
            os.setsid()
            if controlling:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = self.start("run", path, stdin=slave, stdout=slave, stderr=slave, preexec_fn=enter,
                             env={"TERM": "xterm"})
        os.close(slave)
        return process, master

    def test_a_closed_terminal_cancels(self):
        path = self.definition(("sh", "-c", "while :; do sleep 0.05; done"))
        process, master = self.on_terminal(path, controlling=True)
        self.eventually(lambda: self.ledger.count("start", "work"), "the task")
        os.close(master)
        self.ended(process, None)
        self.assertIn(process.returncode, (3, 74))  # 74: the result could not be printed
        self.assertEqual(self.statuses(), ["cancelled"])
        self.assertEqual(self.ledger.count("end", "tidy"), 1)

    def test_a_terminal_that_is_not_ours_may_go_away(self):
        process, master = self.on_terminal(self.definition(self.gate("work")), controlling=False)
        self.eventually(lambda: self.ledger.count("start", "work"), "the task")
        os.close(master)
        self.open_gate("work")
        self.ended(process, None)
        self.assertIn(process.returncode, (0, 74))
        self.assertEqual(self.statuses(), ["completed"])

    def test_a_full_device_as_stdout_is_an_error(self):
        with open("/dev/full", "wb") as full:
            done = self.baton("run", self.definition(), "--output", "json", stdout=full, code=74)
        self.assertIn("No space left on device", done.stderr)
        self.assertEqual(self.statuses(), ["completed"])

    def test_inherited_descriptors_do_not_reach_tasks(self):
        secret = os.open(self.write({"secret": 1}, "secret"), os.O_RDONLY)
        path = self.write({"name": "fds", "steps": {"look": {"run": "ls /proc/self/fd | wc -l; ls -l /proc/self/fd"}}})
        done = self.json("run", path, pass_fds=[secret])
        os.close(secret)
        text = done["tasks"][0]["result"]["stdout"]
        self.assertEqual(text.split("\n")[0], "4", text)  # 0, 1, 2 and the one that ls reads the folder with
        self.assertNotIn("secret", text)


if __name__ == "__main__":
    unittest.main()

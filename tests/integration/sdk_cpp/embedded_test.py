"""A program with an orchestrator of its own, under kill -9, and beside others that want its data. BATON_CPP_EMBEDDED is the program."""

import os
import signal
import subprocess
import unittest

from harness.case import BATON, BatonCase

PROGRAM = os.environ.get("BATON_CPP_EMBEDDED")


@unittest.skipUnless(PROGRAM, "BATON_CPP_EMBEDDED is not set")
class Embedded(BatonCase):
    def setUp(self):
        super().setUp()
        self.folder = self.dir / "folder"
        self.folder.mkdir()

    def program(self):
        process = subprocess.Popen([PROGRAM, self.data, self.folder], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def noted(self):
        path = self.folder / "ledger"
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []

    def begun(self, *words):
        self.eventually(lambda: self.noted() == list(words), f"{words}, not {self.noted()}")

    def at_work(self, *words):
        """The program, once its functions have begun these. The helper of one that was killed holds its lock for another moment."""
        while True:
            process = self.program()
            self.eventually(lambda: self.noted() == list(words) or process.poll() is not None, f"{words}, not {self.noted()}")
            if process.poll() is None:
                return process
            self.assertEqual((process.returncode, process.stderr.read().split(":")[0]), (6, "owned"))

    def test_it_goes_on_after_kill_9(self):
        for kills in range(3):
            process = self.at_work("first", *["second"] * (kills + 1))
            process.send_signal(signal.SIGKILL)
            process.wait()
        last = self.at_work("first", *["second"] * 4)
        (self.folder / "gate").touch()
        self.assertEqual(last.communicate(timeout=60), ("again 21\n", ""))
        self.assertEqual(self.noted(), ["first", *["second"] * 4])
        tokens = [line.split()[1] for line in (self.folder / "ledger").read_text().splitlines() if line.startswith("second")]
        self.assertEqual(len(set(tokens)), 4)

    def test_the_data_have_one_owner_and_many_readers(self):
        first = self.program()
        self.begun("first", "second")
        out, err = self.program().communicate(timeout=60)
        self.assertEqual((out, err.split(":")[0]), ("", "owned"))
        self.assertIn(str(first.pid), err)  # who has them
        done = subprocess.run([BATON, "server", "--data", self.data], env=self.env, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 6, done.stderr)
        listed = subprocess.run([BATON, "runs", "list", "--data", self.data], env=self.env, capture_output=True, text=True, timeout=60,
                                check=True)
        self.assertIn("running", listed.stdout)
        (self.folder / "gate").touch()
        self.assertEqual(first.communicate(timeout=60), ("new 21\n", ""))
        self.assertEqual(self.noted(), ["first", "second"])


if __name__ == "__main__":
    unittest.main()

"""baton watch: looks on, and leaves the run to itself."""

import json
import signal

from harness.case import BatonCase


class WatchTest(BatonCase):
    def held(self):
        path = self.write(self.workflow({"a": {"exec": list(map(str, self.gate("a")))}}), "held.json")
        return self.baton("run", "--detach", path).stdout.strip()

    def status(self, run):
        return self.json("runs", "get", run)["status"]

    def test_until_the_end(self):
        run = self.held()
        watching = self.start("watch", run, "--output", "json")
        self.eventually(lambda: "● a" in self.said(watching), "its first event")
        self.open_gate("a")
        self.ended(watching)
        shown = json.loads(self.said(watching, "out"))
        self.assertEqual((shown["run"]["id"], shown["run"]["status"]), (run, "completed"))
        self.assertEqual([task["step"] for task in shown["tasks"]], ["a"])
        again = self.baton("watch", run)  # one that is over is shown at once
        self.assertIn("completed", again.stdout)

    def test_of_one_that_fails(self):
        run = self.baton("run", "--detach", self.write(self.workflow({"a": {"run": "exit 3"}}), "bad.json")).stdout.strip()
        self.assertIn("exited with code 3", self.baton("watch", run, code=3).stdout)

    def test_leaves_it_to_itself(self):
        run = self.held()
        for number in signal.SIGINT, signal.SIGTERM:
            watching = self.start("watch", run)
            self.eventually(lambda: "● a" in self.said(watching), "its first event")
            watching.send_signal(number)
            self.ended(watching, 128 + number)
            self.assertIn(f"baton watch {run}", self.said(watching))
            self.assertEqual(self.status(run), "running")
        self.assertIn("it goes on", self.baton("watch", run, "--timeout", "0.2s", code=7).stderr)
        self.assertEqual(self.status(run), "running")
        self.open_gate("a")
        self.baton("watch", run, "--timeout", "10m")

    def test_of_one_whose_owner_was_killed(self):
        run = self.held()
        self.eventually(lambda: self.status(run) == "running", "its start")
        self.kill_owner()
        watching = self.start("watch", run)
        self.eventually(lambda: self.said(watching).count("● a") == 2, "the second attempt")
        watching.kill()  # it has no part in the run
        watching.wait()
        self.open_gate("a")
        self.baton("watch", run)

    def test_refuses(self):
        self.assertIn("no run", self.baton("watch", "nonsense", code=5).stderr)
        self.assertIn("--timeout", self.baton("watch", "x", "--timeout", "soon", code=2).stderr)
        self.assertIn("run is required", self.baton("watch", code=2).stderr)

"""Runs that outlive the command that made them."""

import json
import os
import signal
import unittest

from harness.case import BATON, BatonCase


class DetachTest(BatonCase):
    def detached(self, name, *words):
        path = self.write(self.workflow({"work": self.step(name, *self.gate(name))}, name=name), name + ".json")
        return self.baton("run", path, "--detach", *words).stdout.strip()

    def test_the_run_goes_on_and_the_background_ends_with_it(self):
        run = self.detached("one")
        pid = self.owner_pid()
        self.assertIsNotNone(pid)
        self.assertEqual(self.api().run(run)["status"], "running" if self.api().run(run)["counts"]["running"] else
                         self.api().run(run)["status"])
        self.open_gate("one")
        self.baton("run", "--resume", run)
        self.eventually(lambda: not os.path.exists(f"/proc/{pid}") or self._is_zombie(pid), "the background's end")
        self.assertEqual(json.loads(self.baton("runs", "get", run, "--output", "json").stdout)["status"], "completed")

    def test_it_has_no_terminal_and_no_descriptors_of_ours(self):
        self.detached("one")
        pid = self.owner_pid()
        self.assertEqual(os.getsid(pid), pid)
        for number, target in ((0, "/dev/null"), (1, "/dev/null"), (2, str(self.data / "owner.log"))):
            self.assertEqual(os.readlink(f"/proc/{pid}/fd/{number}"), target)
        self.open_gate("one")

    def test_it_prints_the_run(self):
        run = json.loads(self.baton("run", self.write({"name": "x", "steps": {"a": {"set": {"v": 1}}}}), "--detach",
                                    "--output", "json").stdout)
        self.assertEqual(run["workflow"], "x")

    def test_following_a_log_to_its_end(self):
        path = self.write(self.workflow({"work": {"run": f"echo one; until [ -e '{self.dir}/go' ]; do sleep 0.01; done; "
                                                         "echo two"}}))
        run = self.baton("run", path, "--detach").stdout.strip()
        follower = self.start("logs", run, "work", "--follow")
        self.eventually(lambda: "one" in self.said(follower, "out"), "the first line")
        (self.dir / "go").touch()
        self.ended(follower)
        self.assertEqual(self.said(follower, "out"), "one\ntwo\n")

    def test_following_a_run_finds_what_begins_later(self):
        """Items that are not there yet, and tasks that a task adds."""
        path = self.write(self.workflow({
            "work": {"run": f"echo one; until [ -e '{self.dir}/go' ]; do sleep 0.01; done; {BATON} task add more --run 'echo added' > /dev/null"},
            "each": {"needs": ["work"], "for_each": ["x", "y"], "run": "echo item"},
        }))
        run = self.baton("run", path, "--detach").stdout.strip()
        follower = self.start("logs", run, "--follow")
        self.eventually(lambda: "one" in self.said(follower, "out"), "the first line")
        (self.dir / "go").touch()
        self.ended(follower)
        self.assertEqual(sorted(self.said(follower, "out").split()), ["added", "item", "item", "one"])

    def test_a_run_that_is_handed_to_a_leaving_owner_goes_on(self):
        """The owner's own run ends while others hand over theirs: whatever the order, nobody has to ask again."""
        for i in range(12):
            own = self.write({"name": "own", "steps": {"a": {"run": f"sleep 0.0{i % 7}"}}}, "own.json")
            theirs = self.write(self.workflow({"work": self.step(f"theirs-{i}")}, name="theirs"), "theirs.json")
            owner = self.start("run", own)
            self.baton("run", theirs, "--detach")
            self.eventually(lambda: self.ledger.count("end", f"theirs-{i}") == 1, "the end of the run that was handed over")
            self.ended(owner)

    def test_asked_to_end_the_background_leaves_the_run_to_the_next(self):
        run = self.detached("one")
        pid = self.owner_pid()
        os.kill(pid, signal.SIGTERM)
        self.eventually(lambda: not os.path.exists(f"/proc/{pid}") or self._is_zombie(pid), "the background's end")
        self.assert_no_task_lives()
        self.open_gate("one")
        done = self.json("run", "--resume", run)
        self.assertEqual(done["run"]["status"], "completed")
        self.assertEqual(done["tasks"][0]["interrupted"], 1)
        self.assertEqual(done["tasks"][0]["attempts"], 1)

    def test_looking_at_left_runs_lets_them_go_on(self):
        run = self.detached("one")
        self.kill_owner()
        shown = self.baton("runs", "get", run)
        self.assertIn("goes on in the background", shown.stderr)
        self.open_gate("one")
        self.eventually(lambda: json.loads(self.baton("runs", "get", run, "--output", "json").stdout)["status"]
                        == "completed", "the run's end")


if __name__ == "__main__":
    unittest.main()

"""One owner per data directory; the others are its guests, and one of them takes over when it is killed (R7)."""

import fcntl
import json
import os
import signal
import subprocess
import unittest

from harness.case import BATON, BatonCase
from harness.invariants import check_run


class OwnershipTest(BatonCase):
    def blocked_run(self, name):
        """Starts `baton run` on a workflow that waits for its gate; returns the process and its run's id."""
        path = self.write(self.workflow({
            "work": self.step(name, *self.gate(name)),
            "after": self.step(name + "-after", needs=["work"]),
        }, name=name, **{"finally": {"tidy": self.step(name + "-tidy")}}), name + ".json")
        process = self.start("run", path, "--output", "json")
        self.eventually(lambda: self.ledger.count("start", name), f"the start of {name}")
        return process, self.api().runs(workflow=name)[0]["id"]

    def printed(self, process):
        return json.loads(self.said(process, "out"))["run"]["status"]

    def test_a_second_run_is_a_guest_of_the_first(self):
        owner, _ = self.blocked_run("one")
        guest, _ = self.blocked_run("two")
        self.assertEqual(self.owner_pid(), owner.pid)
        self.open_gate("two")
        self.ended(guest)
        self.assertEqual(self.printed(guest), "completed")
        self.open_gate("one")
        self.ended(owner)
        self.assertEqual(self.printed(owner), "completed")

    def test_an_owner_whose_run_is_over_goes_on_for_its_guests(self):
        owner, mine = self.blocked_run("one")
        guest, theirs = self.blocked_run("two")
        self.open_gate("one")
        self.assertEqual(self.api().wait(mine)["status"], "completed")
        self.assertEqual(self.api().run(theirs)["status"], "running")
        self.assertEqual(self.owner_pid(), owner.pid)
        self.open_gate("two")
        self.ended(guest)
        self.ended(owner)

    def test_a_guest_takes_over_when_its_owner_is_killed(self):
        owner, mine = self.blocked_run("one")
        guest, theirs = self.blocked_run("two")
        self.kill_owner()
        self.ended(owner, -signal.SIGKILL)
        self.eventually(lambda: self.owner_pid() == guest.pid, "the guest as owner")
        self.eventually(lambda: self.ledger.count("start", "two") == 2, "the guest's task again")
        self.eventually(lambda: self.ledger.count("start", "one") == 2, "the task of the dead owner's run again")
        api = self.api()
        self.open_gate("two")
        self.assertEqual(api.wait(theirs)["status"], "completed")
        check_run(self, api, theirs, self.ledger)
        self.open_gate("one")  # the new owner goes on until the runs that it found are over
        self.ended(guest)
        self.assertEqual(self.printed(guest), "completed")
        self.keep_owner()
        check_run(self, self.api(), mine, self.ledger)

    def test_owners_are_killed_until_none_is_left(self):
        crowd = [self.blocked_run(f"run{n}") for n in range(4)]
        for _ in range(3):
            self.kill_owner()
        for number in range(4):
            self.open_gate(f"run{number}")
        for process, _ in crowd:
            self.ended(process, None)
        self.assertEqual(sorted(process.returncode for process, _ in crowd), [-signal.SIGKILL] * 3 + [0])
        self.keep_owner()
        for _, run in crowd:
            self.assertEqual(self.api().run(run)["status"], "completed")
            check_run(self, self.api(), run, self.ledger)

    def test_a_second_owner_is_refused_and_writes_nothing(self):
        # The only command that must own the directory is the one that runs in the background.
        owner, _ = self.blocked_run("one")
        before = self.picture()
        lease, _lease_write = os.pipe()
        ready, ready_write = os.pipe()

        def place():
            os.dup2(lease, 3)
            os.dup2(ready_write, 4)

        second = subprocess.run([BATON, "__owner", self.data, "0", "", "", "", "0", "0", "info", "text", ""], env=self.env, preexec_fn=place, pass_fds=(3, 4),
                                timeout=60, check=False, capture_output=True)
        os.close(ready_write)
        with open(ready, encoding="utf8") as answer:
            self.assertRegex(answer.read(), r"^owned .*" + str(self.data))
        os.close(lease)
        os.close(_lease_write)
        self.assertEqual(second.returncode, 6)
        self.assertEqual(self.picture(), before)
        self.open_gate("one")
        self.ended(owner)

    def picture(self):
        """Names, sizes and times of everything in the data directory."""
        found = {}
        for folder, _, files in os.walk(self.data):
            for name in files:
                info = os.stat(os.path.join(folder, name))
                found[os.path.join(folder, name)] = (info.st_ino, info.st_size, info.st_mtime_ns)
        return found

    def test_a_directory_whose_lock_is_held_by_a_stranger_is_not_touched(self):
        path = self.write(self.workflow({"work": {"set": {"a": 1}}}))
        self.data.mkdir(mode=0o700)
        with open(self.data / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            waiting = self.start("run", path)
            self.eventually(lambda: "waiting for the process that owns" in self.said(waiting), "the message")
            self.assertEqual(sorted(os.listdir(self.data)), ["lock"])
        self.ended(waiting)

    def test_a_waiting_command_can_be_interrupted(self):
        path = self.write(self.workflow({"work": {"set": {"a": 1}}}))
        self.data.mkdir(mode=0o700)
        with open(self.data / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            waiting = self.start("run", path)
            self.eventually(lambda: "waiting for the process that owns" in self.said(waiting), "the message")
            waiting.send_signal(signal.SIGTERM)
            self.ended(waiting, 143)

    def test_commands_side_by_side_with_no_owner_all_succeed(self):
        path = self.write(self.workflow({"work": self.step("work")}))
        commands = [self.start("run", path, "--output", "json") for _ in range(8)]
        lists = [self.start("runs", "list") for _ in range(4)]
        for process in commands + lists:
            self.ended(process)
        self.assertEqual([self.printed(process) for process in commands], ["completed"] * 8)
        self.assertEqual(self.ledger.count("end"), 8)


if __name__ == "__main__":
    unittest.main()

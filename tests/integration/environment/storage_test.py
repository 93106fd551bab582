"""Disks that are read-only, full, or full for a while (R5)."""

import ctypes
import json
import os
import shutil
import signal
import unittest

from harness.api import Answer
from harness.case import BatonCase
from harness.invariants import check_run

MOUNT_READ_ONLY, MOUNT_REMOUNT, UNMOUNT_DETACH = 1, 32, 2
LIBC = ctypes.CDLL(None, use_errno=True)


class StorageTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.disk = self.dir / "disk"
        self.data = self.disk / "data"
        self.env["BATON_DATA"] = str(self.data)
        self.env["BATON_MIN_FREE_SPACE"] = "0"  # these disks are smaller than what is kept free

    def mount(self, mebibytes):
        """A small file system of its own, for root; skipped for others."""
        self.disk.mkdir()
        if LIBC.mount(b"none", os.fsencode(self.disk), b"tmpfs", 0, f"size={mebibytes}m".encode()) != 0:
            self.skipTest(f"cannot mount a tmpfs here: {os.strerror(ctypes.get_errno())}")
        self.addCleanup(self._unmount)

    def _unmount(self):
        self._end_processes()
        LIBC.umount2(os.fsencode(self.disk), UNMOUNT_DETACH)

    def remount(self, flags, options=None):
        data = options.encode() if options else None
        self.assertEqual(LIBC.mount(b"none", os.fsencode(self.disk), None, MOUNT_REMOUNT | flags, data), 0,
                         os.strerror(ctypes.get_errno()))

    def fill(self):
        """Takes all the space there is."""
        with open(self.disk / "ballast", "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                while True:
                    try:
                        file.write(b"x" * size)
                    except OSError:
                        break

    def make_space(self):
        os.unlink(self.disk / "ballast")

    def definition(self, *command, name="test"):
        return self.workflow({"work": self.step("work", *command), "after": self.step("after", needs=["work"])},
                             name=name, **{"finally": {"tidy": self.step("tidy")}})

    # Read-only

    def refused(self, *words):
        done = self.baton(*words, code=None)
        self.assertIn(done.returncode, (8, 74), done.stderr)
        self.assertRegex(done.stderr, r"^error: .*" + str(self.data))
        self.assertIn("--data", done.stderr)
        return done

    def test_a_read_only_file_system(self):
        self.mount(16)
        path = self.write(self.definition())
        self.baton("run", path)
        self.remount(MOUNT_READ_ONLY)
        self.assertIn("Read-only file system", self.refused("run", path).stderr)
        self.refused("runs", "list")
        self.remount(0)
        self.assertEqual(len(self.json("runs", "list")["items"]), 1)
        self.baton("run", path)

    def test_a_new_directory_on_a_read_only_file_system(self):
        self.mount(16)
        self.remount(MOUNT_READ_ONLY)
        self.assertIn("Read-only file system", self.refused("run", self.write(self.definition())).stderr)

    def test_a_directory_without_permission(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        self.disk.mkdir(mode=0o500)
        self.assertIn("Permission denied", self.refused("runs", "list").stderr)
        os.chmod(self.disk, 0o700)

    def test_a_file_in_the_place_of_the_directory(self):
        self.disk.mkdir()
        self.data.write_text("not a directory")
        self.refused("runs", "list")
        self.assertEqual(self.data.read_text(), "not a directory")

    # Full

    def test_starting_on_a_full_disk(self):
        self.mount(8)
        path = self.write(self.definition())
        self.fill()
        done = self.baton("run", path, code=None)
        self.assertIn(done.returncode, (8, 74), done.stderr)
        self.assertRegex(done.stderr, "(?i)no space|disk|full")
        self.make_space()
        self.baton("run", path)
        self.assertEqual(len(self.json("runs", "list")["items"]), 1)

    def submit(self, key):
        try:
            return self.api().submit({"name": "later", "steps": {"a": {"set": {"n": 1}}}}, key, input={})
        except Answer as answer:
            return answer.status, answer.problem

    def exhaust(self):
        """Fills the disk, and then what room the database has in its own files. Returns the runs that were still
        acknowledged, and how the next one was refused."""
        self.fill()
        acknowledged = []
        while (answer := self.submit(f"key-{len(acknowledged)}"))[0] == 201:
            acknowledged.append(answer[1]["id"])
        return acknowledged, *answer

    def test_a_disk_that_is_full_for_a_while(self):
        self.mount(24)
        self.keep_owner("--concurrency", "4")
        run = self.api().submit(self.definition(*self.gate("work")), "key")[1]["id"]
        self.eventually(lambda: self.ledger.count("start", "work"), "the task")
        before = {task["id"]: task["status"] for task in self.api().tasks(run)}
        acknowledged, status, problem = self.exhaust()
        self.assertIn(status, (503, 507), problem)
        self.assertEqual(problem["code"], "read_only", problem)
        with self.assertRaises(Answer) as caught:
            self.api().get("/readyz")
        self.assertEqual(caught.exception.status, 503)

        # What has ended meanwhile waits for space to be recorded. Reads go on.
        self.open_gate("work")
        self.eventually(lambda: self.ledger.count("end", "work"), "the task's end")
        self.assertEqual({task["id"]: task["status"] for task in self.api().tasks(run)}, before)
        self.assertEqual(self.submit("refused")[0], status)
        self.assertEqual(self.ledger.count("start", "after"), 0)

        self.make_space()
        self.assertEqual(self.api().wait(run)["status"], "completed")
        self.api().get("/readyz")
        check_run(self, self.api(), run, self.ledger)
        self.assertEqual(self.ledger.count("start", "work"), 1)
        self.assertEqual(self.submit("refused")[0], 201)
        for later in acknowledged:
            self.assertEqual(self.api().wait(later)["status"], "completed")
        self.assertEqual(len(self.api().runs()), len(acknowledged) + 3, "a refused submission was stored")

    def test_a_kill_while_the_disk_is_full(self):
        self.mount(24)
        self.keep_owner("--concurrency", "4")
        run = self.api().submit(self.definition(*self.gate("work")), "key")[1]["id"]
        self.eventually(lambda: self.ledger.count("start", "work"), "the task")
        self.exhaust()
        self.open_gate("work")
        self.eventually(lambda: self.ledger.count("end", "work"), "the task's end")
        self.kill_owner()
        # The next owner may be able to start, or say that it cannot. Neither does harm.
        keeper = self.start("run", "--resume", self.keeper)
        self.eventually(lambda: keeper.poll() is not None or self.owner_pid() == keeper.pid, "an owner")
        self.assertIn(keeper.returncode, (None, 8, 74), self.said(keeper))
        self.make_space()
        if keeper.returncode is not None:
            self.keep_owner("--concurrency", "4")
        self.assertEqual(self.api().wait(run)["status"], "completed")
        check_run(self, self.api(), run, self.ledger)

    def test_a_task_that_fills_the_disk_fails_and_others_go_on(self):
        self.mount(32)
        greedy = ("sh", "-c", 'cat /dev/zero >"$BATON_RUN_DIR/zero"; rm "$BATON_RUN_DIR/zero"; exit 3')
        done = self.baton("run", self.write(self.definition(*greedy)), "--output", "json", code=3)
        ended = json.loads(done.stdout)
        self.assertEqual({task["step"]: task["status"] for task in ended["tasks"]},
                         {"work": "failed", "after": "skipped", "tidy": "completed"})

    def test_a_signal_while_the_disk_is_full(self):
        self.mount(24)
        process = self.start("run", self.write(self.definition(*self.gate("work"))))
        self.eventually(lambda: self.ledger.count("start", "work"), "the task")
        run = self.api().runs()[0]["id"]
        self.exhaust()
        for word in ("cancelling", "terminating", "left"):  # whatever can be recorded
            process.send_signal(signal.SIGINT)
            self.eventually(lambda: word in self.said(process) or process.poll() is not None, word)
        self.ended(process, None)
        self.assertEqual(process.returncode, 130, self.said(process))
        self.assert_no_task_lives()
        self.make_space()
        self.open_gate("work")
        self.baton("run", "--resume", run, code=None)
        self.keep_owner()
        check_run(self, self.api(), run, self.ledger)

    def test_disks_of_all_sizes(self):
        """Space ends anywhere between the first file of a new directory and the last commit of a run."""
        path = self.write(self.workflow({
            "first": self.step("first"),
            "fan": {"needs": ["first"], "for_each": list(range(200)), "set": {"text": "${{ 'x'.replace('x', '%s') }}" % ("x" * 2000)}},
            "work": self.step("work", needs=["fan"]),
        }))
        self.mount(1)
        ends = set()
        for kibibytes in range(32, 2400, 64):
            with self.subTest(kibibytes=kibibytes):
                shutil.rmtree(self.data, ignore_errors=True)
                self.remount(0, f"size={kibibytes}k")
                process = self.start("run", path)
                self.eventually(lambda: process.poll() is not None
                                or "the store took no write" in self.said(process), "its end or a full disk")
                ends.add(process.returncode)
                self.remount(0, "size=16m")
                self.ended(process, None)  # if it has not: it has waited for space, or was just about to give up
                self.assertIn(process.returncode, (0, 8, 74), self.said(process))
                if process.returncode != 0:
                    self.assertIn("error: ", self.said(process))
                    self.baton("run", path)
                runs = self.json("runs", "list")["items"]
                self.assertEqual({run["status"] for run in runs}, {"completed"})
        self.assertLessEqual({0, 8, None}, ends, "the sizes do not reach from too small to enough")


if __name__ == "__main__":
    unittest.main()

"""Backups of a database under load (R8): each is whole, and a data directory that is made of it goes on."""

import threading
import unittest

from harness.api import Api
from harness.case import LONG, BatonCase
from harness.invariants import TERMINAL, check_database, check_run
from harness.journal import Journal, submit_until_answered

BACKUPS = 60 if LONG else 5
CLIENTS = 3


class BackupTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.journal = Journal(self.dir / "journal")
        self.addCleanup(self.journal.close)
        self.stop = threading.Event()
        self.complaints = []
        self.clients = []
        self.addCleanup(lambda: [client.join() for client in self.clients])
        self.addCleanup(self.stop.set)

    def definition(self, number):
        work = {"exec": ["/bin/true"]} if number % 10 == 0 else {"set": {"text": "x" * (9_000 if number % 7 == 0 else 9)}}
        return {"name": f"n{number % 3}", "steps": {
            "work": work, "fan": {"needs": ["work"], "for_each": list(range(number % 20)), "set": {"n": "${{ item }}"}}}}

    def client(self, numbers):
        api = Api(f"{self.data}/baton.sock")
        try:
            for number in numbers:
                if submit_until_answered(api, self.journal, f"key-{number}", self.definition(number),
                                         stop=self.stop.is_set) is None:
                    return
        except Exception as error:  # a thread's exceptions would be lost
            self.complaints.append(repr(error))

    def load(self):
        self.clients = [threading.Thread(target=self.client, args=(range(n, 1_000_000, CLIENTS),)) for n in range(CLIENTS)]
        for client in self.clients:
            client.start()

    def end_load(self):
        self.stop.set()
        for client in self.clients:
            client.join()
        self.assertEqual(self.complaints, [])

    def test_each_backup_under_load_is_whole_and_goes_on(self):
        self.keep_owner("--concurrency", "4")
        self.load()
        backups = []
        for number in range(BACKUPS):
            self.eventually(lambda n=number: self.journal.acknowledged() >= 40 * (n + 1) or self.complaints, "load")
            before = dict(self.journal.answers)
            file = self.dir / f"backup-{number}.db"
            made = self.json("backup", file)
            backups.append((file, before, made))
        self.end_load()
        self.kill_owner()
        for file, before, made in backups:
            with self.subTest(backup=file.name):
                self.data = self.dir / f"{file.name}.data"
                self.env["BATON_DATA"] = str(self.data)
                restored = self.json("restore", file)
                self.assertEqual((restored["runs"], restored["open_runs"]), (made["runs"], made["open_runs"]))
                check_database(self, self.data)
                self.keep_owner("--concurrency", "4")
                api = self.api()
                stored = {run["job_id"]: run["id"] for run in api.runs() if run["job_id"]}
                missing = {key: runs for key, runs in before.items() if stored.get(key) != runs[0]}
                self.assertEqual(missing, {}, "I1: acknowledged before the backup, and not in it")
                self.eventually(lambda a=api: len(a.runs(state="active")) == 1, "the end of all runs but the keeper's")
                for run in self.random.sample(sorted(stored.values()), 10):
                    check_run(self, api, run)
                self.kill_owner()
        self.report(f"{BACKUPS} backups, the last with {backups[-1][2]['runs']} runs, {backups[-1][2]['bytes'] >> 10} KiB")

    def test_a_kill_while_a_backup_is_made_leaves_none(self):
        self.keep_owner("--concurrency", "4")
        self.load()
        self.eventually(lambda: self.journal.acknowledged() >= 200 or self.complaints, "load")
        self.end_load()
        file = self.dir / "backup.db"
        for _ in range(5):
            command = self.start("backup", file)
            self.eventually(lambda: (self.dir / "backup.db.part").exists() or file.exists() or command.poll() is not None,
                            "the backup's beginning")
            self.kill_owner()
            command.wait(60)
            if file.exists():  # it was quicker than the kill: then it is whole
                self.env["BATON_DATA"] = str(self.dir / "other")
                self.json("restore", file, "--replace")
                self.env["BATON_DATA"] = str(self.data)
                file.unlink()
            if self.owner_pid():  # the command has made one
                self.kill_owner()
            self.keep_owner("--concurrency", "4")
        self.json("backup", file)  # what an earlier one left behind is in nobody's way
        self.assertFalse((self.dir / "backup.db.part").exists())

    def test_what_is_refused(self):
        run = self.json("run", self.write({"name": "a", "steps": {"b": {"set": {"n": 1}}}}))["run"]["id"]
        file = self.dir / "backup.db"
        self.assertRegex(self.baton("backup", file).stdout, r"backup\.db: \d+ KiB, 1 run, 0 of them open")
        self.assertIn("exists already", self.baton("backup", file, code=6).stderr)
        self.assertIn("No such file or directory", self.baton("backup", self.dir / "no" / "file", code=74).stderr)
        self.assertIn("there is no file", self.baton("restore", self.dir / "missing", code=5).stderr)
        self.assertIn("--replace", self.baton("restore", file, code=6).stderr)
        self.keep_owner()
        self.assertIn("end it first", self.baton("restore", file, "--replace", code=6).stderr)
        self.kill_owner()
        # The spawner of a killed owner holds the directory until it has ended the owner's tasks.
        done = self.eventually(lambda: next((d for d in [self.baton("restore", file, "--replace", code=None)]
                                             if d.returncode != 6), None), "that the directory is free")
        self.assertEqual(done.returncode, 0, done.stderr)
        said = done.stdout
        self.assertIn("what was there before is now", said)
        self.assertEqual([one["id"] for one in self.json("runs", "list")["items"]], [run])
        (self.dir / "junk").write_bytes(b"x" * 10_000)
        self.assertEqual(self.baton("restore", self.dir / "junk", "--data", self.dir / "new", code=None).returncode, 74)

    def test_free_space_is_kept_for_what_runs(self):
        self.keep_owner(env={"BATON_MIN_FREE_SPACE": "8000TiB"})
        done = self.baton("run", self.write({"name": "a", "steps": {"b": {"set": {"n": 1}}}}), code=8)
        self.assertRegex(done.stderr, r"no new runs are taken: .* MiB free.*min_free_space")
        self.assertEqual(len(self.json("runs", "list")["items"]), 1)
        self.assertIn(self.api().run(self.keeper)["status"], {"running"} | TERMINAL)


if __name__ == "__main__":
    unittest.main()

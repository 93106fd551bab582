"""Databases of every schema that there was, with runs in flight: opened, migrated and finished by today's program (R34).
Each is killed at every write of its migration, too; and one of a newer Baton is refused and left as it is."""

import contextlib
import hashlib
import json
import pathlib
import re
import sqlite3
import tarfile
import unittest

from harness.case import LONG, BatonCase
from harness.faults import KILL_BEFORE, KILL_WITHIN, Faults, change_database
from harness.invariants import check_database, check_nothing_is_stuck, check_run
from harness.ledger import Ledger

DATABASES = pathlib.Path(__file__).resolve().parent / "databases"
SCHEMAS = sorted(int(re.search(r"-(\d+)\.", file.name)[1]) for file in DATABASES.glob("schema-*.tar.xz"))


class GoldenTest(BatonCase):
    def unpack(self, schema):
        """The data directory of a golden database; returns what is known about it."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        with tarfile.open(DATABASES / f"schema-{schema}.tar.xz") as archive:
            # Debian 12's Python does not know it yet, later ones warn without it.
            archive.extractall(self.data, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        self.ledger = Ledger(self.data / "ledger")
        about = json.loads((self.data / "golden.json").read_text())
        self.keeper = about["runs"]["keeper"]["id"]
        return about

    def start_anew(self, *files):
        for file in files or sorted(self.data.iterdir()):
            if (self.data / file).is_file():
                (self.data / file).unlink()

    def schema(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.data}/baton.db?mode=ro", uri=True)) as database:
            return database.execute("PRAGMA user_version").fetchone()[0]

    def test_every_schema_has_its_database(self):
        self.baton("runs", "list")
        self.assertEqual(SCHEMAS, list(range(1, self.schema() + 1)),
                         "a schema without a golden database: run tests/integration/golden/make.py")

    def test_runs_in_flight_go_on(self):
        for schema in SCHEMAS:
            with self.subTest(schema=schema):
                self.start_anew() if self.data.exists() else None
                about = self.unpack(schema)
                runs = {name: run for name, run in about["runs"].items() if run["end"]}
                self.keep_owner("--concurrency", "6")
                api = self.api()
                for name, run in runs.items():
                    self.assertIn(api.run(run["id"])["status"], {run["status"], run["end"], "running", "recovering"}, name)
                    self.assertTrue(api.history(run["id"]), name)
                check_nothing_is_stuck(self, api)
                # One key is one run, also across an upgrade.
                for name in ("running", "queued-3"):
                    status, run = api.submit(runs[name]["definition"], f"key-{name}", job_id=f"job-{name}")
                    self.assertEqual((status, run["id"]), (200, runs[name]["id"]))
                self.let_go(runs)
                for name, run in runs.items():
                    self.eventually(lambda r=run: api.run(r["id"])["status"] == r["end"], f"{name}: {run['end']}")
                for name, run in runs.items():
                    with self.subTest(schema=schema, run=name):
                        check_run(self, api, run["id"], self.ledger)
                self.check_values(api, runs)
                self.kill_owner()
                check_database(self, self.data)

    def let_go(self, runs):
        (self.data / "gate").touch()
        # What waits for a person.
        if "signal" in runs:
            self.baton("signal", runs["signal"]["id"], "go")
        if runs["paused"]["status"] == "paused":
            self.json("runs", "resume", runs["paused"]["id"])
        if "held" in runs:
            (task,) = self.api().tasks(runs["held"]["id"])
            self.json("tasks", "skip", task["id"])
        if "retrying" in runs:
            (task,) = self.api().tasks(runs["retrying"]["id"])
            if task["status"] == "retrying":  # the database is young: not due yet
                self.json("tasks", "retry", task["id"])

    def check_values(self, api, runs):
        def result(run, step):
            return next(api.task(task["id"])["result"] for task in api.tasks(runs[run]["id"]) if task["step"] == step)

        self.assertEqual(result("running", "last"), {"text": "äöü ☃hello", "size": 9000})
        self.assertEqual(result("fan-out", "join"), {"many": 12})
        self.assertEqual(result("completed", "large"), {"large": "x" * 9000})
        self.assertEqual(result("completed", "small"), {"text": "äöü ☃"})

    def test_a_kill_at_every_write_of_a_migration(self):
        for schema in SCHEMAS[:-1] if len(SCHEMAS) > 1 else SCHEMAS:
            with self.subTest(schema=schema):
                faults = Faults(self.dir)
                self.addCleanup(faults.close)
                operation, killed = 0, True
                while killed:
                    operation += 1 if LONG or operation < 10 else 4
                    self.start_anew() if self.data.exists() else None
                    about = self.unpack(schema)
                    faults.fail(operation, KILL_BEFORE if operation % 2 else KILL_WITHIN)
                    process = self.start("runs", "list", env=faults.environment)
                    process.wait(60)
                    killed = process.returncode == -9
                    faults.heal()
                    self.assertIn(process.returncode, (0, -9), self.said(process))
                    if killed:
                        self.look(about)
                    else:
                        self.kill_owner_if_any()
                self.assertGreater(operation, 5, "the program was not killed: is the library loaded?")
                self.report(f"schema {schema}: killed at {operation - 1} places")

    def look(self, about):
        """The next program opens it and has everything."""
        check_database(self, self.data)
        listed = {run["id"] for run in self.json("runs", "list", "--limit", "100")["items"]}
        self.assertEqual(listed, {run["id"] for run in about["runs"].values()})
        self.kill_owner_if_any()

    def kill_owner_if_any(self):
        if self.owner_pid():
            self.kill_owner()
            self.assert_no_task_lives()

    def test_a_newer_schema_is_refused_and_left_as_it_is(self):
        self.baton("runs", "list")
        newest = self.schema()
        change_database(self.data / "baton.db", f"PRAGMA user_version = {newest + 1}")
        before = self.picture()
        for words in (("runs", "list"), ("run", self.write({"name": "x", "steps": {"a": {"set": {"n": 1}}}})),
                      ("backup", self.dir / "copy.db")):
            done = self.baton(*words, code=78)
            self.assertRegex(done.stderr, rf"made by a newer Baton \(schema {newest + 1}; this one knows up to {newest}\)")
        self.assertEqual(self.picture(), before)

    def picture(self):
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()
                for file in self.data.iterdir() if file.name.startswith("baton.db")}


if __name__ == "__main__":
    unittest.main()

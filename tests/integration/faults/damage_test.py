"""Damage of the stored bytes (R6) and of single rows (R35). A flipped bit, or an end that is missing, is refused with 74 and
a hint, or does not change any answer; it never crashes anything. A row that cannot be read is set aside and shown, and
everything else goes on."""

import contextlib
import json
import shutil
import sqlite3
import unittest

from harness.api import Answer
from harness.case import LONG, BatonCase
from harness.faults import change_database, copy_database
from harness.invariants import TERMINAL, check_run

PLACES = 1_000 if LONG else 12  # of each kind of damage


class DamageTest(BatonCase):
    def definition(self, name, number=0):
        return {"name": name, "steps": {
            "first": {"set": {"text": "x" * (9_000 if number % 3 == 0 else 20)}},
            "fan": {"needs": ["first"], "for_each": [1, 2, 3], "set": {"n": "${{ item }}"}},
        }}

    # Bytes

    def truth(self, data):
        """Everything that can be asked, or the exit code of the first question that is refused."""
        answers = {}
        runs = self.asked(data, "runs", "list", "--limit", "100")
        if isinstance(runs, int):
            return runs
        answers["runs"] = runs["items"]
        for run in runs["items"][:4]:
            for words in (("tasks", "list", run["id"]), ("runs", "history", run["id"])):
                found = self.asked(data, *words)
                if isinstance(found, int):
                    return found
                answers[words] = found["items"]
        return answers

    def asked(self, data, *words):
        done = self.baton(*words, "--data", data, "--output", "json", code=None)
        if done.returncode == 0:
            return json.loads(done.stdout)
        self.assertEqual(done.returncode, 74, f"{words}\n{done.stderr}")
        self.assertRegex(done.stderr, "(?i)restore a backup|put the database back|salvage", done.stderr)
        self.assertEqual(done.stdout, "")
        return done.returncode

    def prepared(self, ended):
        """A database, part of it in its log, whose last commit is one that no answer depends on; or one whose owner has
        ended, with an empty log."""
        owner = self.keep_owner("--concurrency", "4")
        for number in range(12):
            run = self.api().submit(self.definition(f"n{number % 3}", number), f"key-{number}")[1]["id"]
            self.api().wait(run)
        if ended:
            self.api().request("POST", f"/api/v1/runs/{self.keeper}/cancel", {})
            self.ended(owner, None)
        else:
            self.api().request("POST", "/api/v1/queues/nobody-uses-it/pause", {})
            self.kill_owner()
        base = self.dir / "base"
        copy_database(self.data, base)
        return base

    def end_owner_of(self, data):
        """The keeper's run is open: whoever looks leaves a process behind that goes on with it."""
        self.data, kept = data, self.data
        if self.owner_pid():
            self.kill_owner()
        self.data = kept

    def damage_everywhere(self, file, change):
        base = self.prepared(ended=file == "baton.db")
        whole = self.dir / "whole"
        shutil.copytree(base, whole)
        truth = self.truth(whole)
        self.end_owner_of(whole)
        self.assertIsInstance(truth, dict)
        content = (base / file).read_bytes()
        self.assertGreater(len(content), 8_192)
        refused = 0
        for _ in range(PLACES):
            place = self.dir / "damaged"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(base, place)
            damaged, what = change(bytearray(content))
            (place / file).write_bytes(damaged)
            with self.subTest(what=what):
                answers = self.truth(place)
                if answers == 74:
                    refused += 1
                else:
                    self.assertEqual(answers, truth)
                # A backup reads everything: damage that no answer has met is found there.
                copy = self.dir / "copy.db"
                copy.unlink(missing_ok=True)
                done = self.baton("backup", copy, "--data", place, code=None)
                self.assertIn(done.returncode, (0, 74), done.stderr)
                self.assertEqual(copy.exists(), done.returncode == 0)
                self.end_owner_of(place)
                if file == "baton.db" and done.returncode == 0:
                    self.fail("a backup was made of a damaged database")
        self.report(f"{file}: {PLACES} places, {refused} refused at the first questions")

    def flip(self, content):
        at = self.random.randrange(len(content))
        content[at] ^= 1 << self.random.randrange(8)
        return content, f"bit of byte {at}"

    def cut(self, content):
        size = self.random.randrange(len(content))
        return content[:size], f"{size} of {len(content)} bytes"

    def used(self, content):
        """Only what is written of a log: it is made longer in advance."""
        return content.rstrip(b"\0")

    def test_bits_of_the_database(self):
        self.damage_everywhere("baton.db", self.flip)

    def test_an_end_that_is_missing_of_the_database(self):
        self.damage_everywhere("baton.db", self.cut)

    def test_bits_of_the_log(self):
        self.damage_everywhere("baton.db-wal", lambda content: self.flip(bytearray(self.used(content))))

    # Rows

    def test_rows_that_cannot_be_read(self):
        waits = {"exec": ["/bin/false"], "retry": {"max_attempts": 9, "backoff": "fixed", "initial": "1h"}}
        self.keep_owner("--concurrency", "4")
        api = self.api()
        runs = {name: api.submit({"name": name, "steps": {"waits": waits, "beside": {"wait": {"signal": "go"}}}},
                                 f"key-{name}", job_id=name)[1]["id"]
                for name in ("definition", "status", "state", "task", "task-status", "healthy")}
        done = api.submit(self.definition("done", 3), "key-done")[1]["id"]
        api.wait(done)
        for run in runs.values():
            self.eventually(lambda r=run: any(t["status"] == "retrying" for t in api.tasks(r)), "the delay")
        self.kill_owner()
        with contextlib.closing(sqlite3.connect(f"file:{self.data}/baton.db?mode=ro", uri=True)) as database:
            keys = {job: key for job, key in database.execute("SELECT job_id, key FROM run WHERE job_id IS NOT NULL")}
        change_database(
            self.data / "baton.db",
            "UPDATE definition SET canonical = '{\"steps\":' WHERE workflow ="
            " (SELECT id FROM workflow WHERE name = 'definition')",
            ("UPDATE run SET status = 99 WHERE key = ?", (keys["status"],)),
            ("UPDATE run SET state = substr(state, 1, 7) WHERE key = ?", (keys["state"],)),
            ("UPDATE task SET state = x'ff' WHERE run = ? AND ordinal = 1", (keys["task"],)),
            ("UPDATE task SET status = 99 WHERE run = ? AND ordinal = 1", (keys["task-status"],)),
            "INSERT INTO record(shard, kind, key, grp, at, state) VALUES (0, 250, 'of the future', '', 0, x'00')",
            "UPDATE idempotency SET body = x'00' WHERE key = 'key-state'",
        )
        owner = self.keep_owner("--concurrency", "4")
        api = self.api()
        listed = {run["id"]: run for run in api.runs()}
        self.assertLessEqual(set(runs.values()), set(listed), "a damaged run is not shown")
        for name in ("definition", "status", "state", "task", "task-status"):
            with self.subTest(row=name):
                self.assertIn(f"run with key {keys[name]} is set aside", self.said(owner))
                for path in ("", "/history", "/explain", "/progress", "/wait?timeout=1"):
                    try:
                        api.get(f"/api/v1/runs/{runs[name]}{path}")
                    except Answer as answer:
                        self.assertIn(answer.problem["code"], ("corrupt", "not_found", "conflict"), answer)
                try:  # it cannot be changed, and that harms nobody
                    api.request("POST", f"/api/v1/runs/{runs[name]}/cancel", {})
                except Answer as answer:
                    self.assertLess(answer.status, 501)
        # The rest runs: what was under way, what is over, what is new.
        self.assertEqual(api.run(done)["status"], "completed")
        check_run(self, api, done)
        self.baton("signal", runs["healthy"], "go")
        (task,) = [t for t in api.tasks(runs["healthy"]) if t["step"] == "waits"]
        self.json("tasks", "skip", task["id"])
        self.assertEqual(api.wait(runs["healthy"])["status"], "completed")
        check_run(self, api, runs["healthy"])
        fresh = api.submit(self.definition("fresh"), "key-fresh")[1]["id"]
        self.assertEqual(api.wait(fresh)["status"], "completed")
        with self.assertRaises(Answer) as caught:
            api.submit(self.definition("again"), "key-state")
        self.assertEqual(caught.exception.problem["code"], "corrupt")
        self.assertIsNone(owner.poll(), self.said(owner))
        # And once more: it does not end in a circle of crashes.
        self.kill_owner()
        self.keep_owner("--concurrency", "4")
        self.assertEqual(self.api().run(fresh)["status"], "completed")
        self.assertIn(self.api().run(done)["status"], TERMINAL)


if __name__ == "__main__":
    unittest.main()

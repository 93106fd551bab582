"""Removing runs: what is gone is gone for everybody, what is kept is whole, and a kill in the middle leaves nothing behind."""

import contextlib
import json
import os
import pathlib
import sqlite3
import unittest

from harness.api import Answer
from harness.case import BatonCase

RUNS = 60
ITEMS = 40


class RetentionTest(BatonCase):
    def finished(self, count, **fields):
        """Runs with items, large results, logs and scratch files that have ended; their ids."""
        definition = self.workflow({
            "make": {"run": "yes payload | head -c 6000 | tee $BATON_RUN_DIR/file; echo $BATON_RUN_ID >&2"},
            "each": {"needs": ["make"], "for_each": list(range(ITEMS)), "set": {"item": "${{ item }}"}},
        }, **fields)
        context = {"workdir": "/", "env": {"PATH": os.environ["PATH"]}}
        runs = [self.api().request("POST", "/api/v1/runs", {"definition": json.dumps(definition), "context": context})[1]["id"]
                for _ in range(count)]
        for run in runs:
            self.assertEqual(self.api().wait(run)["status"], "completed")
        return runs

    def files_of(self, run):
        found = [self.data / "scratch" / run, *(self.data / "logs").glob(f"*/{run}")]
        return [path for path in found if path.exists()]

    def is_gone(self, run):
        try:
            self.api().run(run)
        except Answer as answer:
            self.assertEqual(answer.status, 404)
            return True
        return False

    def left(self):
        """Rows of what belongs to runs, by table."""
        with contextlib.closing(sqlite3.connect(f"file:{self.data}/baton.db?mode=ro", uri=True)) as database:
            return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                    for table in ("run", "task", "remains", "payload", "payload_content")}

    def test_a_kill_in_the_middle(self):
        self.keep_owner()
        runs = self.finished(RUNS)
        keeper = self.keeper
        for _ in range(4):
            page = self.api().request("POST", "/api/v1/runs/bulk", {
                "action": "prune", "filter": {"workflow": "test", "status": "completed"}, "limit": RUNS // 4})[1]
            self.assertEqual([item["outcome"] for item in page["items"]], ["done"] * (RUNS // 4))
            self.kill_owner()  # while files are being deleted and rows cleared away
            self.keep_owner()
        for run in runs:
            self.assertTrue(self.is_gone(run), run)
        self.eventually(lambda: not any(self.files_of(run) for run in runs), "the files")
        self.eventually(lambda: self.left()["remains"] == 0, "what is left of them")
        left = self.left()
        self.assertEqual((left["run"], left["task"], left["payload"], left["payload_content"]), (1, 0, 0, 0), left)
        self.assertFalse(self.is_gone(keeper))
        copy = self.dir / "copy.db"
        self.baton("backup", copy)  # checks the whole file
        notes = self.eventually(lambda: [n for n in [self.json("runs", "removed")["items"]]
                                         if all(note["files_deleted"] for note in n)], "the notes")[0]
        self.assertEqual(sum(note["runs"] for note in notes), RUNS)

    def test_by_hand(self):
        self.keep_owner()
        (run,) = self.finished(1, name="other")
        self.assertIn("which runs?", self.baton("runs", "prune", code=None).stderr)
        keyed = self.api().submit(self.workflow({"a": {"run": "true"}}, name="keyed"), "key")[1]["id"]
        self.api().wait(keyed)
        self.assertIn("may still be repeated", self.baton("runs", "prune", keyed, code=6).stderr)
        self.assertIn("has not ended", self.baton("runs", "prune", self.keeper, code=6).stderr)
        dry = self.json("runs", "prune", "--workflow", "other", "--dry-run")["items"]
        self.assertEqual([(item["run"], item["outcome"]) for item in dry], [(run, "possible")])
        self.assertFalse(self.is_gone(run))
        none = self.json("runs", "prune", "--workflow", "other", "--older-than", "1h")["items"]
        self.assertEqual(none, [])
        self.baton("runs", "prune", run, "--reason", "disk full")
        self.assertTrue(self.is_gone(run))
        self.assertIn("there is no run", self.baton("runs", "prune", run, code=None).stderr)
        notes = self.json("runs", "removed")["items"]
        self.assertEqual([(note["runs"], note["reason"]) for note in notes], [(1, "disk full")])
        self.eventually(lambda: not self.files_of(run), "the files")

    def test_a_time_is_over(self):
        self.keep_owner()
        (run,) = self.finished(1)
        self.kill_owner()
        self.keep_owner(env={"BATON_RETENTION_COMPLETED": "1ms"})  # it looks when it starts
        self.eventually(lambda: self.is_gone(run), "the run's removal")
        self.eventually(lambda: not self.files_of(run), "the files")
        self.assertFalse(pathlib.Path(self.data / "scratch" / run).exists())
        (note,) = self.json("runs", "removed")["items"]
        self.assertEqual((note["by"], note["runs"]), ("retention", 1))


if __name__ == "__main__":
    unittest.main()

"""The test of the checker: each of its complaints is made where there is something to complain of, and not before."""

import copy
import sqlite3
import unittest

from harness.case import BatonCase
from harness.faults import change_database
from harness.invariants import (check_attempts, check_database, check_history, check_journal, check_ledger, check_limit,
                                check_order)
from harness.journal import Journal
from harness.ledger import Entry


def attempt(number, status="completed", token=None, begin=0, end=1):
    at = "2026-01-01T00:00:{:02}.000Z".format
    return {"number": number, "status": status, "token": token or f"1-{number}", "started_at": at(begin), "ended_at": at(end)}


def task(name, *attempts, needs=(), status="completed"):
    return {"id": f"run.{name}", "step": name, "status": status, "role": "main", "type": "exec", "finally": False, "parent": None,
            "attempt_list": list(attempts), "attempts": len(attempts), "interrupted": 0, "lost": 0,
            "dependencies": [f"run.{one}" for one in needs],
            "started_at": attempts[0]["started_at"], "ended_at": attempts[-1]["ended_at"]}


class FakeApi:
    def __init__(self, runs=(), facts=()):
        self._runs, self._facts = list(runs), list(facts)

    def runs(self):
        return self._runs

    def history(self, _run):
        return self._facts


class CheckerTest(BatonCase):
    def complains(self, number, check, *arguments):
        with self.assertRaises(AssertionError) as caught:
            check(self, *arguments)
        self.assertTrue(str(caught.exception).startswith(number + ":"), caught.exception)

    def test_attempts(self):
        good = task("a", attempt(1, "failed", end=1), attempt(2, begin=2, end=3))
        check_attempts(self, good)
        for number, change in (
            ("I2", lambda t: t.update(status="running")),
            ("I3", lambda t: t["attempt_list"][0].update(status="completed")),
            ("I3", lambda t: t["attempt_list"][1].update(status="running")),
            ("I4", lambda t: t["attempt_list"][1].update(token="1-1")),
            ("I4", lambda t: t["attempt_list"][1].update(token="0-9")),
            ("I12", lambda t: t.update(attempts=3)),
            ("I12", lambda t: t.update(lost=1)),
        ):
            bad = copy.deepcopy(good)
            change(bad)
            self.complains(number, check_attempts, bad)

    def test_order(self):
        first, second = task("a", attempt(1, end=5)), task("b", attempt(1, begin=5, end=6), needs=["a"])
        check_order(self, [first, second])
        self.complains("I5", check_order, [task("a", attempt(1, end=7)), second])

    def test_history(self):
        tasks = [task("a", attempt(1))]
        facts = [{"type": "attempt.started", "task": "run.a", "attempt": 1},
                 {"type": "attempt.ended", "task": "run.a", "attempt": 1},
                 {"type": "task.ended", "task": "run.a", "status": "completed"},
                 {"type": "run.ended", "status": "completed"}]
        run = {"id": "run", "status": "completed"}
        check_history(self, run, tasks, FakeApi(facts=facts))
        for number, changed in (("I2", facts[:3] + facts[2:]), ("I2", facts[:3]), ("I3", facts[1:]),
                                ("I12", facts[:2] + facts[3:]),
                                ("I12", facts[:2] + [facts[2] | {"status": "failed"}] + facts[3:])):
            self.complains(number, check_history, run, tasks, FakeApi(facts=changed))

    def test_ledger(self):
        tasks = [task("a", attempt(1)), task("b", attempt(1, token="1-2"), needs=["a"])]

        def entries(*lines):
            return [Entry("run." + step, 1, token, step, what, code, place)
                    for place, (step, token, what, code) in enumerate(lines)]

        a, b = ("a", "1-1"), ("b", "1-2")
        good = [(*a, "start", None), (*a, "end", 0), (*b, "start", None), (*b, "end", 0)]
        check_ledger(self, tasks, entries(*good))
        for number, lines in (("I3", good[2:]), ("I3", [good[0], (*a, "end", 1), *good[2:]]),
                              ("I4", [*good, (*b, "start", None)]), ("I4", [*good, ("b", "9-9", "start", None)]),
                              ("I4", [(*a, "overlap", None), *good]), ("I5", good[2:] + good[:2])):
            self.complains(number, check_ledger, tasks, entries(*lines))

    def test_limit(self):
        def entry(place, number, what, incarnation=1):
            return Entry(f"run.{number}", 1, f"{incarnation}-{number}", "fan", what, 0, place)

        two = [entry(0, 1, "start"), entry(1, 2, "start"), entry(2, 1, "end"), entry(3, 3, "start")]
        check_limit(self, two, "fan", 2)
        self.complains("I8", check_limit, two[:2] + two[3:], "fan", 2)
        # What an owner had started dies with it.
        check_limit(self, two[:2] + [entry(4, 4, "start", 2), entry(5, 5, "start", 2)], "fan", 2)

    def test_journal(self):
        journal = Journal(self.dir / "journal")
        self.addCleanup(journal.close)
        for key in ("one", "two"):
            journal.intend(key)
        journal.answered("one", "run-1")

        def api(*runs):
            return FakeApi([{"id": run, "job_id": key} for key, run in runs])

        check_journal(self, api(("one", "run-1")), journal)
        check_journal(self, api(("one", "run-1"), ("two", "run-2")), journal)
        self.complains("I1", check_journal, api(("two", "run-2")), journal)
        self.complains("I1", check_journal, api(("one", "run-3")), journal)
        self.complains("I9", check_journal, api(("one", "run-1"), ("one", "run-4")), journal)
        self.complains("I9", check_journal, api(("one", "run-1"), ("three", "run-3")), journal)
        journal.answered("one", "run-5")
        self.complains("I9", check_journal, api(("one", "run-1")), journal)

    def test_database(self):
        self.baton("run", self.write({"name": "a", "steps": {"b": {"set": {"text": "x" * 9_000}}, "c": {"set": {"n": 1}}}}))
        check_database(self, self.data)
        path = self.data / "baton.db"
        change_database(path)  # all of it is in the file
        content = path.read_bytes()
        for statement in ("DELETE FROM run", "DELETE FROM payload_content", "DELETE FROM payload", "DELETE FROM definition",
                          "UPDATE payload SET refs = refs + 1"):
            with self.subTest(statement):
                change_database(path, statement)
                self.complains("I11", check_database, self.data)
            path.write_bytes(content)
            (self.data / "baton.db-wal").unlink(missing_ok=True)
        check_database(self, self.data)
        path.write_bytes(content[:-4096])
        with self.assertRaises((AssertionError, sqlite3.DatabaseError)):
            check_database(self, self.data)


if __name__ == "__main__":
    unittest.main()

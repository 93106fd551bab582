"""Every operation of the disk fails (R4): the n-th write or sync of the real program, for n = 1, 2, 3 …, until nothing
fails any more. An answer always holds; after a failed sync the program ends with 74; a full disk is waited for."""

import errno
import shutil
import unittest

from harness.api import Answer
from harness.case import LONG, BatonCase
from harness.faults import BOTH, KILL_BEFORE, KILL_WITHIN, SYNCS, WRITES, Faults
from harness.invariants import TERMINAL, check_database, check_run
from harness.journal import NO_ANSWER

RUNS = 4


class DiskTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.faults = Faults(self.dir, files=str(self.data / "baton.db"))
        self.addCleanup(self.faults.close)
        self.keep_owner()
        self.kill_owner()
        shutil.copytree(self.data, self.dir / "base", ignore=shutil.ignore_patterns("baton.sock", "scratch"))

    def definition(self, number):
        return {"name": "small", "steps": {
            "work": {"exec": ["/bin/true"]} if number == 2 else {"set": {"text": "x" * (9_000 if number == 1 else 9)}},
            "next": {"needs": ["work"], "set": {"n": number}}}}

    def places(self):
        """n = 1, 2, 3 …; in the short form with growing gaps."""
        number = 0
        while True:
            number += 1 if LONG or number < 5 else self.random.randrange(1, 20)
            yield number

    def fail_everywhere(self, error, kinds, check, for_ever=False):
        """`check(process, answers, refusals)` after each."""
        places = 0
        for number in self.places():
            shutil.rmtree(self.data)
            shutil.copytree(self.dir / "base", self.data)
            self.faults.fail(number, error, kinds, for_ever)
            process = self.start("run", "--resume", self.keeper, "--concurrency", "4", env=self.faults.environment)
            answers, refusals = self.work(process)
            failed = self.faults.failed
            with self.subTest(operation=number):
                if failed:
                    places += 1
                    check(process, answers, refusals)
                self.faults.heal()
                if process.poll() is None:
                    process.kill()
                    process.wait()
                self.afterwards(answers)
            if not failed:
                self.assertGreater(places, 2, "nothing failed: is the library loaded?")
                self.report(f"failed at {places} places up to {number}")
                return

    def work(self, process):
        """Submits until all is answered or nobody is there; what was answered, and the errors of what was refused."""
        answers, refusals = {}, []
        self.eventually(lambda: process.poll() is not None or self.owner_pid() == process.pid, "the owner or its end")
        for number in range(RUNS):
            try:
                answers[f"key-{number}"] = self.api().submit(self.definition(number), f"key-{number}",
                                                             job_id=f"key-{number}")[1]["id"]
            except NO_ANSWER:
                process.wait(60)
                break
            except Answer as answer:
                refusals.append(answer)
        for run in answers.values():
            try:
                self.api().wait(run, timeout=1 if refusals or self.faults.failed else 60)
            except (*NO_ANSWER, Answer):
                pass
        return answers, refusals

    def afterwards(self, answers):
        check_database(self, self.data)
        self.keep_owner("--concurrency", "4")
        api = self.api()
        stored = {run["job_id"]: run["id"] for run in api.runs() if run["job_id"]}
        missing = {key: run for key, run in answers.items() if stored.get(key) != run}
        self.assertEqual(missing, {}, "I1: acknowledged, but not there")
        for run in stored.values():
            self.eventually(lambda r=run: api.run(r)["status"] in TERMINAL, "the end")
            check_run(self, api, run)
        self.kill_owner()

    def test_an_error_of_a_sync_ends_the_program(self):
        def check(process, _answers, _refusals):
            self.ended(process, 74)
            self.assertIn("error: ", self.said(process))

        self.fail_everywhere(errno.EIO, SYNCS, check)

    def test_an_error_of_a_write_is_never_hidden(self):
        def check(process, answers, refusals):
            if len(answers) < RUNS and not refusals:
                self.ended(process, 74)
            self.assertIn(process.poll(), (None, 74), self.said(process))
            for refusal in refusals:
                self.check_refusal(refusal, process)

        self.fail_everywhere(errno.EIO, WRITES, check)

    def test_a_full_disk_is_waited_for(self):
        def check(process, answers, refusals):
            if process.poll() is not None:  # there was no space to begin with
                self.assertIn(process.returncode, (8, 74), self.said(process))
                return
            for refusal in refusals:
                self.check_refusal(refusal, process)
            self.api().runs()  # reads go on
            self.faults.heal()
            self.eventually(lambda: self.takes_writes(), "writes again", 10)
            for number in range(RUNS):
                key = f"key-{number}"
                run = self.api().submit(self.definition(number), key, job_id=key)[1]["id"]
                self.assertEqual(answers.setdefault(key, run), run)
                self.assertEqual(self.api().wait(run)["status"], "completed")

        self.fail_everywhere(errno.ENOSPC, WRITES, check, for_ever=True)

    def check_refusal(self, refusal, process):
        """Nothing was stored, or nobody can say: then the program is on its way out."""
        self.assertEqual(refusal.status, 503, refusal)
        self.assertIn(refusal.problem["code"], ("read_only", "unavailable"), refusal)
        if refusal.problem["code"] == "unavailable":
            self.ended(process, 74)

    def takes_writes(self):
        try:
            return self.api().submit(self.definition(0), "again")[0] in (200, 201)
        except Answer:
            return False

    def test_a_kill_at_every_operation(self):
        def check(process, _answers, _refusals):
            self.ended(process, -9)

        self.fail_everywhere(KILL_WITHIN if self.random.random() < 0.5 else KILL_BEFORE, BOTH, check)


if __name__ == "__main__":
    unittest.main()

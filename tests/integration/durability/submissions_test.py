"""What was acknowledged is never missing, and one key is one run, however often the owner is killed meanwhile (R1)."""

import json
import threading
import time
import unittest
from statistics import median

from harness.api import Answer, Api
from harness.case import LONG, BatonCase
from harness.invariants import check_database, check_journal, check_nothing_is_stuck, check_run
from harness.journal import Journal, submit_until_answered

CLIENTS = 4
RUNS, KILLS = (10_000, 200) if LONG else (1_000, 10)


class SubmissionsTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.journal = Journal(self.dir / "journal")
        self.addCleanup(self.journal.close)
        self.serving = threading.Event()  # an owner is there, as far as the test knows
        self.stop = threading.Event()
        self.complaints = []

    def definition(self, number):
        """Mostly computed; every tenth run is a process."""
        work = {"exec": ["/bin/true"]} if number % 10 == 0 else {"set": {"number": number}}
        return self.workflow({"work": work, "after": {"needs": ["work"], "set": {"done": True}}}, name=f"n{number % 7}")

    def client(self, numbers):
        """Submits until each key has an answer; asks every tenth once more."""
        api = Api(f"{self.data}/baton.sock")
        try:
            for number in numbers:
                for _ in range(2 if number % 10 == 1 else 1):
                    submit_until_answered(api, self.journal, f"key-{number}", self.definition(number),
                                          ready=lambda: self.serving.wait(0.05), stop=self.stop.is_set)
        except Exception as error:  # a thread's exceptions would be lost
            self.complaints.append(f"{type(error).__name__}: {error}")

    def test_acknowledged_submissions_are_never_missing(self):
        self.keep_owner("--concurrency", "6")
        self.serving.set()
        clients = [threading.Thread(target=self.client, args=(range(n, RUNS, CLIENTS),)) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        self.addCleanup(lambda: [client.join() for client in clients])
        self.addCleanup(self.stop.set)
        restarts = []
        for kill in range(KILLS):
            target = RUNS * kill // KILLS + self.random.randrange(RUNS // KILLS)
            self.eventually(lambda n=target: self.complaints or self.journal.acknowledged() >= n, "submissions")
            self.kill_owner()
            self.serving.clear()
            begin = time.monotonic()
            self.keep_owner("--concurrency", "6")
            restarts.append(time.monotonic() - begin)
            self.serving.set()
        for client in clients:
            client.join()
        self.assertEqual(self.complaints, [])

        self.assertEqual(len(self.journal.answers), RUNS)
        api = self.api()
        begin = time.monotonic()
        self.eventually(lambda: len(api.runs(state="active")) == 1, "the end of all runs but the keeper's", 60)
        self.report(f"{RUNS} runs, {KILLS} kills: an owner is ready after {median(restarts):.2f} s"
                    f" (longest {max(restarts):.2f} s), all is over {time.monotonic() - begin:.1f} s after the last")
        stored = check_journal(self, api, self.journal)
        self.assertEqual(len(api.runs()), RUNS + 1, "runs without a key, beside the keeper's")
        self.assertEqual({api.run(stored[key])["status"] for key in stored}, {"completed"})
        for key in self.random.sample(sorted(stored), 50):
            _, tasks = check_run(self, api, stored[key])
            self.assertEqual(len(tasks), 2)
        check_nothing_is_stuck(self, api)
        self.kill_owner()
        check_database(self, self.data)

    def test_a_key_with_another_content_is_refused(self):
        self.keep_owner()
        api = self.api()
        first = api.submit(self.definition(1), "key")
        self.assertEqual(first[0], 201)
        self.kill_owner()
        self.keep_owner()
        self.assertEqual(api.submit(self.definition(1), "key")[0], 200)
        with self.assertRaises(Answer) as caught:
            api.submit(self.definition(2), "key")
        self.assertEqual((caught.exception.status, caught.exception.problem["code"]), (409, "idempotency_mismatch"))

    def test_a_detached_run_whose_id_was_printed_is_there(self):
        path = self.write(self.workflow({"work": self.step("work", *self.gate("work"))}))
        runs = []
        for _ in range(5):
            runs.append(self.baton("run", path, "--detach", "--output", "json").stdout)
            self.kill_owner()
        self.open_gate("work")
        for run in runs:
            ended = self.json("run", "--resume", json.loads(run)["id"])
            self.assertEqual(ended["run"]["status"], "completed")


if __name__ == "__main__":
    unittest.main()

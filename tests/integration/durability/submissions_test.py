"""What was acknowledged is never missing, and one key is one run, however often the owner is killed meanwhile (R1)."""

import http.client
import json
import os
import threading
import unittest

from harness.api import Answer, Api
from harness.case import LONG, BatonCase
from harness.invariants import check_run

CLIENTS = 4
RUNS, KILLS = (10_000, 200) if LONG else (1_000, 10)
NO_OWNER = (OSError, http.client.HTTPException, ValueError)  # ValueError: the answer was cut in the middle


class Journal:
    """What the clients know, durable before they go on: "key intent" and "key answer RUN"."""

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()
        self.answers = {}

    def write(self, key, what, run=None):
        os.write(self._file, f"{key} {what} {run or ''}\n".encode())
        os.fsync(self._file)
        if run is not None:
            with self._lock:
                self.answers.setdefault(key, []).append(run)

    def acknowledged(self):
        with self._lock:
            return len(self.answers)

    def close(self):
        os.close(self._file)


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
        """Submits until each key has an answer; repeats every tenth one that has."""
        api = Api(f"{self.data}/baton.sock")
        try:
            for number in numbers:
                key = f"key-{number}"
                self.journal.write(key, "intent")
                again = 2 if number % 10 == 1 else 1
                while again and not self.stop.is_set():
                    if not self.serving.wait(0.05):
                        continue
                    try:
                        status, run = api.submit(self.definition(number), key, job_id=key)
                    except NO_OWNER:
                        continue  # nobody knows whether it was stored: the same key asks again
                    except Answer as answer:
                        if answer.status != 503:
                            raise
                        continue
                    if status not in (200, 201):
                        self.complaints.append(f"{key}: {status}")
                    self.journal.write(key, "answer", run["id"])
                    again -= 1
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
        for kill in range(KILLS):
            target = RUNS * kill // KILLS + self.random.randrange(RUNS // KILLS)
            self.eventually(lambda n=target: self.complaints or self.journal.acknowledged() >= n, "submissions")
            self.kill_owner()
            self.serving.clear()
            self.keep_owner("--concurrency", "6")
            self.serving.set()
        for client in clients:
            client.join()
        self.assertEqual(self.complaints, [])

        self.assertEqual(len(self.journal.answers), RUNS)
        self.assertEqual({key: runs for key, runs in self.journal.answers.items() if len(set(runs)) != 1}, {})
        api = self.api()
        self.eventually(lambda: len(api.runs(state="active")) == 1, "the end of all runs but the keeper's")
        stored = {run["job_id"]: run for run in api.runs() if run["workflow"] != "keeper"}
        self.assertEqual({key: stored.get(key, {}).get("id") for key in self.journal.answers},
                         {key: runs[0] for key, runs in self.journal.answers.items()})
        self.assertEqual(len(api.runs()), RUNS + 1, "a key made more than one run")
        self.assertEqual({run["status"] for run in stored.values()}, {"completed"})
        for key in self.random.sample(sorted(stored), 50):
            _, tasks = check_run(self, api, stored[key]["id"])
            self.assertEqual(len(tasks), 2)

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

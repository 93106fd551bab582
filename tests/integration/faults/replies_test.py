"""Replies that are lost after the commit (R20): a proxy between client and owner takes the answer and hangs up. The client
asks again; nothing is done twice, nothing is missing."""

import pathlib
import socket
import threading
import unittest

from harness.api import Answer, Api
from harness.case import LONG, BatonCase
from harness.invariants import check_database, check_journal, check_run
from harness.journal import NO_ANSWER, Journal, submit_until_answered
from harness.proxy import Proxy, whole_message

DROPS = 1_000 if LONG else 300
CLIENTS = 4


class DroppingProxy(Proxy):
    """Passes requests on; of each second one it swallows the reply, once that is complete."""

    def __init__(self, path, owner):
        self._owner = owner
        self._lock = threading.Lock()
        self._requests = 0
        self.dropped = 0
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(64)
        super().__init__(listener)

    def _pass_on(self, client):
        with client, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as owner:
            owner.connect(str(self._owner))
            owner.sendall(whole_message(client))
            reply = whole_message(owner)
            with self._lock:
                self._requests += 1
                drop = self._requests % 2 == 1
                self.dropped += drop
            if not drop:
                client.sendall(reply)


class RepliesTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.journal = Journal(self.dir / "journal")
        self.addCleanup(self.journal.close)
        self.keep_owner("--concurrency", "6")
        place = pathlib.Path(self.dir) / "proxy.sock"
        self.proxy = DroppingProxy(place, self.data / "baton.sock")
        self.addCleanup(self.proxy.close)
        self.behind = Api(str(place))

    def again(self, ask):
        """Asks until there is an answer."""
        while True:
            try:
                return ask()
            except NO_ANSWER:
                pass

    def test_submissions(self):
        complaints = []

        def client(numbers):
            try:
                for number in numbers:
                    definition = self.workflow({"work": {"set": {"number": number}}}, name=f"n{number % 5}")
                    submit_until_answered(self.behind, self.journal, f"key-{number}", definition)
            except Exception as error:  # a thread's exceptions would be lost
                complaints.append(repr(error))

        clients = [threading.Thread(target=client, args=(range(n, DROPS, CLIENTS),)) for n in range(CLIENTS)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        self.assertEqual(complaints, [])
        self.assertGreaterEqual(self.proxy.dropped, DROPS * 0.9)
        api = self.api()
        self.eventually(lambda: len(api.runs(state="active")) == 1, "the end of all runs but the keeper's")
        stored = check_journal(self, api, self.journal)
        self.assertEqual(len(stored), DROPS)
        self.assertEqual(len(api.runs()), DROPS + 1)
        for key in self.random.sample(sorted(stored), 20):
            check_run(self, api, stored[key])
        self.report(f"{self.proxy.dropped} replies dropped, {DROPS} runs")
        self.kill_owner()
        check_database(self, self.data)

    def test_what_is_done_to_runs(self):
        """Commands other than submissions may be asked twice, too."""
        api = self.api()
        definition = self.workflow({
            "asks": {"wait": {"signal": "go"}},
            "more": {"needs": ["asks"], "wait": {"signal": "go"}},
        })
        for number in range(10):
            run = api.submit(definition, f"key-{number}")[1]["id"]
            self.again(lambda r=run: self.behind.request("POST", f"/api/v1/runs/{r}/pause", {}))
            self.again(lambda r=run: self.behind.request("POST", f"/api/v1/runs/{r}/resume", {}))
            key = {"Idempotency-Key": f"signal-{number}"}
            self.again(lambda r=run: self.behind.request("POST", f"/api/v1/runs/{r}/signals/go", {"data": number}, key))
            tasks = self.eventually(lambda r=run: self.waits_again(r), "the first wait's end")
            self.assertEqual(tasks, {"asks": "completed", "more": "running"}, "a signal counted twice")
            try:
                self.again(lambda r=run: self.behind.request("POST", f"/api/v1/runs/{r}/cancel", {}))
            except Answer as answer:  # its end was quicker than the second question
                self.assertEqual(answer.status, 409)
            self.assertEqual(api.wait(run)["status"], "cancelled")
            facts = [fact["type"] for fact in api.history(run)]
            self.assertEqual(facts.count("run.cancel_requested"), 1)
            check_run(self, api, run)

    def waits_again(self, run):
        tasks = {task["step"]: task["status"] for task in self.api().tasks(run)}
        return tasks if tasks.get("asks") == "completed" and tasks.get("more") == "running" else None


if __name__ == "__main__":
    unittest.main()

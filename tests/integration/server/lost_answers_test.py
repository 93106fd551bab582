"""Answers that are lost on their way to the command line: it asks again, nothing is done twice, and what was done is said to be done."""

import json
import socket
import unittest
import urllib.parse
import uuid

from harness.proxy import Proxy, whole_message
from server.server_case import ServerCase

CHANGES = (b"POST ", b"PUT ", b"PATCH ", b"DELETE ")


class LosesOneAnswer(Proxy):
    """Passes messages on; the first answer to a change goes no further than here."""

    def __init__(self, port):
        self._port = port
        self.lost = 0
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        super().__init__(listener)

    def _pass_on(self, client):
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            while request := whole_message(client):
                server.sendall(request)
                answer = whole_message(server)
                if request.startswith(CHANGES) and self.lost == 0:
                    self.lost = 1
                    return
                client.sendall(answer)


class LostAnswers(ServerCase):
    def setUp(self):
        super().setUp()
        self.process = self.server()
        self.key = (self.data / "admin.key").read_text().strip()

    def lossy(self, *words, **options):
        """A command whose first change is done, and its answer lost; it ends well."""
        proxy = LosesOneAnswer(urllib.parse.urlsplit(self.process.facts["url"]).port)
        try:
            done = self.baton(*words, env={"BATON_URL": f"http://127.0.0.1:{proxy.port}", "BATON_API_KEY": self.key}, **options)
        finally:
            proxy.close()
        self.assertEqual(proxy.lost, 1)
        return done

    def run_of(self, step):
        return self.api().submit({"name": "lost", "steps": {"a": step}}, uuid.uuid4().hex)[1]["id"]

    def failed(self):
        run = self.run_of({"exec": ["/bin/false"]})
        self.assertEqual(self.api().wait(run)["status"], "failed")
        return run

    def get(self, path):
        return self.api().request("GET", path)[1]

    def test_what_is_done_again_is_done_once(self):
        for verb in ("recover", "retry"):
            run = self.failed()
            self.lossy("runs", verb, run)
            self.assertEqual(self.get(f"/api/v1/runs/{run}")["recovery_attempts"], 1, verb)
        run = self.failed()
        self.lossy("tasks", "retry", run + ".0")
        self.assertEqual(self.get(f"/api/v1/tasks/{run}.0")["generation"], 2)
        run = self.failed()
        letters = self.get("/api/v1/dead-letters?limit=1000")["items"]
        letter = next(letter["id"] for letter in letters if letter["task"] == run + ".0")
        self.lossy("dead-letters", "replay", letter)
        self.assertEqual(self.get(f"/api/v1/runs/{run}")["recovery_attempts"], 1)

    def test_what_was_told_to_a_run(self):
        run = self.run_of({"wait": {"approval": "well?"}})
        self.eventually(lambda: self.get(f"/api/v1/approvals?run={run}")["items"], "the question")
        self.lossy("runs", "approve", run, "a")
        self.assertEqual(self.api().wait(run)["status"], "completed")
        run = self.run_of({"wait": {"signal": "go"}})
        self.lossy("runs", "cancel", run)
        self.assertEqual(self.api().wait(run)["status"], "cancelled")
        # One that nothing keeps: its submission had no key.
        run = self.api().request("POST", "/api/v1/runs", {"definition": json.dumps({"name": "x", "steps": {"a": {"set": {"n": 1}}}})})[1]["id"]
        self.api().wait(run)
        self.lossy("runs", "prune", run)

    def test_what_is_deleted_is_gone(self):
        self.baton("limits", "set", "gpu", "2")
        self.lossy("limits", "delete", "gpu")
        self.baton("limits", "delete", "gpu", code=5)
        self.lossy("secrets", "set", "TOKEN", stdin=None, input="correct horse")
        self.lossy("secrets", "delete", "TOKEN")
        self.lossy("routes", "set", "images.*", "gpu")
        self.lossy("routes", "delete", "images.*")
        made = self.lossy("namespaces", "create", "team", "--output", "json")
        self.assertEqual(json.loads(made.stdout)["name"], "team")
        self.lossy("namespaces", "delete", "team")


if __name__ == "__main__":
    unittest.main()

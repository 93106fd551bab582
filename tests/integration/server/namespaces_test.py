"""Namespaces of the real binary: its command line, keys, kill -9, and a shard that cannot be opened."""

import signal
import unittest

from harness.faults import change_database
from server.server_case import ServerCase


class Namespaces(ServerCase):
    def listed(self, *words, **options):
        return [run["id"] for run in self.json("runs", "list", *words, **options)["items"]]

    def end_of(self, run, *words):
        def ended():
            status = self.json("runs", "get", run, *words)["status"]
            return status if status in ("completed", "failed", "cancelled") else None

        return self.eventually(ended, f"the end of {run}")

    def test_the_command_line(self):
        server = self.server()
        self.baton("namespaces", "create", "team-a", "--reason", "search")
        self.assertIn("already", self.baton("namespaces", "create", "team-a", code=6).stderr)
        self.assertEqual([space["name"] for space in self.json("namespaces", "list")["items"]], ["default", "team-a"])
        self.assertIn("search", self.baton("namespaces", "get", "team-a").stdout)
        definition = self.write(self.workflow({"say": {"run": "echo $BATON_NAMESPACE"}}))
        self.baton("apply", definition, "--namespace", "team-a")
        run = self.json("start", "test", "--namespace", "team-a")["id"]
        self.assertEqual(self.end_of(run, "--namespace", "team-a"), "completed")
        self.assertEqual(self.baton("logs", run + ".0", "--namespace", "team-a").stdout.strip(), "team-a")
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.listed(env={"BATON_NAMESPACE": "team-a"}), [run])
        self.baton("runs", "get", run, code=5)
        self.assertIn('did you mean "team-a"', self.baton("runs", "list", "--namespace", "team-b", code=5).stderr)
        self.assertIn("namespace", self.baton("runs", "list", "--namespace", "team a", code=2).stderr)

        key = self.baton("keys", "create", "search", "--role", "admin", "--namespace", "team-a").stdout.strip()
        inside = {"BATON_URL": server.facts["url"], "BATON_API_KEY": key}
        self.assertEqual(self.listed(env=inside), [run])
        self.assertEqual([space["name"] for space in self.json("namespaces", "list", env=inside)["items"]], ["team-a"])
        self.baton("runs", "list", "--namespace", "default", env=inside, code=4)
        for words in (["keys", "list"], ["namespaces", "create", "mine"], ["namespaces", "delete", "team-a"]):
            self.assertIn("whole server", self.baton(*words, env=inside, code=4).stderr)
        self.assertIn("search", {key["name"] for key in self.json("keys", "list")["items"]})

        self.baton("namespaces", "delete", "team-a")
        self.baton("runs", "list", "--namespace", "team-a", code=5)
        self.assertEqual(self.ask(server, "/api/v1/runs", Authorization="Bearer " + key).status, 401)
        # Another one of that name is not opened by the keys of the first.
        self.baton("namespaces", "create", "team-a")
        self.assertEqual(self.ask(server, "/api/v1/runs", Authorization="Bearer " + key).status, 401)

    def test_runs_of_two_survive_kill_9(self):
        server = self.server()
        self.baton("namespaces", "create", "a")
        definition = self.write(self.workflow({"go": {"wait": {"signal": "go"}}, "end": {"run": "echo over", "needs": ["go"]}}))
        self.baton("apply", definition)
        self.baton("apply", definition, "--namespace", "a")
        here = self.json("start", "test")["id"]
        there = self.json("start", "test", "--namespace", "a")["id"]
        server.send_signal(signal.SIGKILL)
        server.wait()
        self.server()
        self.baton("signal", there, "go", "--namespace", "a")
        self.baton("signal", here, "go", "--namespace", "a", code=5)
        self.assertEqual(self.end_of(there, "--namespace", "a"), "completed")
        self.baton("signal", here, "go")
        self.assertEqual(self.end_of(here), "completed")

    def test_one_that_cannot_be_opened_keeps_no_other_from_its_work(self):
        server = self.server()
        for name in ("a", "b"):
            self.baton("namespaces", "create", name)
            self.baton("apply", self.write(self.workflow({"say": {"run": "echo hello"}})), "--namespace", name)
        server.send_signal(signal.SIGTERM)
        self.ended(server)
        change_database(self.data / "baton.db", "UPDATE definition SET hash = x'00' WHERE shard = 1")
        self.server()
        spaces = {space["name"]: space["status"] for space in self.json("namespaces", "list")["items"]}
        self.assertEqual(spaces, {"default": "open", "a": "unavailable", "b": "open"})
        run = self.json("start", "test", "--namespace", "b")["id"]
        self.assertEqual(self.end_of(run, "--namespace", "b"), "completed")
        self.assertIn("cannot be opened", self.baton("runs", "list", "--namespace", "a", code=74).stderr)


if __name__ == "__main__":
    unittest.main()

"""The client against a real server, and what it says when things go wrong."""

import os
import pathlib
import threading
import unittest
from unittest import mock

import baton
from harness import PATIENCE, Case


@baton.task(name="double")
def double(n):
    return n * 2


CHAIN = {"name": "chain", "inputs": {"n": {"type": "integer"}}, "steps": {
    "one": {"task": "double", "with": {"n": "${{ inputs.n }}"}},
    "two": {"needs": ["one"], "task": "double", "with": ["${{ steps.one.result }}"]}}}


class Runs(Case):
    def test_submit_wait_result(self):
        self.worker(double)
        run = self.client.submit(CHAIN, {"n": 3}, job_id="j-1", metadata={"k": [1]}, priority=7)
        self.assertEqual((run.workflow, run.job_id, run.metadata, run.priority, run.input),
                         ("chain", "j-1", {"k": [1]}, 7, {"n": 3}))
        self.assertEqual(self.client.result(run.id, PATIENCE), 12)
        ended = self.client.get(run.id)
        self.assertTrue(ended.ended)
        self.assertLessEqual(ended.created_at, ended.ended_at)
        self.assertEqual([task.result for task in self.client.tasks(run.id)], [6, 12])
        self.assertEqual(self.client.progress(run.id)["completed_tasks"], 2)

    def test_several_last_steps_and_items(self):
        self.worker(double)
        run = self.client.submit({"name": "t", "steps": {"a": {"task": "double", "with": [1]},
                                                         "b": {"for_each": [1, 2], "task": "double", "with": ["${{ item }}"]}}})
        self.assertEqual(self.client.result(run.id, PATIENCE), {"a": 2, "b": [2, 4]})

    def test_apply_and_start(self):
        self.worker(double)
        self.assertEqual(self.client.apply(CHAIN, note="first").outcome, "created")
        self.assertEqual(self.client.apply(CHAIN).outcome, "unchanged")
        with self.assertRaises(baton.Conflict):
            self.client.apply({**CHAIN, "description": "x"}, expect=7)
        self.assertEqual(self.client.result(self.client.start("chain", {"n": 1}).id, PATIENCE), 4)
        self.assertEqual(self.client.start("chain", {"n": 1}, version=1).version, 1)

    def test_the_same_key_is_the_same_run(self):
        first = self.client.submit(CHAIN, {"n": 1}, idempotency_key="k")
        self.assertEqual(self.client.submit(CHAIN, {"n": 1}, idempotency_key="k").id, first.id)
        with self.assertRaises(baton.ApiError) as caught:
            self.client.submit(CHAIN, {"n": 2}, idempotency_key="k")
        self.assertEqual(caught.exception.code, "idempotency_mismatch")
        self.assertNotEqual(self.client.submit(CHAIN, {"n": 1}).id, first.id)

    def test_lists_go_over_pages(self):
        ids = [self.client.submit(CHAIN, {"n": n}, job_id="many").id for n in range(5)]
        self.assertEqual([run.id for run in self.client.list(job_id="many")], ids[::-1])
        self.assertEqual([run.id for run in self.client.list(job_id="many", limit=2)], ids[:2:-1])
        self.assertEqual(list(self.client.list(job_id="none")), [])
        self.assertEqual(len(list(self.client.list(state="active", workflow="chain"))), 5)

    def test_result_of_a_run_that_failed(self):
        run = self.client.submit({"name": "t", "steps": {"a": {"run": "exit 3"}}})
        with self.assertRaises(baton.RunFailed) as caught:
            self.client.result(run.id, PATIENCE)
        self.assertEqual(caught.exception.run.status, "failed")
        self.assertIn("code 3", str(caught.exception))

    def test_wait_ends(self):
        run = self.client.submit(CHAIN, {"n": 1})  # nobody has its function
        with self.assertRaises(baton.WaitTimeout):
            self.client.wait(run.id, 0)
        self.assertIn("double", " ".join(self.client.explain(run.id)))

    def test_steering(self):
        waits = {"name": "t", "steps": {"a": {"wait": {"signal": "go"}}}}
        run = self.client.submit(waits)
        self.assertEqual(self.client.pause(run.id, reason="lunch").status, "paused")
        self.assertNotEqual(self.client.resume(run.id).status, "paused")
        self.assertEqual(self.client.signal(run.id, "go", {"x": 1}), 1)
        self.assertEqual(self.client.result(run.id, PATIENCE), {"x": 1})
        other = self.client.replay(run.id)
        self.client.cancel(other.id, reason="not needed")
        self.assertEqual(self.client.wait(other.id, PATIENCE).status, "cancelled")
        with self.assertRaises(baton.Conflict):
            self.client.cancel(other.id)
        self.client.recover(other.id, from_step="a")
        self.client.signal(other.id, "go")
        self.assertEqual(self.client.wait(other.id, PATIENCE).recovery_attempts, 1)

    def test_retry(self):
        calls = []

        @baton.task(name="second")
        def second():
            calls.append(1)
            if len(calls) == 1:
                raise ValueError("first")
            return len(calls)

        self.worker(second)
        run = self.run_step("second")
        self.assertEqual(self.client.wait(run.id, PATIENCE).status, "failed")
        self.client.retry(run.id)
        self.assertEqual(self.client.result(run.id, PATIENCE), 2)

    def test_events(self):
        self.worker(double)
        run = self.client.submit(CHAIN, {"n": 1})
        events = list(self.client.events(run.id))
        self.assertEqual([events[0].type, events[-1].type], ["run.submitted", "run.ended"])
        self.assertEqual([event.data["step"] for event in events if event.type == "task.ended"], ["one", "two"])
        middle = events[2]
        self.assertEqual([event.id for event in self.client.events(run.id, after=middle.id)],
                         [event.id for event in events if event.id != middle.id][-len(events) + 3:])

    def test_logs_of_a_process_step(self):
        run = self.client.submit({"name": "t", "steps": {"a": {"run": "echo hello"}}})
        self.client.wait(run.id, PATIENCE)
        self.assertEqual(self.client.logs(next(self.client.tasks(run.id)).id), "hello\n")


class Errors(Case):
    def test_a_wrong_definition_says_where(self):
        with self.assertRaises(baton.Invalid) as caught:
            self.client.submit("name: x\nsteps:\n  a: {tsak: f}\n")
        self.assertEqual(caught.exception.code, "invalid_definition")
        self.assertIn("task", str(caught.exception))
        self.assertEqual(caught.exception.errors[0]["line"], 3)

    def test_kinds(self):
        nowhere = "01a1fe71-1636-7000-92a8-8b0000000001"
        with self.assertRaises(baton.NotFound):
            self.client.get(nowhere)
        with self.assertRaises(baton.NotFound):
            self.client.start("nothing")
        with self.assertRaises(baton.Invalid):
            self.client.get("../../livez")
        with self.assertRaises(baton.Invalid):
            self.client.submit(CHAIN, {"m": 1})

    def test_no_server(self):
        self.server.kill()
        for data in (self.server.data, "/no/such/folder"):
            with self.assertRaisesRegex(baton.Unavailable, "does not answer: .*; start `baton server`, or say"):
                baton.Client(data, patience=0).get("x")
        with self.assertRaisesRegex(ValueError, "no name of a function"):
            baton.Client(self.server.data).call("a b")

    def test_a_server_without_tls(self):
        with self.assertRaisesRegex(baton.Unavailable, "does it speak http:// instead"):
            baton.Client(self.server.url.replace("http:", "https:"), patience=0).get("x")

    def test_what_happens_to_all_runs(self):
        self.worker(double)
        events = self.client.all_events(workflow="chain", types=["run.ended"])
        found = []

        def follow():
            for event in events:
                found.append(event)
                return

        thread = threading.Thread(target=follow)
        thread.start()
        while not found:  # of runs that were made before it listens it hears nothing
            run = self.client.submit(CHAIN, {"n": 1})
            self.client.wait(run.id, PATIENCE)
        thread.join(PATIENCE)
        self.assertEqual(found[0].type, "run.ended")
        behind = self.client.all_events(after=found[0].id, types=["run.submitted"])
        self.client.submit(CHAIN, {"n": 2})
        self.assertEqual(next(behind).data["workflow"], "chain")

    def test_a_server_that_comes_back_is_waited_for(self):
        run = self.client.submit(CHAIN, {"n": 1})
        self.server.kill()
        found = []
        client = baton.Client(self.server.data, patience=PATIENCE)
        self.addCleanup(client.close)
        thread = threading.Thread(target=lambda: found.append(client.get(run.id)))
        thread.start()
        self.server.start()
        thread.join()
        self.assertEqual(found[0].id, run.id)

    def test_over_tcp_nobody_is_let_in_without_a_key(self):
        for key in (None, "wrong"):
            client = baton.Client(self.server.url, key=key)
            self.addCleanup(client.close)
            with self.assertRaises(baton.NotAllowed):
                client.get("x")
            with self.assertRaises(baton.NotAllowed):
                baton.Worker([double], self.server.url, key=key).start()

    def test_over_tcp_with_a_key(self):
        file = pathlib.Path(self.server.data) / "admin.key"
        if not file.exists():
            self.skipTest("this server makes no keys")
        client = baton.Client(self.server.url, key=file.read_text("ascii").strip())
        self.addCleanup(client.close)
        worker = baton.Worker([double], client.endpoint)
        with worker:
            self.assertEqual(client.result(client.call(double, 4).id, PATIENCE), 8)

    def test_targets(self):
        find = baton.Endpoint.find
        self.assertEqual(find(self.server.data).socket, self.server.data + "/baton.sock")
        self.assertEqual(find("/x/y.sock").socket, "/x/y.sock")
        self.assertEqual(find("https://h:1/", key="k"), baton.Endpoint(url="https://h:1", key="k"))
        self.assertEqual(find("/x/y.sock", namespace="a").namespace, "a")
        self.assertEqual(find("https://h:1/", namespace="a"), baton.Endpoint(url="https://h:1", namespace="a"))
        for wrong in ("ftp://h", "http://", "https://user:secret@h"):
            with self.assertRaises(ValueError):
                find(wrong)

    def test_the_environment_says_where_the_server_is(self):
        file = self.folder / "key"
        file.write_text("k-1\nrest\n")
        with mock.patch.dict(os.environ, {"BATON_URL": "https://h:1", "BATON_API_KEY_FILE": str(file)}):
            self.assertEqual(baton.Endpoint.find(), baton.Endpoint(url="https://h:1", key="k-1"))
            self.assertEqual(baton.Endpoint.find("/x").socket, "/x/baton.sock")  # which needs no key
            with mock.patch.dict(os.environ, {"BATON_API_KEY": "k-2", "BATON_NAMESPACE": "a"}):
                self.assertEqual(baton.Endpoint.find(), baton.Endpoint(url="https://h:1", key="k-2", namespace="a"))
            file.write_text("")
            with self.assertRaisesRegex(ValueError, "BATON_API_KEY_FILE: the first line"):
                baton.Endpoint.find()
        with mock.patch.dict(os.environ, {"BATON_URL": "baton.example:7711"}), self.assertRaisesRegex(ValueError, "BATON_URL is"):
            baton.Endpoint.find()


if __name__ == "__main__":
    unittest.main()

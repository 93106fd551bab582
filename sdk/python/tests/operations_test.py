"""What operators ask of a server, by both clients."""

import asyncio
import os
import subprocess
import sys
import unittest

import baton
from harness import PATIENCE, Case, eventually


@baton.task(name="fails")
def fails(n):
    if n < 0:
        raise ValueError("below zero")
    return n


class Operations(Case):
    def ended(self, definition, status="completed"):
        run = self.client.wait(self.client.submit(definition).id, PATIENCE)
        self.assertEqual(run.status, status)
        return run

    def test_workflows(self):
        flow = baton.Workflow("w")
        flow.step("a", set={"n": 1})
        self.client.apply(flow)
        flow.step("b", set={"n": 2})
        self.assertEqual(self.client.apply(flow, expect=1).version, 2)
        with self.assertRaises(baton.Conflict):
            self.client.apply({**flow.to_dict(), "title": "x"}, expect=1)
        self.assertEqual([one["name"] for one in self.client.workflows()], ["w"])
        self.assertEqual([one["version"] for one in self.client.versions("w")], [2, 1])
        self.assertEqual(list(self.client.workflow("w", version=1)["definition"]["steps"]), ["a"])
        with self.assertRaises(baton.NotFound):
            self.client.workflow("nothing")

    def test_approvals(self):
        ask = {"name": "ask", "steps": {"ask": {"wait": {"approval": "Go?"}}}}
        runs = [self.client.submit(ask) for _ in range(2)]
        questions = eventually(lambda: [found for found in [list(self.client.approvals())] if len(found) == 2], "both questions")[0]
        task = {one["run"]: one["task"] for one in questions}
        self.assertEqual(self.client.approve(task[runs[0].id], {"n": 1}, reason="fine").status, "completed")
        self.assertEqual(self.client.result(runs[0].id, PATIENCE)["value"], {"n": 1})
        self.client.reject(task[runs[1].id], reason="no")
        self.assertEqual(self.client.wait(runs[1].id, PATIENCE).error.type, "rejected")
        self.assertEqual(list(self.client.approvals(runs[0].id)), [])
        with self.assertRaises(baton.Conflict):
            self.client.approve(task[runs[0].id])

    def test_people_decide_about_tasks(self):
        step = {"task": "fails", "with": [-1], "on_error": [{"match": {"type": "ValueError"}, "do": "hold"}]}
        self.worker(fails)

        def held():
            run = self.client.submit({"name": "w", "steps": {"a": step}})
            return run.id, eventually(lambda: [task.id for task in self.client.tasks(run.id) if task.raw.get("held")], "the hold")[0]

        run, task = held()
        self.client.complete_task(task, {"by": "hand"}, reason="known")
        self.assertEqual(self.client.result(run, PATIENCE), {"by": "hand"})
        run, task = held()
        self.client.skip_task(task)
        self.assertEqual(self.client.task(task).status, "skipped")
        run, task = held()
        self.client.retry_task(task)
        eventually(lambda: [one for one in self.client.tasks(run) if one.raw.get("held") and one.attempts == 2], "the second hold")
        self.client.fail_task(task, reason="no use")
        self.assertEqual(self.client.wait(run, PATIENCE).status, "failed")

    def test_dead_letters(self):
        self.worker(fails)
        for n in (-1, -2):
            self.ended({"name": "w", "steps": {"a": {"task": "fails", "with": [n]}}}, "failed")
        letters = list(self.client.dead_letters(workflow="w", error_type="ValueError"))
        self.assertEqual(len(letters), 2)
        self.assertEqual(self.client.dead_letter(letters[0]["id"])["arguments"]["with"], [-2])
        self.client.replay_dead_letter(letters[0]["id"], arguments={"with": [5]}, reason="mended")
        self.assertEqual(self.client.result(letters[0]["run"], PATIENCE), 5)
        self.assertEqual(self.client.discard_dead_letters([letters[1]["id"]]), 1)
        self.assertEqual(list(self.client.dead_letters()), [])

    def test_queues_routes_and_workers(self):
        worker = self.worker(fails, tags=["eu"])
        self.client.set_route("w/a*", "slow", reason="it is")
        self.client.pause_queue("slow", reason="a look")
        run = self.client.submit({"name": "w", "steps": {"a": {"task": "fails", "with": [1]}}})
        self.assertEqual(eventually(lambda: [queue for queue in self.client.queues() if queue["name"] == "slow" and queue["pause"]], "it")[0]["pause"]["reason"],
                         "a look")
        self.client.resume_queue("slow")
        self.assertEqual(self.client.result(run.id, PATIENCE), 1)
        self.assertEqual([route["queue"] for route in self.client.routes()], ["slow"])
        self.client.delete_route("w/a*")
        self.assertEqual(list(self.client.routes()), [])
        self.assertEqual([one["name"] for one in self.client.workers(tag="eu")], [worker.name])
        self.client.pause_worker(worker.name, reason="a look")
        self.client.resume_worker(worker.name)
        self.client.drain_worker(worker.name)
        self.assertTrue(worker.join(PATIENCE))

    def test_secrets(self):
        self.client.set_secret("token", "s3cret-value")
        self.assertEqual([one["name"] for one in self.client.secrets()], ["token"])
        self.client.delete_secret("token")
        self.assertEqual(list(self.client.secrets()), [])

    def test_many_runs_by_one_request(self):
        self.worker(fails)
        flow = baton.Workflow("w", inputs={"n": {"type": "integer"}})
        flow.step("a", task=fails, with_=[flow.input("n")])
        ids = self.client.submit_many(flow, [{"n": n} for n in range(20)], idempotency_key="k")
        self.assertEqual([self.client.result(one, PATIENCE) for one in ids], list(range(20)))
        self.assertEqual(self.client.submit_many(flow, [{"n": n} for n in range(20)], idempotency_key="k"), ids)
        self.client.apply(flow)
        (named,) = self.client.submit_many({"workflow": "w"}, [{"n": 7}])
        self.assertEqual(self.client.result(named, PATIENCE), 7)
        with self.assertRaisesRegex(baton.Invalid, "run 1 of 2"):
            self.client.submit_many(flow, [{"n": 1}, {"n": "x"}])

    def test_a_run_is_changed(self):
        run = self.client.submit({"name": "w", "steps": {"a": {"wait": {"signal": "go"}}}}, metadata={"a": 1})
        changed = self.client.change(run.id, priority=9, metadata={"b": 2, "a": None}, labels={"team": "data"})
        self.assertEqual((changed.priority, changed.metadata, changed.labels), (9, {"b": 2}, {"team": "data"}))

    def test_a_task_alone_is_a_definition(self):
        self.worker(fails)
        run = self.client.submit(fails.s(3).set(title="three"), priority=7, job_id="j")
        self.assertEqual((self.client.result(run.id, PATIENCE), run.priority, run.job_id), (3, 7, "j"))
        self.assertEqual(next(iter(self.client.tasks(run.id))).title, "three")

    def test_the_same_for_asyncio(self):
        self.worker(fails)

        async def go():
            async with baton.AsyncClient(self.server.data) as client:
                ids = await client.submit_many(fails.s(-1), [None, None])
                await asyncio.gather(*(client.wait(one, PATIENCE) for one in ids))
                letters = await client.dead_letters()
                return len(ids), len(letters), len(await client.workers())

        self.assertEqual(asyncio.run(go()), (2, 2, 2))  # the server has a worker of its own

    def test_a_client_after_a_fork(self):
        """Both sides ask, over connections of their own."""
        code = ("import baton, os, sys\nclient = baton.Client(sys.argv[1])\nlist(client.list())\npid = os.fork()\n"
                "for _ in range(50): assert len(list(client.workers())) == 1\n"
                "if pid == 0: os._exit(0)\nassert os.waitpid(pid, 0)[1] == 0\n")
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        subprocess.run([sys.executable, "-c", code, self.server.data], env=env, check=True, timeout=PATIENCE)


if __name__ == "__main__":
    unittest.main()

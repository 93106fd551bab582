"""The names that programs around an orchestrator or around managers know: one test for each row of the table in
docs/guide/python.md."""

import asyncio
import os
import threading
import unittest
from datetime import datetime, timedelta, timezone

import baton
from baton.managers import Task, TaskManager, WorkflowManager
from baton.orchestrator import JobOrchestrator, WorkflowDefinition, WorkflowStep
from harness import PATIENCE, PROGRAM, Case, eventually


class Orchestrator(Case):
    """Each test is a coroutine; `self.orchestrator` works on the test's server."""

    def setUp(self):
        super().setUp()
        self.calls = []
        self.fails = set()
        self.orchestrator = JobOrchestrator(None, self.client, "repository")
        self.addCleanup(lambda: asyncio.run(self.orchestrator.close()))

    def definition(self, **options):
        def handler(name):
            async def run():
                self.calls.append(name)
                if name in self.fails:
                    raise RuntimeError("no")
                return {name: 1000}
            return run

        return WorkflowDefinition(name="Dataset Build Workflow", max_recovery_attempts=3, steps=[
            WorkflowStep(name="Download Images", task_type="download", handler=handler("downloaded"), max_retries=3,
                         estimated_duration=300, timeout=300),
            WorkflowStep(name="Validate Images", task_type="validate", handler=handler("valid"), dependencies=[0],
                         estimated_duration=200),
            WorkflowStep(name="Deduplicate Images", task_type="deduplicate", handler=handler("unique"), dependencies=[1])])

    def go(self, coroutine):
        return asyncio.run(asyncio.wait_for(coroutine, PATIENCE))

    def create(self, job_id=1):
        return self.go(self.orchestrator.create_workflow(job_id=job_id, workflow_def=self.definition(),
                                                         metadata={"dataset_name": "animals"}))

    def test_create_workflow(self):
        run = self.create()
        self.assertEqual((run.status, run.job_id, run.metadata, run.total_steps), ("pending", "1", {"dataset_name": "animals"}, 3))
        self.assertEqual(self.calls, [])

    def test_get_workflow(self):
        self.assertEqual(self.go(self.orchestrator.get_workflow(self.create().id)).workflow, "dataset-build-workflow")
        with self.assertRaises(baton.ApiError):
            self.go(self.orchestrator.get_workflow("1"))

    def test_get_workflow_by_job(self):
        run = self.create(job_id=7)
        self.assertEqual(self.go(self.orchestrator.get_workflow_by_job(7)).id, run.id)
        self.assertIsNone(self.go(self.orchestrator.get_workflow_by_job(8)))

    def test_start_workflow(self):
        run = self.create()
        self.go(self.orchestrator.start_workflow(run.id))
        self.assertEqual(self.client.wait(run.id, PATIENCE).status, "completed")

    def test_execute_workflow(self):
        definition = self.definition()
        run = self.go(self.orchestrator.create_workflow(1, definition))
        ended = self.go(self.orchestrator.execute_workflow(workflow_id=run.id, workflow_def=definition))
        self.assertEqual((ended.status, self.calls), ("completed", ["downloaded", "valid", "unique"]))
        self.assertEqual([(task.title, task.type) for task in self.client.tasks(run.id)][0], ("Download Images", "download"))

    def test_execute_workflow_that_fails(self):
        self.fails.add("valid")
        run = self.create()
        with self.assertRaises(baton.RunFailed):
            self.go(self.orchestrator.execute_workflow(run.id))

    def test_pause_workflow(self):
        run = self.create()
        self.go(self.orchestrator.pause_workflow(run.id))
        self.assertEqual(self.go(self.orchestrator.get_workflow(run.id)).status, "paused")
        self.go(self.orchestrator.recover_workflow(workflow_id=run.id, from_step=0))
        self.assertNotEqual(self.go(self.orchestrator.get_workflow(run.id)).status, "paused")

    def test_cancel_workflow(self):
        run = self.create()
        self.go(self.orchestrator.cancel_workflow(workflow_id=run.id))
        self.assertEqual(self.client.wait(run.id, PATIENCE).status, "cancelled")

    def test_recover_workflow(self):
        self.fails.add("unique")
        run = self.create()
        self.go(self.orchestrator.start_workflow(run.id))
        self.client.wait(run.id, PATIENCE)
        self.fails.clear()
        self.go(self.orchestrator.recover_workflow(workflow_id=run.id, from_step=2))
        ended = self.client.wait(run.id, PATIENCE)
        self.assertEqual((ended.status, ended.recovery_attempts), ("completed", 1))
        self.assertEqual(self.calls, ["downloaded", "valid", "unique", "unique"])

    def test_get_workflow_progress(self):
        run = self.create()
        self.go(self.orchestrator.execute_workflow(run.id))
        progress = self.go(self.orchestrator.get_workflow_progress(workflow_id=run.id))
        self.assertEqual((progress["status"], progress["progress"], progress["current_step"], progress["total_steps"],
                          progress["completed_tasks"], progress["failed_tasks"], progress["running_tasks"],
                          progress["recovery_attempts"]), ("completed", 100, 3, 3, 3, 0, 0, 0))
        self.assertEqual({key: progress["tasks"][0][key] for key in ("name", "type", "status", "retry_count", "error_message")},
                         {"name": "Download Images", "type": "download", "status": "completed", "retry_count": 0,
                          "error_message": None})

    def test_get_active_workflows(self):
        run = self.create()
        self.assertEqual([one.id for one in self.go(self.orchestrator.get_active_workflows())], [run.id])

    def test_get_failed_workflows_and_get_recoverable_workflows(self):
        self.fails.add("valid")
        run = self.create()
        self.go(self.orchestrator.start_workflow(run.id))
        self.client.wait(run.id, PATIENCE)
        self.assertEqual([one.id for one in self.go(self.orchestrator.get_failed_workflows())], [run.id])
        self.assertEqual([one.id for one in self.go(self.orchestrator.get_recoverable_workflows())], [run.id])

    def test_a_dependency_on_no_step(self):
        steps = [WorkflowStep("a", "x", lambda: 1, dependencies=[3])]
        with self.assertRaisesRegex(ValueError, "depends on 3"):
            WorkflowDefinition("w", steps).to_workflow()


class Managers(Case):
    def setUp(self):
        super().setUp()
        self.tasks = TaskManager(self.client)
        self.addCleanup(self.tasks.close)
        self.workflows = WorkflowManager(self.client)
        self.addCleanup(self.workflows.close)

    def metadata(self, task_id):
        self.client.wait(task_id, PATIENCE)
        return self.tasks.get_task_metadata(task_id)

    def test_queue_task_and_get_task_metadata(self):
        task_id = self.tasks.queue_task(func=lambda: "Hello, World!", timeout=10, max_retries=3, metadata={"who": "me"})
        found = self.metadata(task_id)
        self.assertEqual((found["status"], found["result"], found["attempts"], found["error"], found["metadata"]),
                         ("success", "Hello, World!", 1, None, {"who": "me"}))
        self.assertEqual(self.tasks.wait(self.tasks.queue_task(max, args=[3, 5])), 5)

    def test_more_functions_than_a_worker_may_have(self):
        async def coroutine():
            return "done"

        last = [self.tasks.queue_task(lambda n=n: n) for n in range(1010)][-1]
        self.assertEqual(self.metadata(last)["result"], 1009)
        self.assertEqual(self.metadata(self.tasks.queue_task(coroutine))["result"], "done")

    def test_failure_and_retries(self):
        calls = []

        def fails():
            calls.append(1)
            raise ValueError("no")

        found = self.metadata(self.tasks.queue_task(fails, max_retries=2, retry_delay_seconds=0.001))
        self.assertEqual((found["status"], found["attempts"], len(calls)), ("failure", 3, 3))
        self.assertIn("no", found["error"])

    def test_cancel_task(self):
        begun = threading.Event()

        def hangs():
            begun.set()
            while True:
                pass

        task_id = self.tasks.queue_task(hangs)
        self.assertTrue(begun.wait(PATIENCE))
        self.assertTrue(self.tasks.cancel_task(task_id))
        self.assertEqual(self.metadata(task_id)["status"], "canceled")
        self.assertFalse(self.tasks.cancel_task(task_id))

    def test_schedule_task(self):
        self.assertEqual(self.metadata(self.tasks.schedule_task(lambda: 1, delay=0.01))["result"], 1)
        soon = datetime.now(timezone.utc) + timedelta(milliseconds=10)
        self.assertEqual(self.metadata(self.tasks.schedule_task(lambda: 2, at=soon))["result"], 2)
        with self.assertRaisesRegex(baton.BatonError, "not in this version"):
            self.tasks.schedule_task(lambda: 1, interval=60)
        with self.assertRaisesRegex(ValueError, "say when"):
            self.tasks.schedule_task(lambda: 1)

    def test_register_workflow_add_task_to_workflow_and_run_workflow(self):
        workflow_id = self.workflows.register_workflow(name="My Workflow", description="Sample workflow")
        self.workflows.add_task_to_workflow(workflow_id, Task(task_id="task1", func=lambda: "Step 1"))
        self.workflows.add_task_to_workflow(workflow_id, Task(task_id="task2", func=lambda: "Step 2", dependencies=["task1"]))
        self.assertEqual(self.workflows.run_workflow(workflow_id, PATIENCE), {"task1": "Step 1", "task2": "Step 2"})
        self.assertEqual(self.client.request("GET", f"/api/v1/workflows/{workflow_id}")["version"], 3)
        with self.assertRaisesRegex(ValueError, "depends on 'task9'"):
            self.workflows.add_task_to_workflow(workflow_id, Task("task3", lambda: 1, ["task9"]))

    def test_schedule_workflow(self):
        workflow_id = self.workflows.register_workflow("later")
        self.workflows.add_task_to_workflow(workflow_id, Task("a", lambda: 7))
        run = self.workflows.schedule_workflow(workflow_id, delay=0.01)
        self.assertEqual(self.client.result(run, PATIENCE), 7)

    def test_status_words(self):
        found = self.metadata(self.tasks.queue_task(lambda: [0 for _ in iter(int, 1)], timeout=0.05))
        self.assertEqual(found["status"], "timeout")


class WithoutAServer(unittest.TestCase):
    """Nothing is given: a server is started, and is gone afterwards."""

    def setUp(self):
        os.environ["BATON_BIN"] = PROGRAM

    def test_managers(self):
        with TaskManager() as manager:
            task_id = manager.queue_task(lambda: 1)
            self.assertEqual(manager.wait(task_id, PATIENCE), 1)
            data = manager._functions.client.data
            self.assertTrue(os.path.exists(data))
        self.assertFalse(os.path.exists(data))

    def test_local(self):
        @baton.task(name="double")
        def double(n):
            return 2 * n

        with baton.local(double) as client:
            self.assertEqual(client.result(client.call(double, 21).id, PATIENCE), 42)
            self.assertEqual(client.result(client.call("double", n=4).id, PATIENCE), 8)
            client.add(baton.task(name="later")(lambda: 5))
            self.assertEqual(client.result(client.call("later").id, PATIENCE), 5)

    def test_local_with_data_that_stay(self):
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            data = os.path.join(folder, "data")
            with baton.local(data=data) as client:
                run = client.call("nobody")
            with baton.local(baton.task(name="nobody")(lambda: "somebody"), data=data) as client:
                self.assertEqual(client.result(run.id, PATIENCE), "somebody")

    def test_a_program_that_is_not_there(self):
        with self.assertRaisesRegex(FileNotFoundError, "BATON_BIN"):
            baton.local(program="/no/such/program")
        with self.assertRaises(baton.Unavailable):
            baton.local(program="/bin/false")

    def test_the_server_of_a_program_that_is_killed_goes_with_it(self):
        import subprocess
        import sys
        code = "import baton, os, sys\nc = baton.local()\nprint(c.data, c.request('GET', '/api/v1/version')['pid'], flush=True)\n" \
               "os.kill(os.getpid(), 9)"
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
        data, pid = done.stdout.split()
        eventually(lambda: not os.path.exists(f"/proc/{pid}") and not os.path.exists(data), "the end of the server")


if __name__ == "__main__":
    unittest.main()

"""baton worker: steps that a process of its own carries out for a server."""

import signal

from harness.case import processes_with
from remote_worker.worker_case import RemoteWorkerCase


class WorkerTest(RemoteWorkerCase):
    def test_carries_out_what_the_server_does_not(self):
        self.server()
        run = self.begin(self.flow(
            ok={"run": 'echo out; echo err >&2; echo "{\\"n\\": $N}" > "$BATON_RESULT"',
                "env": {"TEST_MARK": self.task_mark, "N": "7"}},
            bad={"run": "exit 3", "continue_on_error": True}))
        self.assertEqual(self.run_of(run)["status"], "pending")
        self.assertIn("no worker", self.baton("explain", run + ".0").stdout)
        self.worker("w1", "--concurrency", "2")
        self.until(run, "completed")
        ok, bad = (self.json("tasks", "get", f"{run}.{i}") for i in range(2))
        self.assertEqual((ok["result"], ok["worker"]), ({"n": 7}, "w1"))
        self.assertEqual((bad["error"]["type"], bad["error"]["exit_code"]), ("exit", 3))
        self.assertEqual(self.baton("logs", run + ".0").stdout, "out\nerr\n")
        self.assertEqual([w["name"] for w in self.json("workers", "list")["items"]], ["w1"])

    def test_over_tcp_it_needs_a_key(self):
        server = self.server()
        refused = self.start("worker", env={"BATON_URL": server.facts["url"], "BATON_DATA": str(self.dir / "other")})
        self.ended(refused, code=4)
        key = (self.data / "admin.key").read_text().strip()
        self.worker("w1", env={"BATON_URL": server.facts["url"], "BATON_API_KEY": key,
                               "BATON_DATA": str(self.dir / "other")})
        self.until(self.begin(self.flow(a={"run": "true"})), "completed")

    def test_a_server_that_dies_under_a_task_does_not_repeat_it(self):
        server = self.server()
        begun, go, script = self.held_open()
        self.worker()
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        server.kill()
        server.wait()
        self.server()
        go.touch()
        self.until(run, "completed")
        self.assertEqual(begun.read_text(), "x\n")
        self.assertEqual(self.json("tasks", "get", run + ".0")["attempts"], 1)

    def test_a_worker_that_dies_leaves_nothing_and_its_task_goes_on_elsewhere(self):
        self.server()
        begun, go, script = self.held_open()
        worker = self.worker()
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        worker.kill()
        worker.wait()
        self.eventually(lambda: not processes_with(self.task_mark), "the end of its processes")
        self.worker()  # of the same name: what the first had is lost at once, without the end of its lease
        self.eventually(lambda: begun.read_text() == "x\nx\n", "the second attempt")
        go.touch()
        self.until(run, "completed")
        task = self.json("tasks", "get", run + ".0")
        self.assertEqual((task["lost"], [a["status"] for a in task["attempt_list"]]), (1, ["lost", "completed"]))

    def test_it_drains(self):
        self.server()
        begun, go, script = self.held_open()
        worker = self.worker("w1", "--concurrency", "1", "--prefetch", "3")
        run = self.begin(self.flow(a={"run": script}, b={"run": "true"}))
        self.eventually(begun.exists, "the task")
        self.eventually(lambda: self.json("tasks", "get", run + ".1")["status"] == "running", "the one held ready")
        worker.send_signal(signal.SIGTERM)
        self.eventually(lambda: self.json("tasks", "get", run + ".1")["status"] == "queued", "what was given back")
        go.touch()
        self.ended(worker)
        self.assertEqual(self.json("tasks", "get", run + ".0")["status"], "completed")
        self.assertEqual(self.json("tasks", "get", run + ".1")["attempt_list"][0]["status"], "released")
        self.worker("w2")
        self.until(run, "completed")

    def test_a_second_signal_interrupts(self):
        self.server()
        begun, go, script = self.held_open()
        worker = self.worker("w1", "--grace", "1h")
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        worker.send_signal(signal.SIGTERM)
        self.eventually(lambda: "stopping" in self.said(worker), "its word")
        worker.send_signal(signal.SIGTERM)
        self.ended(worker)
        self.assertFalse(processes_with(self.task_mark))
        task = self.json("tasks", "get", run + ".0")
        self.assertEqual((task["status"], task["interrupted"]), ("queued", 1))

    def test_a_cancel_reaches_it(self):
        self.server()
        begun, _, script = self.held_open()
        self.worker()
        run = self.begin(self.flow(a={"run": script}))
        self.eventually(begun.exists, "the task")
        self.baton("runs", "cancel", run)
        self.until(run, "cancelled")
        self.eventually(lambda: not processes_with(self.task_mark), "the end of its processes")

    def test_several_of_one_process(self):
        self.server()
        both = self.start("worker", "--name", "w", "--count", "2", "--queues", "gpu")
        self.eventually(lambda: self.said(both).count("takes tasks") == 2, "both workers")
        run = self.begin(self.flow(a={"run": "true", "queue": "gpu"}, b={"run": "true", "queue": "cpu"}))
        self.eventually(lambda: self.json("tasks", "get", run + ".0")["status"] == "completed", "the one of gpu")
        self.assertEqual(self.json("tasks", "get", run + ".1")["status"], "queued")
        self.assertEqual({w["name"]: w["queues"] for w in self.json("workers", "list")["items"]},
                         {"w-1": ["gpu"], "w-2": ["gpu"]})
        both.send_signal(signal.SIGTERM)
        self.ended(both)

    def test_bad_words(self):
        self.assertIn("letters, digits", self.baton("worker", "--name", "a b", code=2).stderr)
        self.assertIn("local", self.baton("worker", "--name", "local", code=2).stderr)
        self.assertIn("no name of a queue", self.baton("worker", "--queues", "a,b c/", code=2).stderr)
        self.assertIn("--grace", self.baton("worker", "--grace", "soon", code=2).stderr)
        self.baton("worker", "--count", "0", code=2)
        self.server()
        self.worker("w1")
        self.assertIn("another worker uses", self.baton("worker", "--name", "w1", code=6).stderr)

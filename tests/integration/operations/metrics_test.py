"""GET /metrics of the real binary: what runs do is counted, once, and what is open is right after a restart."""

import json
import subprocess

from harness.case import BatonCase
from harness.exposition import Metrics
from harness.promtool import promtool

FLOW = {"name": "etl", "steps": {
    "load": {"run": "test -e marker || { touch marker; exit 1; }", "workdir": ".",
             "retry": {"max_attempts": 2, "backoff": "fixed", "initial": "10ms", "jitter": "none"}},
    "each": {"needs": ["load"], "for_each": [1, 2, 3], "run": "true"},
    "bad": {"run": "exit 3", "continue_on_error": True}}}


class MetricsTest(BatonCase):
    def metrics(self):
        return Metrics(self.api().get("/metrics").decode())

    def submit_paused(self):
        self.api().request("POST", "/api/v1/runs", {"definition": json.dumps(FLOW)})

    def submit_flow(self):
        context = {"workdir": str(self.dir), "env": {"PATH": "/usr/bin:/bin"}}
        run = self.api().request("POST", "/api/v1/runs", {"definition": json.dumps(FLOW), "context": context})[1]
        self.assertEqual(self.api().wait(run["id"])["status"], "completed")
        return run["id"]

    def test_counts_what_happens_and_reads_what_is(self):
        self.serve()
        self.submit_flow()
        metrics = self.metrics()
        self.assertEqual(metrics.get("baton_runs_ended_total", workflow="etl", status="completed"), 1)
        self.assertEqual(metrics.get("baton_tasks_ended_total", workflow="etl", step="each", status="completed"), 3)
        self.assertEqual(metrics.get("baton_attempts_ended_total", workflow="etl", step="load", outcome="failed"), 1)
        self.assertEqual(metrics.get("baton_retries_total", workflow="etl", step="load"), 1)
        self.assertEqual(metrics.get("baton_attempt_errors_total", workflow="etl", step="bad", type="exit"), 1)
        self.assertEqual(metrics.get("baton_task_attempts_bucket", workflow="etl", status="completed", le="1"), 3)
        self.assertEqual(metrics.get("baton_task_attempts_count", workflow="etl", status="completed"), 4)
        self.assertEqual(metrics.get("baton_schedule_to_start_seconds_count", queue="default"), 5)
        self.assertEqual(metrics.get("baton_runs", status="running"), 0)
        self.assertEqual(metrics.get("baton_takes_runs"), 1)
        self.assertEqual(metrics.get("baton_read_only"), 0)
        self.assertGreater(metrics.get("baton_worker_slots", worker="local"), 0)
        # It and its spawner.
        self.assertGreater(metrics.get("baton_worker_memory_bytes", worker="local"), metrics.get("process_resident_memory_bytes"))
        self.assertGreaterEqual(metrics.get("baton_worker_cpu_cores", worker="local"), 0)
        self.assertGreater(self.json("workers", "get", "local")["memory_bytes"], 1 << 20)
        self.assertGreater(metrics.get("baton_commit_duration_seconds_count"), 0)
        self.assertGreater(metrics.get("baton_loop_lag_seconds_count"), 0)
        self.assertGreater(metrics.get("baton_database_bytes", file="database"), 0)
        self.assertGreater(metrics.get("process_resident_memory_bytes"), 1 << 20)
        route = {"method": "POST", "route": "/api/v1/runs"}
        self.assertGreaterEqual(metrics.sum("baton_http_requests_total", **route), 1)

    def test_no_id_is_a_label(self):
        self.serve()
        run = self.submit_flow()
        self.assertNotIn(run, self.api().get("/metrics").decode())

    def test_gauges_are_right_after_the_owner_was_killed(self):
        self.serve()
        self.baton("queues", "pause", "default", "--reason", "maintenance")
        self.submit_paused()
        self.kill_owner()
        self.serve()
        metrics = self.metrics()
        self.assertEqual(metrics.get("baton_runs", status="running"), 0)
        self.assertEqual(metrics.get("baton_runs", status="pending"), 1)
        self.assertEqual(metrics.get("baton_tasks", status="queued"), 2)
        self.assertEqual(metrics.get("baton_tasks", status="pending"), 1)
        self.assertEqual(metrics.get("baton_queue_paused", queue="default"), 1)
        self.assertEqual(metrics.get("baton_queue_tasks", queue="default", state="waiting"), 2)
        self.assertEqual(metrics.sum("baton_runs_submitted_total"), 0)  # since this owner began

    def test_the_summary_says_the_same(self):
        self.serve()
        self.submit_flow()
        summary = self.api().get("/api/v1/metrics")
        self.assertEqual(summary["runs"]["completed"], 1)
        self.assertEqual(summary["runs"]["success_rate"], 1)
        steps = {step["step"]: step for step in summary["steps"]}
        self.assertEqual(steps["each"]["completed"], 3)
        self.assertEqual(steps["bad"]["success_rate"], 0)
        self.assertEqual(summary["tasks"]["retries"], 1)

    def check_with_promtool(self, text):
        checker = promtool()
        if checker is None:
            self.skipTest("promtool is not here and cannot be fetched; harness/exposition.py has read the same text")
        checked = subprocess.run([checker, "check", "metrics"], input=text, check=False, capture_output=True)
        self.assertEqual((checked.returncode, checked.stdout.decode(), checked.stderr.decode()), (0, "", ""))

    def test_promtool_finds_nothing(self):
        """With as many of the metrics as a small server can have: runs of all ends, several namespaces, a foreign worker, a
        full queue, a breaker, a limit, retries."""
        self.serve()
        self.submit_flow()
        self.baton("namespaces", "create", "team")
        self.baton("queues", "set", "default", "--max-waiting", "100")
        self.baton("limits", "set", "gpu", "3")
        flow = {"name": "all", "targets": {"gone": {"url": "http://127.0.0.1:9/", "breaker": {"failures": 1}}}, "steps": {
            "ask": {"http": {"url": "/"}, "target": "gone", "continue_on_error": True,
                    "retry": {"max_attempts": 2, "initial": "1ms", "jitter": "none"}},
            "work": {"task": "images.label", "uses": {"gpu": 1}, "queue": "images"}}}
        run = self.api().request("POST", "/api/v1/runs", {"definition": json.dumps(flow)})[1]
        worker = "/api/v1/workers/other"
        self.api().request("POST", worker + "/register", {"protocol": 1, "functions": ["images.label"], "queues": ["images"]})
        claimed = self.api().request("POST", worker + "/claim", {"functions": ["images.label"], "queues": ["images"], "max": 1, "wait": 60})[1]
        self.assertEqual(len(claimed["tasks"]), 1)
        team = {"X-Baton-Namespace": "team"}
        self.api().request("POST", "/api/v1/runs", {"definition": json.dumps(FLOW)}, headers=team)
        self.api().request("POST", f"/api/v1/runs/{run['id']}/cancel", {})
        text = self.api().get("/metrics")
        names = {line.split()[2] for line in text.decode().splitlines() if line.startswith("# TYPE ")}
        self.assertGreater(len(names), 40)
        self.check_with_promtool(text)

    def test_promtool_would_find_something(self):
        """That of ours it finds nothing would else say nothing."""
        with self.assertRaises(AssertionError):
            self.check_with_promtool(b"# TYPE wrong_name_seconds_count gauge\nwrong_name_seconds_count 1\n")

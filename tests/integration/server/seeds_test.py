"""The endpoints that the requests for Baton name, with the examples as they stand there: docs/reference/api.md, "Other names"."""

import json
import unittest

from server.server_case import ServerCase

PROCESS_AUDIO = {"name": "process-new-audio", "inputs": {"file_path": {"type": "string"}},
                 "steps": {"process": {"run": 'printf \'"%s"\' "$FILE" > "$BATON_RESULT"', "env": {"FILE": "${{ inputs.file_path }}"}}}}


class Seeds(ServerCase):
    def post(self, server, path, body=None, **headers):
        key = (self.data / "admin.key").read_text().strip()
        answer = self.ask(server, path, "POST", None if body is None else json.dumps(body),
                          **{"X-API-Key": key, "Content-Type": "application/json", **headers})
        answer.json = json.loads(answer.content)
        return answer

    def get(self, server, path):
        key = (self.data / "admin.key").read_text().strip()
        return json.loads(self.ask(server, path, **{"X-API-Key": key}).content)

    def test_submit_and_status(self):
        server = self.server(env={"BATON_SEED_SUBMIT_WORKFLOW": "process-new-audio"})
        self.assertEqual(self.post(server, "/api/tasks/submit", {"file_path": "/data/a.mp3"}).status, 404, "it is not applied yet")
        self.baton("apply", self.write(PROCESS_AUDIO))
        missing = self.post(server, "/api/tasks/submit", {"path": "x"})
        self.assertEqual((missing.status, missing.json["error"]), (400, "file_path is required"))
        submitted = self.post(server, "/api/tasks/submit", {"file_path": "/data/a.mp3"}, **{"Idempotency-Key": "one"})
        self.assertEqual((submitted.status, submitted.json["status"]), (200, "submitted"))
        run = submitted.json["task_id"]
        again = self.post(server, "/api/tasks/submit", {"file_path": "/data/a.mp3"}, **{"Idempotency-Key": "one"})
        self.assertEqual(again.json["task_id"], run)
        self.assertEqual(self.post(server, "/api/tasks/submit", {"file_path": "/b"}, **{"Idempotency-Key": "one"}).status, 409)
        self.api().wait(run)
        self.assertEqual(self.get(server, f"/api/tasks/{run}"), {"task_id": run, "status": "SUCCESS", "result": "/data/a.mp3"})
        self.assertEqual(self.get(server, f"/api/workflow/{run}/status")["status"], "completed")
        figures = self.eventually(lambda: (now := self.get(server, "/api/workflow/metrics"))["total_workflows"] and now, "its figures")
        self.assertEqual((figures["successful_workflows"], figures["failed_workflows"]), (1, 0))
        self.assertEqual(figures["step_metrics"]["process"]["count"], 1)

    def test_a_job_is_cancelled(self):
        server = self.server()
        flow = self.write({"name": "wait", "steps": {"wait": {"wait": {"signal": "go"}}}})
        self.baton("apply", flow)
        made = self.post(server, "/api/v1/runs", {"workflow": "wait", "job_id": "flywheel-1"})
        self.assertEqual(made.status, 201)
        self.assertEqual(self.post(server, "/api/jobs/flywheel-1/cancel").status, 200)
        self.assertEqual(self.api().wait(made.json["id"])["status"], "cancelled")
        self.assertEqual(self.post(server, "/api/jobs/flywheel-1/cancel").status, 200, "again")

    def test_a_workflow_by_its_title(self):
        server = self.server()
        made = self.post(server, "/workflows", {"name": "API Workflow", "description": "Created via API"})
        self.assertEqual((made.status, made.json["id"], made.json["draft"]), (201, "api-workflow", True))
        self.assertEqual(self.post(server, "/api/v1/runs", {"workflow": "api-workflow"}).status, 409)
        self.assertEqual(self.post(server, "/workflows", {"name": "API Workflow"}).json["id"], "api-workflow-2")
        self.baton("apply", self.write({"name": "api-workflow", "steps": {"a": {"exec": ["/bin/true"]}}}))
        self.assertEqual(self.post(server, "/api/v1/runs", {"workflow": "api-workflow"}).status, 201)
        self.assertEqual(self.ask(server, "/workflows", "POST", "{}", **{"Content-Type": "application/json"}).status, 401)

    def test_what_was_done_once_is_done_once(self):
        """Of a change: across a kill -9, with one key."""
        server = self.server()
        made = self.post(server, "/workflows", {"name": "Once"}, **{"Idempotency-Key": "k"})
        self.kill_owner()
        self.ended(server, code=-9)
        server = self.server()
        again = self.post(server, "/workflows", {"name": "Once"}, **{"Idempotency-Key": "k"})
        self.assertEqual(again.json, made.json)
        other = self.post(server, "/workflows", {"name": "Twice"}, **{"Idempotency-Key": "k"})
        self.assertEqual((other.status, other.json["code"]), (409, "idempotency_mismatch"))


if __name__ == "__main__":
    unittest.main()

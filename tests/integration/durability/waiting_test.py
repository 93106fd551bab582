"""kill -9 while a run waits for time, a signal, a person and a poll: what it waits for, what it was told and what it was asked
survive, and nothing counts twice (SEMANTICS 37, 56)."""

from harness.api import Answer
from harness.case import BatonCase


class WaitingTest(BatonCase):
    def setUp(self):
        super().setUp()
        gate = str(self.dir / "gate.poll")
        self.keep_owner()
        path = self.write(self.workflow({
            "span": {"wait": "1s"},
            "long": {"wait": {"until": "2999-01-01T00:00:00Z"}},
            "told": {"wait": {"signal": "go"}},
            "told_again": {"wait": {"signal": "go"}, "needs": ["told"]},
            "asked": {"wait": {"approval": "Deploy?", "timeout": "1h"}},
            "ready": {"wait": {"poll": {"exec": ["test", "-e", gate]}, "every": "100ms"}},
            "after": self.step("after", needs=["span", "told_again", "asked", "ready"]),
        }))
        self.run_id = self.baton("run", path, "--detach").stdout.strip()

    def task(self, step):
        return next(task for task in self.api().pages("/api/v1/tasks", run=self.run_id) if task["step"] == step)

    def status(self, step):
        return self.task(step)["status"]

    def another_owner(self):
        self.kill_owner()
        self.keep_owner()

    def questions(self):
        return self.json("approvals", "list", "--run", self.run_id)["items"]

    def test_what_is_waited_for_survives(self):
        self.eventually(lambda: self.task("told")["waits_for"], "the wait")
        until = self.task("long")["waits_for"]
        asked = self.questions()
        self.assertEqual([(item["step"], item["question"]) for item in asked], [("asked", "Deploy?")])
        for _ in range(3):
            self.another_owner()
        self.assertEqual(self.task("long")["waits_for"], until)
        self.assertEqual(self.questions(), asked)
        self.eventually(lambda: self.status("span") == "completed", "the end of a span that began under another owner")
        for step in "told", "asked", "ready":
            self.assertEqual(self.status(step), "running", step)
        self.assertIn("approval: Deploy?", self.baton("explain", asked[0]["task"]).stdout)

    def test_what_was_said_counts_once(self):
        def signal(key, value):
            return self.api().request("POST", f"/api/v1/runs/{self.run_id}/signals/go", {"data": value},
                                      {"Idempotency-Key": key})

        self.eventually(lambda: self.task("told")["waits_for"], "the wait")
        self.assertEqual(signal("one", 1)[0], 201)
        self.another_owner()
        self.assertEqual(signal("one", 1)[0], 200)
        self.assertEqual((self.status("told"), self.task("told")["result"]), ("completed", 1))
        self.assertEqual(self.status("told_again"), "running")
        with self.assertRaises(Answer) as refused:
            signal("one", 2)
        self.assertEqual(refused.exception.problem["code"], "idempotency_mismatch")
        self.assertEqual(signal("two", 2)[0], 201)

        self.baton("runs", "approve", self.run_id, "--reason", "tested", "--value", '{"n": 1}')
        self.another_owner()
        self.assertEqual(self.questions(), [])
        answer = self.task("asked")["result"]
        self.assertEqual((answer["approved"], answer["reason"], answer["value"]), (True, "tested", {"n": 1}))
        self.assertIn("waits for no approval", self.baton("runs", "reject", self.run_id, code=6).stderr)

        self.assertEqual(self.status("ready"), "running")
        self.open_gate("poll")
        self.eventually(lambda: self.status("after") == "completed", "the step behind all waits")
        self.assertEqual(self.ledger.count("start", "after"), 1)
        self.baton("runs", "cancel", self.run_id)
        self.assertEqual(self.api().wait(self.run_id)["status"], "cancelled")
        with self.assertRaises(Answer) as refused:
            signal("three", 3)
        self.assertEqual(refused.exception.status, 409)

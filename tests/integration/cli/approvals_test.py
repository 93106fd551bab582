"""What people see and say when runs ask them: `baton approvals list`, `baton runs approve` and `reject`, `baton signal`."""

from harness.case import BatonCase


class ApprovalsTest(BatonCase):
    def setUp(self):
        super().setUp()
        path = self.write({"name": "release", "steps": {
            "ask": {"title": "Ask the boss", "wait": {"approval": "Deploy 1.2?", "timeout": "1h"}},
            "each": {"for_each": ["a", "b"], "wait": {"approval": "And ${{ item }}?"}},
            "told": {"wait": {"signal": "go"}},
        }})
        self.run_id = self.baton("run", path, "--detach").stdout.strip()
        self.eventually(lambda: len(self.questions()) == 3, "the questions")

    def questions(self):
        return self.json("approvals", "list", "--run", self.run_id)["items"]

    def refused(self, *words, code):
        return self.baton("runs", *words, code=code).stderr.strip()

    def test_questions_are_listed_until_they_are_answered(self):
        self.assertEqual([(q["step"], q["index"], q["question"], q["title"]) for q in self.questions()],
                         [("ask", None, "Deploy 1.2?", "Ask the boss"), ("each", 0, "And a?", "each"),
                          ("each", 1, "And b?", "each")])
        table = self.baton("approvals", "list").stdout
        self.assertIn("Deploy 1.2?", table)
        self.assertIn("each[1]", table)
        self.assertEqual(self.baton("runs", "approve", self.run_id, "ask").stdout, "step ask approved\n")
        self.baton("runs", "approve", self.run_id, "each[0]")
        self.assertEqual(self.baton("runs", "reject", self.run_id, "--reason", "late").stdout, "step each[1] rejected\n")
        self.assertEqual(self.questions(), [])
        self.assertIn("nothing waits for an approval", self.baton("approvals", "list").stderr)

    def test_who_is_meant_must_be_clear(self):
        self.assertIn("name the step (ask, each[0], each[1])", self.refused("approve", self.run_id, code=2))
        self.assertIn("several items of step each", self.refused("approve", self.run_id, "each", code=2))
        self.assertIn("did you mean ask?", self.refused("approve", self.run_id, "aks", code=6))
        self.assertIn("waits for no approval; ask, each[0], each[1] do", self.refused("reject", self.run_id, "told", code=6))
        self.assertIn("there is no run nonsense", self.refused("approve", "nonsense", code=5))
        self.assertIn("--value is not JSON", self.refused("approve", self.run_id, "ask", "--value", "{", code=2))
        self.assertEqual(len(self.questions()), 3)

    def test_a_signal(self):
        self.baton("signal", self.run_id, "go", "--value", '{"n": 1}')
        told = next(t for t in self.json("tasks", "list", self.run_id)["items"] if t["step"] == "told")
        self.assertEqual((told["status"], told["result"]), ("completed", {"n": 1}))
        self.assertIn("is not a name of a signal", self.baton("signal", self.run_id, "no name", code=2).stderr)
        self.baton("runs", "cancel", self.run_id)
        self.assertIn("only a run that has not ended takes signals", self.baton("signal", self.run_id, "go", code=6).stderr)

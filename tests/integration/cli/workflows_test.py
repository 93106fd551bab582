"""Workflows that are stored: apply, start, versions, runs that go on with another version, filters, earlier states."""

import unittest

from harness.case import BatonCase


class WorkflowsTest(BatonCase):
    def flow(self, script, **fields):
        return {"name": "etl", "inputs": {"n": {"type": "integer", "default": 3}},
                "steps": {"first": {"set": {"n": "${{ inputs.n }}"}},
                          "work": {"run": script, "needs": ["first"]}}} | fields

    def apply(self, definition, *words, code=0):
        return self.baton("apply", self.write(definition, "etl.json"), *words, code=code)

    def test_from_the_first_version_to_a_run_that_is_mended(self):
        broken, mended = self.flow("exit 3"), self.flow("true", title="Mended")
        self.assertEqual(self.apply(broken, "--note", "first").stdout, "etl: version 1, new\n")
        self.assertEqual(self.apply(broken).stdout, "etl: version 1, unchanged\n")

        run = self.baton("start", "etl", "--input", "n=5").stdout.strip()
        self.baton("run", "--resume", run, code=3)
        shown = self.json("runs", "get", run)
        self.assertEqual((shown["workflow"], shown["version"], shown["status"], shown["input"]),
                         ("etl", 1, "failed", {"n": 5}))

        dry = self.apply(mended, "--dry-run").stdout
        self.assertTrue(dry.startswith("etl: version 2 would count, new; was 1\n"), dry)
        self.assertIn("exit 3", dry)
        self.assertEqual(self.json("workflows", "get", "etl")["version"], 1)
        self.apply(mended, "--expect", "0", code=6)
        self.assertTrue(self.apply(mended, "--expect", "1").stdout.startswith("etl: version 2, new; was 1\n"))
        self.assertEqual([(v["version"], v["current"], v["note"]) for v in
                          self.json("workflows", "versions", "etl")["items"]], [(2, True, None), (1, False, "first")])
        self.assertEqual(self.json("workflows", "list")["items"][0]["title"], "Mended")
        diff = self.json("workflows", "diff", "etl", code=1)
        self.assertEqual((diff["from"], diff["to"], diff["equal"]), (1, 2, False))

        self.baton("runs", "recover", run, "--version", "2")
        self.baton("run", "--resume", run)
        shown = self.json("runs", "get", run)
        self.assertEqual((shown["version"], shown["status"]), (2, "completed"))
        history = self.baton("runs", "history", run).stdout
        self.assertIn("run.version_changed", history)
        self.assertRegex(history, r"run\.submitted .* by cli:")
        self.assertEqual(self.json("runs", "get", run, "--at", shown["ended_at"])["status"], "completed")
        before = self.json("runs", "get", run, "--at", shown["created_at"])
        self.assertIn(before["status"], ("pending", "running"))
        self.assertEqual(before["version"], 1)
        self.assertEqual([task["step"] for task in before["tasks"]], ["first", "work"])

        again = self.json("runs", "replay", run, "--version", "1")
        self.assertEqual((again["version"], again["input"]), (1, {"n": 5}))

    def test_what_does_not_fit_is_named(self):
        self.apply(self.flow("exit 3"))
        run = self.baton("start", "etl").stdout.strip()
        self.baton("run", "--resume", run, code=3)
        other = self.flow("true")
        other["steps"] = {"zeroth": {"set": {"x": 1}}, "work": other["steps"]["work"] | {"needs": ["zeroth"]}}
        self.apply(other)
        refused = self.baton("runs", "recover", run, "--version", "2", code=6).stderr
        self.assertIn("step first is gone", refused)
        self.assertIn("step zeroth is new and stands before others", refused)
        self.assertEqual(self.json("runs", "get", run)["version"], 1)

    def test_the_definition_can_be_applied_again(self):
        self.apply(self.flow("true"))
        self.apply(self.flow("false"))
        text = self.baton("workflows", "get", "etl@1", "--definition").stdout
        (self.dir / "again.yaml").write_text(text, encoding="utf-8")
        back = self.baton("apply", "again.yaml", "--note", "back").stdout
        self.assertTrue(back.startswith("etl: version 1, had been made before; was 2\n"), back)

    def test_mistakes(self):
        self.assertIn("baton apply FILE makes one", self.baton("start", "etl", code=5).stderr)
        self.apply(self.flow("true"))
        self.assertIn('did you mean "etl"?', self.baton("start", "elt", code=5).stderr)
        self.assertIn("the newest one is 1", self.baton("start", "etl@7", code=5).stderr)
        self.assertIn("NAME@3", self.baton("start", "etl@x", code=2).stderr)
        self.baton("start", "etl", "--input", "n=many", code=2)
        self.apply({"name": "etl", "steps": {"a": {"rn": "x"}}}, code=2)
        good, bad = self.write(self.flow("true", title="new"), "good.json"), self.write({"name": "x"}, "bad.json")
        self.baton("apply", good, self.dir / "absent.json", bad, code=5)
        self.assertIsNone(self.json("workflows", "get", "etl")["title"], "all files are read first")

    def test_filters(self):
        good = self.baton("run", self.write({"name": "good", "steps": {"a": {"set": {"v": 1}}}}), "--output", "json")
        self.baton("run", self.write({"name": "bad", "steps": {"a": {"exec": ["/bin/false"]}}}), code=3)
        self.assertIn("completed", good.stdout)
        listed = lambda where: [run["workflow"] for run in self.json("runs", "list", "--where", where)["items"]]
        self.assertEqual(listed('status != "completed"'), ["bad"])
        self.assertEqual(listed('workflow in ["good", "bad"] && created_at > now - duration("1h")'), ["bad", "good"])
        self.assertEqual(listed("created_at > now"), [])
        self.assertIn("there is no index of priority",
                      self.baton("runs", "list", "--where", "priority > 5", code=2).stderr)
        dry = self.json("runs", "recover", "--where", 'workflow == "bad"', "--dry-run")
        self.assertEqual([item["outcome"] for item in dry["items"]], ["possible"])


if __name__ == "__main__":
    unittest.main()

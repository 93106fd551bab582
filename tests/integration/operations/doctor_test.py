"""baton doctor: all is well, or what is not and what to do."""

import json
import os

from harness.case import BatonCase


class DoctorTest(BatonCase):
    def doctor(self, *words, code=0):
        report = json.loads(self.baton("doctor", "--output", "json", *words, code=code).stdout)
        return report, {check["check"]: check for check in report["checks"]}

    def submit(self, steps):
        context = {"workdir": str(self.dir), "env": {"PATH": "/usr/bin:/bin"}}
        definition = json.dumps({"name": "test", "steps": steps})
        return self.api().request("POST", "/api/v1/runs", {"definition": definition, "context": context})[1]["id"]

    def test_a_new_directory_is_well(self):
        report, checks = self.doctor()
        self.assertEqual(report["status"], "ok")
        self.assertEqual(report["stuck"], [])
        for check in ("configuration", "data directory", "database", "disk", "clock", "limits", "owner", "runs", "stuck runs"):
            self.assertEqual((checks[check]["status"], checks[check]["advice"]), ("ok", None), checks[check])
        text = self.baton("doctor", "--thorough").stdout
        self.assertIn("✓ database", text)

    def test_a_folder_that_others_reach(self):
        self.doctor()
        os.chmod(self.data, 0o755)
        report, checks = self.doctor(code=1)
        self.assertEqual(report["status"], "warning")
        self.assertEqual(checks["data directory"]["advice"], f"chmod 700 {self.data}")

    def test_damage(self):
        self.doctor()
        with open(self.data / "baton.db", "r+b") as file:
            file.seek(os.path.getsize(self.data / "baton.db") // 2)
            file.write(b"x" * 4096)
        report, checks = self.doctor(code=1)
        self.assertEqual(report["status"], "error")
        self.assertEqual({name for name, check in checks.items() if check["status"] == "error"} - {"owner", "database"}, set())

    def test_secrets_that_cannot_be_opened(self):
        value = self.dir / "value"
        value.write_text("s3cret-value")
        with open(value, encoding="utf-8") as file:
            self.baton("secrets", "set", "TOKEN", stdin=file)
        checks = self.doctor()[1]
        self.assertEqual((checks["secrets"]["status"], checks["secrets"]["message"]), ("ok", "1 secret"))
        os.remove(self.data / "secrets.key")
        report, checks = self.doctor(code=1)
        self.assertEqual(report["status"], "error")
        self.assertTrue(checks["secrets"]["message"].startswith("TOKEN cannot be opened: "), checks["secrets"])
        self.assertIn("secrets.key", checks["secrets"]["advice"])

    def test_a_queue_that_nobody_serves_is_no_finding_while_a_worker_takes_all(self):
        self.serve()
        self.assertEqual(self.doctor()[1]["queues"]["status"], "ok")

    def test_stuck_runs_are_found_and_ended(self):
        self.serve()
        gate = self.dir / "gate"
        hangs = self.submit({"hangs": {"run": f"until [ -e {gate} ]; do sleep 0.01; done"}})
        waits = self.submit({"waits": {"wait": {"signal": "go"}}})
        self.eventually(lambda: self.api().run(hangs)["status"] == "running", "its start")
        self.assertEqual(self.doctor()[0]["stuck"], [])
        self.eventually(lambda: self.doctor("--older-than", "1ms", code=None)[0]["stuck"], "a stuck run")
        report, checks = self.doctor("--older-than", "1ms", code=1)
        self.assertEqual([run["run"] for run in report["stuck"]], [hangs])  # a run may wait for a signal for ever
        self.assertIn("--fail-stuck", checks["stuck runs"]["advice"])
        self.assertEqual(self.api().run(hangs)["status"], "running")  # looking changes nothing

        report, _ = self.doctor("--older-than", "1ms", "--fail-stuck", code=1)
        self.assertIn(report["stuck"][0]["status"], ("cancelling", "failed"))
        ended = self.api().wait(hangs)
        self.assertEqual((ended["status"], ended["error"]["type"]), ("failed", "given_up"))
        self.assertEqual(self.api().run(waits)["status"], "running")

    def test_an_open_breaker_and_a_wrong_word(self):
        self.serve()
        run = self.submit({"ask": {"run": "exit 3", "breaker": {"name": "nlp", "failures": 1, "types": ["exit"]}}})
        self.api().wait(run)
        _, checks = self.doctor(code=1)
        self.assertIn("nlp is open", checks["breakers"]["message"])
        self.assertIn("--older-than", self.baton("doctor", "--older-than", "soon", code=2).stderr)

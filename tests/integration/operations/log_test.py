"""The log of the real binary: lines of JSON, rotation, no payloads."""

import json
import os
import signal

from harness.case import BatonCase

CANARY = "canary-7f3a"
FLOW = {"name": "etl", "inputs": {"word": {"type": "string", "default": CANARY}}, "steps": {
    "say": {"run": f"echo {CANARY}; echo {CANARY} >&2; exit 3", "env": {"TOKEN": CANARY}, "with": {"x": CANARY}}}}


class LogTest(BatonCase):
    def server(self, **env):
        self.log = self.dir / "baton.log"
        env = {"BATON_LOG_FORMAT": "json", "BATON_LOG_FILE": str(self.log), "BATON_LOG_LEVEL": "debug"} | env
        return self.serve(env=env)

    def lines(self, path=None):
        return [json.loads(line) for line in (path or self.log).read_text().splitlines()]

    def fail_a_run(self):
        context = {"workdir": str(self.dir), "env": {"PATH": "/usr/bin:/bin"}}
        run = self.api().request("POST", "/api/v1/runs", {"definition": json.dumps(FLOW), "context": context})[1]["id"]
        self.assertEqual(self.api().wait(run)["status"], "failed")
        return run

    def test_lines_have_ids_and_no_payloads(self):
        process = self.server()
        run = self.fail_a_run()
        process.send_signal(signal.SIGTERM)
        self.ended(process)
        lines = self.lines()
        events = [line["event"] for line in lines if line.get("run") == run]
        self.assertEqual((events[0], events[-1]), ("run.submitted", "run.ended"))
        self.assertEqual(sorted(events), ["attempt.ended", "attempt.started", "run.ended", "run.started", "run.submitted", "task.ended"])
        ended = lines[[line["event"] for line in lines].index("run.ended")]
        self.assertEqual((ended["level"], ended["workflow"], ended["outcome"]), ("warning", "etl", "failed"))
        attempt = next(line for line in lines if line["event"] == "attempt.ended")
        self.assertEqual((attempt["task"], attempt["step"], attempt["error_type"]), (f"{run}.0", "say", "exit"))
        for event in ("owner.started", "server.stopping", "owner.stopped"):
            self.assertIn(event, [line["event"] for line in lines])
        self.assertNotIn(CANARY, self.log.read_text())
        self.assertEqual(os.stat(self.log).st_mode & 0o777, 0o600)

    def test_is_opened_again(self):
        process = self.server(BATON_LOG_LEVEL="info")
        self.fail_a_run()
        moved = self.dir / "baton.log.1"
        self.log.rename(moved)
        process.send_signal(signal.SIGUSR1)
        self.eventually(self.log.exists, "the new file")
        second = self.fail_a_run()
        self.assertEqual({line["run"] for line in self.lines()}, {second})
        self.assertNotIn(second, moved.read_text())
        self.assertNotIn("run.started", [line["event"] for line in self.lines()])

    def test_a_wrong_setting_is_refused(self):
        for name, value, wanted in (("BATON_LOG_LEVEL", "loud", "debug, info, warning or error"), ("BATON_LOG_FORMAT", "xml", "text or json")):
            refused = self.baton("server", env={name: value}, code=78)
            self.assertIn(wanted, refused.stderr)
        refused = self.baton("server", env={"BATON_LOG_FILE": str(self.dir / "none" / "x.log")}, code=74)
        self.assertIn("none/x.log", refused.stderr)

"""baton support-bundle has what helps and no payload; baton top shows what there is."""

import json
import os
import pty
import signal
import tarfile

from harness.case import BATON, BatonCase

CANARY = "canary-19e2"
FLOW = {"name": "etl", "labels": {"team": CANARY}, "inputs": {"word": {"type": "string", "default": CANARY}}, "steps": {
    "say": {"run": f"echo {CANARY}; echo {CANARY} >&2; echo '{{\"error\": \"{CANARY}\"}}' > $BATON_RESULT; exit 3",
            "env": {"TOKEN": CANARY}, "with": {"x": CANARY}}}}


class BundleTest(BatonCase):
    def test_has_what_helps_and_no_payload(self):
        flow = self.write(FLOW)
        self.baton("run", flow, "--metadata", f"note={CANARY}", "--job-id", CANARY, code=3)
        report = self.json("support-bundle", "problem.tar.gz")
        path = self.dir / "problem.tar.gz"
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with tarfile.open(path) as archive:
            files = {os.path.basename(member.name): archive.extractfile(member).read().decode() for member in archive}
            self.assertEqual({os.path.dirname(name).startswith("baton-support-") for name in archive.getnames()}, {True})
        self.assertEqual(sorted(files), sorted(report["files"]))
        for name in ("doctor.json", "settings.json", "system.json", "metrics.txt", "runs.json", "queues.json"):
            self.assertIn(name, files)
        (run,) = json.loads(files["runs.json"])
        self.assertEqual((run["workflow"], run["status"], run["error_type"]), ("etl", "failed", "exit"))
        for name, text in files.items():
            self.assertNotIn(CANARY, text, name)
        self.assertIn("problem.tar.gz", self.baton("support-bundle", "problem.tar.gz", code=6).stderr)

    def test_top_without_a_terminal_is_one_look(self):
        self.keep_owner()
        report = self.json("top")
        self.assertEqual(report["active_runs"][0]["workflow"], "keeper")
        self.assertEqual(report["runs"]["open"]["running"], 1)
        text = self.baton("top").stdout
        for part in ("QUEUE", "WORKER", "keeper", "1 running"):
            self.assertIn(part, text)
        self.assertIn("--every", self.baton("top", "--every", "0s", code=2).stderr)

    def test_top_on_a_terminal_is_live_until_ctrl_c(self):
        self.keep_owner()
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(BATON, [BATON, "top", "--every", "100ms"], self.env | {"TERM": "xterm"})
        self.addCleanup(os.close, terminal)
        said = b""
        while said.count(b"keeper") < 3:  # drawn again and again
            said += os.read(terminal, 65536)
        os.kill(pid, signal.SIGINT)
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:  # it has gone
            pass
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)

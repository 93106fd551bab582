"""The walk that the README shows a newcomer, pasted into a shell."""

import os
import re
import subprocess

from harness.case import BATON, PATIENCE, ROOT, BatonCase

STATUS = re.compile(r"^weigh  (\w+) ", re.MULTILINE)


class WalkTest(BatonCase):
    def test_the_readme(self):
        page = (ROOT / "README.md").read_text(encoding="utf-8")
        walk = re.search(r"^## A server, and a first walk\n.*?^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE).group(1)
        env = {key: value for key, value in self.env.items() if key != "BATON_DATA"}  # where a newcomer's data are
        env |= {"PATH": f"{os.path.dirname(BATON)}:{env['PATH']}", "BATON_LISTEN": "127.0.0.1:0"}
        done = subprocess.run(["bash"], input=walk + "wait\n", cwd=self.dir, env=env, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, said)
        self.assertIn("weigh: version 1, new", said)
        self.assertEqual(STATUS.findall(done.stdout), ["failed", "completed"], said)
        self.assertIn(f"cannot access '{self.dir}/pictures'", done.stdout)
        log = (self.dir / "server.log").read_text(encoding="utf-8")
        self.assertIn("serves http://127.0.0.1:", log)
        for fact in ("run.submitted", "run.recovering", "outcome=completed"):
            self.assertIn(fact, done.stdout)
        self.assertTrue((self.dir / ".local/state/baton/admin.key").exists())
        self.assertNotIn("error", said.replace("error_type", ""))


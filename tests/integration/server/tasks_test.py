"""What a task can see and do (S4, S9, S11): values of strangers are data, and nothing of the server's own reaches it."""

import json
import os
import pathlib
import shutil
import unittest

from harness.case import BATON
from server.server_case import ServerCase

# What shells, terminals, paths and templates would take for more than text.
TRICKS = ["; touch OWNED", "$(touch OWNED)", "`touch OWNED`", "| touch OWNED", "&& touch OWNED", "\n touch OWNED\n", "' ; touch OWNED ; '",
          '" ; touch OWNED ; "', "${{ run.id }}", "$HOME", "-rf", "--help", "../../../etc/passwd", "a\tb", "*", "~root", "\\", "%s%n", "\x1b[2J"]


class Parameters(ServerCase):
    def test_travel_as_they_are(self):
        self.server()
        flow = {"name": "echo", "inputs": {"value": {"type": "string"}}, "steps": {
            "argv": {"exec": ["/usr/bin/printf", "%s", "${{ inputs.value }}"]},
            "script": {"run": 'printf %s "$VALUE"', "env": {"VALUE": "${{ inputs.value }}"}},
            "input": {"run": 'cat "$BATON_INPUT" > "$BATON_RESULT"', "with": {"value": "${{ inputs.value }}"}}}}
        file = self.write(flow)
        for trick in TRICKS:
            with self.subTest(trick=trick):
                given = self.dir / "input.json"
                given.write_text(json.dumps({"value": trick}))
                tasks = {task["step"]: task for task in self.json("run", file, "--input-file", given)["tasks"]}
                self.assertEqual(tasks["argv"]["result"]["stdout"], trick)
                self.assertEqual(tasks["script"]["result"]["stdout"], trick)
                self.assertEqual(tasks["input"]["result"], {"value": trick})
        self.assertEqual(list(self.dir.rglob("OWNED")), [])

    def test_never_become_text_of_a_script(self):
        refused = self.baton("validate", self.write({"name": "x", "inputs": {"v": {"type": "string"}},
                                                     "steps": {"a": {"run": "echo ${{ inputs.v }}"}}}), code=2)
        self.assertIn("env", refused.stderr)

    def test_names_are_no_paths(self):
        server = self.server()
        key = (self.data / "admin.key").read_text().strip()
        for path in ("/api/v1/runs/..%2f..%2fadmin.key", "/api/v1/tasks/%2e%2e/logs", "/api/v1/workflows/..", "/api/v1/tasks/a%00b/logs",
                     "/style.css/../admin.key", "//admin.key"):
            with self.subTest(path=path):
                answer = self.ask(server, path, **{"X-API-Key": key})
                self.assertIn(answer.status, (400, 404))
                self.assertNotIn(key.encode(), answer.content)


class Surroundings(ServerCase):
    def look(self, server_environment):
        self.server(env=server_environment)
        script = ('ls /proc/self/fd; echo --; cat /proc/self/environ | tr "\\0" "\\n"; echo --; tr "\\0" " " < /proc/$PPID/cmdline; echo --; '
                  'umask; readlink /proc/self/fd/0')
        run = self.json("run", self.write({"name": "look", "steps": {"look": {"run": script}}}))
        return run["tasks"][0]["result"]["stdout"].split("--\n")

    def test_a_task_has_nothing_of_the_servers(self):
        secret = "canary-in-the-environment"
        descriptors, environment, parent, rest = self.look({"BATON_API_KEY": "", "DATABASE_PASSWORD": secret, "BATON_LOG_LEVEL": "info"})
        self.assertLessEqual(set(descriptors.split()), {"0", "1", "2", "3"}, "3 is the folder that ls reads")
        self.assertNotIn(secret, environment)
        names = {line.split("=")[0] for line in environment.splitlines()}
        self.assertFalse({name for name in names if name.startswith("BATON_")} - {
            "BATON_RUN_ID", "BATON_TASK_ID", "BATON_ATTEMPT", "BATON_TOKEN", "BATON_RUN_DIR", "BATON_INPUT", "BATON_RESULT", "BATON_SOCKET",
            "BATON_NAMESPACE"})
        key = (self.data / "admin.key").read_text().strip()
        self.assertNotIn(key, environment + parent)
        self.assertEqual(rest.split(), ["0077", "/dev/null"])

    def test_no_key_in_any_command_line(self):
        server = self.server()
        key = (self.data / "admin.key").read_text().strip()
        self.baton("runs", "list", env={"BATON_URL": server.facts["url"], "BATON_API_KEY": key})
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                self.assertNotIn(key.encode(), (folder / "cmdline").read_bytes(), folder)
            except OSError:
                pass  # it has ended
        with open(f"/proc/{server.pid}/environ", "rb") as file:
            self.assertNotIn(key.encode(), file.read())
        self.assertNotIn(key, self.said(server) + self.said(server, "out"))

    def test_its_files_are_its_users_alone(self):
        self.server()
        self.json("run", self.write({"name": "x", "steps": {"a": {"run": "echo a > file; cat file"}}}))
        open_to_others = [path for path in [self.data, *self.data.rglob("*")]
                          if not path.is_symlink() and path.stat().st_mode & 0o077]
        self.assertEqual(open_to_others, [])

    @unittest.skipIf(os.getuid() != 0, "only root can start a worker as somebody else")
    def test_what_a_worker_of_another_user_cannot_read(self):
        server = self.server("--no-worker")
        self.baton("secrets", "set", "TOKEN", input="canary-value", stdin=None)
        key = self.baton("keys", "create", "w", "--role", "worker").stdout.strip()
        work = self.dir / "work"
        work.mkdir()
        os.chown(work, 65534, 65534)
        os.chmod(self.dir, 0o755)
        program = shutil.copy(BATON, self.dir)  # may stand where nobody else can read
        self.start("worker", "--name", "w", "--work", work, env={"BATON_URL": server.facts["url"], "BATON_API_KEY": key, "HOME": str(work)},
                   executable=program, user=65534, group=65534, extra_groups=[])
        self.assertTrue((self.data / "admin.key").exists() and (self.data / "secrets.key").exists())
        script = 'id -u; for f in baton.db admin.key secrets.key lock .; do cat "$D/$f" >/dev/null 2>&1 || ls "$D/$f" >/dev/null 2>&1 || echo "not $f"; done; ' \
                 'cat /proc/$S/environ >/dev/null 2>&1 || echo "not its environment"; ls /proc/$S/fd >/dev/null 2>&1 || echo "not its files"'
        flow = {"name": "spy", "steps": {"spy": {"run": script, "env": {"D": str(self.data), "S": str(server.pid)}}}}
        run = self.json("run", self.write(flow))
        self.assertEqual(run["tasks"][0]["result"]["stdout"].splitlines(),
                         ["65534", "not baton.db", "not admin.key", "not secrets.key", "not lock", "not .", "not its environment", "not its files"])


if __name__ == "__main__":
    unittest.main()

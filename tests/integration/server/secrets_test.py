"""S7: canaries. A step prints, returns and reports secrets in every form, cut wherever output can be cut; then every place where
Baton keeps or shows anything is searched for them."""

import base64
import http.server
import json
import os
import pathlib
import stat
import tarfile
import threading
import urllib.parse

from harness.case import BATON
from server.server_case import ServerCase

FIRST = 'canary-"one"\\/é-4f1c'
SECOND = "canary-two-99d2"
LINES = "-----BEGIN CANARY-----\ncanary+line/one==\ncanary+line/two==\n-----END CANARY-----"
NUMBER = "71828182845904"


def forms(value):
    """How a value may turn up."""
    data = value.encode()
    yield data
    yield json.dumps(value).strip('"').encode()
    yield json.dumps(value, ensure_ascii=False).strip('"').encode()
    for line in value.split("\n"):
        yield line.encode()
    for before in (b"", b"x", b"xy"):
        yield base64.b64encode(before + data)[4:-4]
    yield urllib.parse.quote(value, safe="").encode()


CANARIES = sorted({form for value in (FIRST, SECOND, LINES, NUMBER) for form in forms(value)})

# Prints a value in pieces of one byte, whole, and encoded; returns it; leaves it in a file for others.
SHOW = """
import base64, json, os, sys, urllib.parse
value, lines = os.environ["FIRST"], os.environ["LINES"]
for out in (sys.stdout, sys.stderr):
    for byte in (value + "|" + os.environ["SECOND"]).encode():
        os.write(out.fileno(), bytes([byte]))
    os.write(out.fileno(), b"\\n")
    os.write(out.fileno(), b"x" * 65530 + value.encode() + b"\\n")
    for form in (json.dumps(value), urllib.parse.quote(value, safe=""), base64.b64encode(b"user:" + value.encode()).decode(),
                 lines, "\\r\\n".join(lines.split("\\n")), json.dumps(lines)):
        os.write(out.fileno(), form.encode() + b"\\n")
given = json.load(open(os.environ["BATON_INPUT"]))
assert given["two"] == os.environ["SECOND"], given
json.dump({"plain": value, "nested": [{value: lines}], "text": json.dumps({"v": value}), "number": int(os.environ["NUMBER"]),
           "given": given}, open(os.environ["BATON_RESULT"], "w"))
open(os.environ["BATON_RUN_DIR"] + "/left", "w").write(value)
sys.exit(int(sys.argv[1]))
"""


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked, in header, body and, if the path says so, as a refusal."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers["Authorization"], body))
        refuse = self.path.startswith("/refuse")
        text = ("x" * 290 + self.headers["Authorization"]) if refuse else body.decode()
        answer = text.encode() if refuse else json.dumps({"echo": text, "auth": self.headers["Authorization"]}).encode()
        self.send_response(403 if refuse else 200)
        self.send_header("Content-Type", "text/plain" if refuse else "application/json")
        self.send_header("X-Echo", self.headers["Authorization"])
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Secrets(ServerCase):
    def setUp(self):
        super().setUp()
        self.echo = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self.echo.seen = []
        threading.Thread(target=self.echo.serve_forever, daemon=True).start()
        self.addCleanup(self.echo.server_close)
        self.addCleanup(self.echo.shutdown)

    def set(self, name, value, code=0, **options):
        return self.baton("secrets", "set", name, stdin=None, input=value, code=code, **options)

    def set_all(self):
        for name, value in (("FIRST", FIRST), ("SECOND", SECOND), ("LINES", LINES), ("NUMBER", NUMBER)):
            self.set(name, value)

    def flow(self):
        (self.dir / "show.py").write_text(SHOW)
        env = {name: "${{ secrets.%s }}" % name for name in ("FIRST", "SECOND", "LINES", "NUMBER")}
        show = {"exec": ["python3", str(self.dir / "show.py"), "0"], "env": env | {"TEST_MARK": self.task_mark},
                "with": {"two": "${{ secrets.SECOND }}", "text": "a ${{ secrets.FIRST }} b"}}
        origin = f"http://127.0.0.1:{self.echo.server_port}"
        call = {"headers": {"Authorization": "Bearer ${{ secrets.FIRST }}"}, "json": {"two": "${{ secrets.SECOND }}"}}
        mark = {"TEST_MARK": self.task_mark}
        return {"name": "canaries", "steps": {
            "show": show,
            "again": show | {"needs": ["show"], "exec": ["python3", str(self.dir / "show.py"), "3"], "continue_on_error": True,
                             "fallback": {"run": "echo fallback $T; exit 1", "env": mark | {"T": "${{ secrets.FIRST }}"}},
                             "cleanup": {"run": "echo cleanup $T", "env": mark | {"T": "${{ secrets.FIRST }}"}}},
            "left": {"needs": ["show"], "run": "cat $BATON_RUN_DIR/left", "env": mark},
            "parsed": {"run": 'printf \'{"a": %s, "b": "%s"}\' "$NUMBER" "$SECOND"', "parse": "json", "env": env | mark},
            "progress": {"run": 'baton task progress 40 "now $SECOND"; baton task resource add "$SECOND" -- true || true',
                         "env": env | mark | {"PATH": f"{pathlib.Path(BATON).parent}:/usr/bin:/bin"}},
            "echo": {"http": call | {"method": "POST", "url": origin + "/echo?q=${{ secrets.SECOND }}"}},
            "refused": {"continue_on_error": True, "http": call | {"method": "POST", "url": origin + "/refuse"}},
            "missing": {"run": "true", "continue_on_error": True, "retry": {"max_attempts": 3},
                        "env": mark | {"X": "${{ secrets.FRIST }}"}},
        }, "finally": {"last": {"run": "echo finally $T", "env": mark | {"T": "${{ secrets.FIRST }}"}}}}

    def assertClean(self, where, data):
        if isinstance(data, str):
            data = data.encode(errors="surrogateescape")
        for canary in CANARIES:
            if canary in data:
                at = data.index(canary)
                self.fail(f"{where} has {canary!r}: …{data[max(0, at - 60):at + 60]!r}…")

    def assertCommandLinesClean(self):
        for pid in self.processes():
            try:
                line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:  # it ended
                continue
            if not line.startswith(b"baton\0task\0"):  # the step's own doing
                self.assertClean("a command line", line)

    def assertDirectoryClean(self, but=()):
        for root, _, files in os.walk(self.data):
            for name in files:
                path = pathlib.Path(root) / name
                if path.name in but or not path.is_file():
                    continue
                self.assertClean(path.relative_to(self.data), path.read_bytes())

    def seen(self, server, key, run):
        """Everything that can be asked for."""
        auth = {"Authorization": f"Bearer {key}"}
        spec = json.loads(self.ask(server, "/api/v1/openapi.json", **auth).content)
        tasks = [task["id"] for task in self.json("tasks", "list", run)["items"]]
        asked = 0
        for path, item in spec["paths"].items():
            if "get" not in item or "/events" in path or "wait" in path:
                continue
            for task in tasks if path.startswith("/api/v1/tasks/{id}") else [""]:
                concrete = path.replace("{id}", task or run).replace("{name}", "canaries")
                if "{" in concrete:
                    continue
                answer = self.ask(server, concrete, **auth)
                asked += answer.status == 200
                self.assertClean(concrete, answer.content)
        self.assertGreater(asked, 30)
        for words in (["runs", "get", run], ["runs", "history", run], ["explain", run], ["dead-letters", "list"], ["secrets", "list"],
                      ["audit", "list"], ["tasks", "list", run], ["cache", "list"]):
            for form in ("table", "json"):
                done = self.baton(*words, "--output", form)
                self.assertClean(words, done.stdout + done.stderr)
        for task in tasks:
            self.assertClean(f"the log of {task}", self.baton("logs", task).stdout)

    def test_nothing_shows_a_secret(self):
        server = self.server(env={"BATON_LOG_FORMAT": "json", "BATON_LOG_LEVEL": "debug"})
        key = (self.data / "admin.key").read_text().strip()
        self.set_all()
        self.baton("apply", self.write(self.flow(), "flow.json"))
        run = self.baton("start", "canaries").stdout.strip()
        self.assertCommandLinesClean()
        shown = self.eventually(lambda: (r := self.json("runs", "get", run))["status"] in ("completed", "failed") and r, "its end")
        tasks = {task["step"]: self.json("tasks", "get", task["id"]) for task in self.json("tasks", "list", run)["items"]
                 if task["role"] == "main"}
        # They came where they belong.
        self.assertEqual(shown["status"], "completed", tasks)
        self.assertEqual({auth for _, auth, _ in self.echo.seen}, {"Bearer " + FIRST.encode().decode("latin-1")})
        self.assertIn({"two": SECOND}, [json.loads(body) for _, _, body in self.echo.seen])
        self.assertIn("/echo?q=" + urllib.parse.quote(SECOND), [path for path, _, _ in self.echo.seen])
        # And what was shown is masked, not lost.
        result = tasks["show"]["result"]
        self.assertEqual((result["plain"], result["nested"], result["number"]), ("***", [{"***": "***"}], "***"))
        self.assertEqual(result["given"], {"two": "***", "text": "a *** b"})
        self.assertEqual(tasks["parsed"]["result"], {"a": "***", "b": "***"})
        self.assertIn("***", tasks["again"]["error"]["message"])
        self.assertEqual(tasks["left"]["result"]["stdout"], "***")
        self.assertEqual(tasks["echo"]["result"]["body"]["auth"], "Bearer ***")
        self.assertEqual(tasks["refused"]["error"]["message"][-11:], "xBearer ***", "masked, then cut")
        self.assertEqual(tasks["missing"]["attempts"], 1)
        self.assertEqual(tasks["missing"]["error"]["type"], "validation")
        self.assertIn('did you mean "FIRST"?', tasks["missing"]["error"]["message"])
        self.assertIn("***|***", self.baton("logs", tasks["show"]["id"]).stdout)
        self.seen(server, key, run)
        events = self.baton("runs", "history", run, "--output", "json").stdout
        self.assertIn("set_secret", self.baton("audit", "list").stdout)
        self.assertClean("events", events)
        self.assertClean("the server's log", self.said(server) + self.said(server, "out"))
        bundle = self.dir / "bundle.tar.gz"
        self.baton("support-bundle", "--file", bundle, code=None)
        if bundle.exists():
            with tarfile.open(bundle) as packed:
                for member in packed.getmembers():
                    self.assertClean(member.name, packed.extractfile(member).read())
        self.baton("backup", self.dir / "backup.db")
        self.assertClean("the backup", (self.dir / "backup.db").read_bytes())
        # What the step itself has written is its own.
        self.assertDirectoryClean(but=("left",))
        server.kill()
        server.wait()
        self.assertDirectoryClean(but=("left",))

    def processes(self):
        for name in os.listdir("/proc"):
            if name.isdigit() and os.access(f"/proc/{name}/cmdline", os.R_OK):
                yield name

    def hold(self):
        """A step that has its secret in its input, says so, and waits."""
        return {"name": "hold", "steps": {"a": {
            "run": "cat $BATON_INPUT; echo x >> %s; while [ ! -e %s ]; do sleep 0.01; done; echo $T" % (self.dir / "begun", self.dir / "go"),
            "env": {"T": "${{ secrets.FIRST }}", "TEST_MARK": self.task_mark}, "with": {"t": "${{ secrets.FIRST }}"}}}}

    def test_killed_under_an_attempt_and_the_value_changed(self):
        server = self.server()
        self.set("FIRST", FIRST)
        self.baton("apply", self.write(self.hold(), "hold.json"))
        run = self.baton("start", "hold").stdout.strip()
        self.eventually((self.dir / "begun").exists, "the attempt")
        for pid in self.processes():
            try:
                self.assertClean("a command line", pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
            except OSError:  # it ended
                pass
        self.baton("queues", "pause", "default")
        server.kill()
        server.wait()
        server = self.server()
        self.set("FIRST", SECOND)
        self.baton("queues", "resume", "default")
        self.eventually(lambda: (self.dir / "begun").read_text() == "x\nx\n", "the second attempt")
        (self.dir / "go").touch()
        self.eventually(lambda: self.json("runs", "get", run)["status"] == "completed", "its end")
        task = self.json("tasks", "get", run + ".0")
        self.assertEqual(task["attempts"], 1, "the one that was interrupted does not count")
        self.assertEqual(self.json("secrets", "list")["items"][0]["version"], 2)
        self.assertDirectoryClean()
        server.kill()
        server.wait()
        self.assertDirectoryClean()

    def test_the_key_file(self):
        self.set("FIRST", FIRST)
        key = self.data / "secrets.key"
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        done = self.baton("backup", self.dir / "backup.db")
        self.assertIn("secrets.key", done.stderr)
        other = {"BATON_DATA": str(self.dir / "other")}
        restored = self.baton("restore", self.dir / "backup.db", env=other)
        self.assertIn("secrets.key", restored.stderr)
        shown = self.json("secrets", "list", env=other)["items"][0]
        self.assertEqual(shown["status"], "unreadable")
        self.assertIn("is missing", shown["problem"])
        flow = self.write({"name": "f", "steps": {"a": {"run": "echo $T", "env": {"T": "${{ secrets.FIRST }}"}},
                                                  "b": {"run": "true"}}}, "f.json")
        failed = self.json("run", flow, env=other, code=3)
        self.assertEqual({t["step"]: t["status"] for t in failed["tasks"]}, {"a": "failed", "b": "completed"})
        self.assertIn("cannot be opened", failed["tasks"][0]["error"]["message"])
        self.assertIn("put it back", self.set("SECOND", SECOND, code=6, env=other).stderr)
        (self.dir / "other" / "secrets.key").write_bytes(key.read_bytes())
        (self.dir / "other" / "secrets.key").chmod(0o600)
        done = self.json("run", flow, env=other)
        self.assertEqual(done["tasks"][0]["result"]["stdout"], "***\n")

    def test_they_are_of_a_namespace(self):
        self.server()
        self.baton("namespaces", "create", "team-a")
        self.baton("secrets", "set", "FIRST", "--namespace", "team-a", stdin=None, input=FIRST)
        self.assertEqual(self.json("secrets", "list")["items"], [])
        shown = self.json("secrets", "list", "--namespace", "team-a")["items"]
        self.assertEqual([secret["name"] for secret in shown], ["FIRST"])
        self.baton("secrets", "delete", "FIRST", code=5)
        self.baton("secrets", "delete", "FIRST", env={"BATON_NAMESPACE": "team-a"})
        self.assertDirectoryClean()

    def test_what_is_refused(self):
        self.assertIn("fewer than 4", self.set("FIRST", "abc\n", code=2).stderr)
        path = self.dir / "bytes"
        path.write_bytes(b"\xff\xfe\x00\x01")
        self.assertIn("base64", self.baton("secrets", "set", "FIRST", "--file", path, code=2).stderr)
        self.assertIn("name", self.set("a b", FIRST, code=2).stderr)
        self.assertIn("no secret", self.baton("secrets", "delete", "FIRST", code=5).stderr)
        self.set("FIRST", FIRST)
        self.assertIn('did you mean "FIRST"?', self.baton("secrets", "delete", "FRIST", code=5).stderr)
        self.assertFalse((self.data / "secrets.key").stat().st_mode & 0o077)

    def test_who_may(self):
        server = self.server()
        self.set("FIRST", FIRST)
        for role, reads, writes in (("viewer", 200, 403), ("operator", 200, 403), ("editor", 200, 403), ("admin", 200, 200)):
            key = self.baton("keys", "create", role + "-1", "--role", role).stdout.strip()
            auth = {"Authorization": f"Bearer {key}"}
            answer = self.ask(server, "/api/v1/secrets", **auth)
            self.assertEqual(answer.status, reads)
            self.assertClean("the list", answer.content)
            body = json.dumps({"value": SECOND})
            answer = self.ask(server, "/api/v1/secrets/SECOND", "PUT", body, **auth | {"Content-Type": "application/json"})
            self.assertEqual(answer.status, writes)
            self.assertClean("the answer", answer.content)
            self.assertEqual(self.ask(server, "/api/v1/secrets/NONE", "DELETE", **auth).status, 404 if writes == 200 else 403)

"""baton server and baton dev from their start to their end."""

import os
import signal
import socket

from server.server_case import ServerCase


class Lifecycle(ServerCase):
    def test_serves_both_ways_and_ends(self):
        server = self.server()
        self.assertEqual(self.ask(server, "/livez").status, 200)
        self.assertEqual(self.ask(server, "/readyz").status, 200)
        self.assertEqual(self.api().get("/api/v1/version")["pid"], server.pid)
        self.assertEqual(os.stat(self.data).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(self.data / "admin.key").st_mode & 0o777, 0o600)
        server.send_signal(signal.SIGTERM)
        self.ended(server)
        self.assertFalse((self.data / "baton.sock").exists())

    def test_tells_strangers_nothing(self):
        server = self.server()
        for path in ("/api/v1/runs", "/api/v1/version", "/nothing", "/livez/", "//livez", "/LIVEZ"):
            answer = self.ask(server, path)
            self.assertEqual(answer.status, 401, path)
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])

    def test_a_second_one_writes_nothing(self):
        self.server()
        before = {entry.name: entry.stat().st_mtime_ns for entry in self.data.iterdir()
                  if not entry.name.startswith("baton.db")}
        refused = self.baton("server", "--listen", "127.0.0.1:0", code=6)
        self.assertIn("owns the data directory", refused.stderr)
        after = {entry.name: entry.stat().st_mtime_ns for entry in self.data.iterdir()
                 if not entry.name.startswith("baton.db")}
        self.assertEqual(before, after)

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            refused = self.baton("server", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", code=6)
        self.assertIn("cannot listen on 127.0.0.1", refused.stderr)
        self.server()  # the directory is free again

    def test_others_need_tls(self):
        refused = self.baton("server", "--listen", "0.0.0.0:0", code=78)
        self.assertIn("tls.cert", refused.stderr)
        self.assertFalse(self.data.exists())
        self.assertIn("IP address", self.baton("server", "--listen", "example.org:1", code=2).stderr)
        self.assertIn("tls.key", self.baton("server", "--tls-cert", "x.pem", code=78).stderr)

    def test_what_runs_may_end(self):
        server = self.server()
        run = self.api().submit({"name": "slow", "steps": {"go": {"exec": list(map(str, self.gate("go")))},
                                                           "then": {"needs": ["go"], "run": "true"}}}, "k1")[1]
        self.eventually(lambda: self.tasks_by_name(run["id"])["go"]["status"] == "running", "the step")
        server.send_signal(signal.SIGTERM)
        self.eventually(lambda: self.ask(server, "/readyz").status == 503, "not ready any more")
        self.open_gate("go")
        self.ended(server)
        self.server()
        tasks = self.tasks_by_name(run["id"])
        self.assertEqual(tasks["go"]["status"], "completed")
        self.assertEqual(tasks["go"]["interrupted"], 0)

    def test_a_second_signal_ends_it_now(self):
        server = self.server()
        run = self.api().submit({"name": "slow", "steps": {"go": {"run": "sleep 1000"}}}, "k1")[1]
        self.eventually(lambda: self.tasks_by_name(run["id"])["go"]["status"] == "running", "the step")
        server.send_signal(signal.SIGTERM)
        self.eventually(lambda: self.ask(server, "/readyz").status == 503, "not ready any more")
        server.send_signal(signal.SIGTERM)
        self.ended(server)
        server = self.server()
        self.eventually(lambda: self.tasks_by_name(run["id"])["go"]["interrupted"] == 1, "the interruption")

    def test_reload_keeps_it(self):
        server = self.server()
        server.send_signal(signal.SIGHUP)
        self.eventually(lambda: "again" in self.said(server), "the reload")
        self.assertEqual(self.ask(server, "/livez").status, 200)

    def tasks_by_name(self, run):
        return {task["step"]: task for task in self.api().tasks(run)}


class Dev(ServerCase):
    def test_leaves_nothing(self):
        server = self.server(command="dev", env={"TMPDIR": str(self.dir)})
        data = server.facts["data_dir"]
        self.assertTrue(data.startswith(str(self.dir)))
        done = self.baton("start", "hello", "--watch", env={"BATON_DATA": data})
        self.assertIn("completed", done.stdout + done.stderr)
        server.send_signal(signal.SIGINT)
        self.ended(server)
        self.assertFalse(os.path.exists(data))

    def test_keeps_no_data(self):
        self.assertIn("baton server", self.baton("dev", "--data", self.data, code=2).stderr)

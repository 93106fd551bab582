"""Keys, roles, the command line from elsewhere, TLS, the audit: with the real program."""

import json
import os
import pathlib
import signal
import subprocess
import unittest

from harness.faults import change_database, copy_database
from server.server_case import ServerCase

FLOW = {"name": "flow", "inputs": {"who": {"type": "string", "default": "you"}},
        "steps": {"greet": {"exec": ["/bin/echo", "hello ${{ inputs.who }}"]}}}


class Access(ServerCase):
    def elsewhere(self, server, key=""):
        """The environment of somebody who has a URL and a key, and no data directory."""
        home = self.dir / "elsewhere"
        home.mkdir(exist_ok=True)
        return {"BATON_DATA": "", "HOME": str(home), "BATON_URL": server.facts["url"], "BATON_API_KEY": key}

    def key(self, name, role, *words):
        return self.baton("keys", "create", name, "--role", role, *words).stdout.strip()

    def admin_key(self):
        return (self.data / "admin.key").read_text().strip()


class Keys(Access):
    def test_the_first_key(self):
        server = self.server()
        key = self.admin_key()
        self.assertRegex(key, r"^baton_[0-9a-f]{64}$")
        everything_said = self.said(server) + self.said(server, "out")
        self.assertIn("admin.key", everything_said)
        self.assertNotIn(key, everything_said)
        self.assertEqual(self.ask(server, "/api/v1/runs", Authorization=f"Bearer {key}").status, 200)
        self.assertEqual(self.ask(server, "/api/v1/runs", **{"X-API-Key": key}).status, 200)
        self.assertEqual(self.ask(server, "/api/v1/runs", **{"X-API-Key": key[:-1] + "g"}).status, 401)

    def test_pages_elsewhere_may_send_every_header_that_the_api_has(self):
        server = self.server(env={"BATON_CORS_ORIGINS": "https://ops.example"})
        page = {"Origin": "https://ops.example"}
        asked = self.ask(server, "/api/v1/runs", "OPTIONS", **page, **{"Access-Control-Request-Method": "POST"})
        self.assertEqual((asked.status, asked.headers["Access-Control-Allow-Origin"]), (204, "https://ops.example"))
        may = {name.strip().lower() for name in asked.headers["Access-Control-Allow-Headers"].split(",")}
        key = {"X-API-Key": self.admin_key()}
        api = json.loads(self.ask(server, "/api/v1/openapi.json", **page, **key).content)
        places = [api["components"]["parameters"].values()]
        for path in api["paths"].values():
            places += [path.get("parameters", [])]
            places += [way.get("parameters", []) for method, way in path.items() if method != "parameters"]
        known = {one["name"].lower() for place in places for one in place if one.get("in") == "header"}
        self.assertIn("x-baton-namespace", known)
        # A session's page is of the server itself.
        self.assertEqual(known - may, {"x-csrf-token"} & known)
        other = self.ask(server, "/api/v1/runs", "OPTIONS", Origin="https://evil.example",
                         **{"Access-Control-Request-Method": "POST"})
        self.assertEqual((other.status, other.headers["Access-Control-Allow-Origin"]), (403, None))

    def test_the_first_key_stays_the_same_and_revoked(self):
        server = self.server()
        key = self.admin_key()
        server.send_signal(signal.SIGTERM)
        self.ended(server)
        server = self.server()
        self.assertEqual(self.admin_key(), key)
        self.baton("keys", "revoke", "admin")
        self.assertEqual(self.ask(server, "/api/v1/runs", **{"X-API-Key": key}).status, 401)
        server.send_signal(signal.SIGTERM)
        self.ended(server)
        server = self.server()
        self.assertEqual(self.ask(server, "/api/v1/runs", **{"X-API-Key": key}).status, 401)

    def test_a_start_that_was_killed_before_the_key_was_stored(self):
        self.data.mkdir(mode=0o700)
        key = "baton_" + "7" * 64
        (self.data / "admin.key").write_text(key + "\n")
        server = self.server()
        self.assertEqual(self.ask(server, "/api/v1/runs", **{"X-API-Key": key}).status, 200)

    def test_a_file_that_is_no_key(self):
        self.data.mkdir(mode=0o700)
        (self.data / "admin.key").write_text("secret\n")
        self.assertIn("admin.key", self.baton("server", "--listen", "127.0.0.1:0", code=78).stderr)

    def test_roles(self):
        server = self.server()
        viewer, editor = self.key("watch", "viewer"), self.key("make", "editor", "--expires", "1h")
        file = self.write(FLOW)
        self.assertIn("editor", self.baton("apply", file, env=self.elsewhere(server, viewer), code=4).stderr)
        self.baton("apply", file, env=self.elsewhere(server, editor))
        self.assertIn("flow", self.baton("workflows", "list", env=self.elsewhere(server, viewer)).stdout)
        self.assertIn("operator", self.baton("start", "flow", env=self.elsewhere(server, viewer), code=4).stderr)
        self.baton("keys", "list", env=self.elsewhere(server, editor), code=4)
        listed = self.json("keys", "list")["items"]
        self.assertEqual({key["name"]: key["role"] for key in listed},
                         {"admin": "admin", "make": "editor", "watch": "viewer"})
        self.assertTrue(all(text not in json.dumps(listed) for text in (viewer, editor)))
        self.assertIsNotNone(next(key for key in listed if key["name"] == "make")["expires_at"])
        self.baton("keys", "revoke", "make")
        self.assertIn("revoked", self.baton("apply", file, env=self.elsewhere(server, editor), code=4).stderr)
        self.baton("keys", "create", "watch", "--role", "admin", code=6)

    def test_an_operator_starts_what_is_stored(self):
        server = self.server()
        ops, editor = (self.elsewhere(server, self.key(role, role)) for role in ("operator", "editor"))
        # Its own PATH goes to the expression, and not to the step.
        file = self.write({"name": "flow", "steps": {"a": {"exec": ["echo", "${{ env.PATH }}"]}, "b": {"exec": ["false"], "needs": ["a"]}}})
        self.baton("apply", file, env=editor)
        path = os.environ["PATH"] + ":/evil"
        run = self.baton("start", "flow", env=ops | {"PATH": path}).stdout.strip()
        self.assertEqual(self.api().wait(run)["status"], "failed")
        self.assertEqual(self.baton("logs", run, "a", env=ops).stdout.strip(), path)
        self.assertIn("editor", self.baton("start", "flow", "--workdir", "/tmp", env=ops, code=4).stderr)
        letter = self.json("dead-letters", "list")["items"][0]["id"]
        other = ("--arguments", '{"action": ["touch", "%s"]}' % (self.dir / "mine"))
        self.assertIn("editor", self.baton("dead-letters", "replay", letter, *other, env=ops, code=4).stderr)
        self.assertIn("editor", self.baton("tasks", "retry", run + ".1", *other, env=ops, code=4).stderr)
        self.assertFalse((self.dir / "mine").exists())
        self.baton("tasks", "retry", run + ".1", "--with", "n=1", env=ops)
        self.assertEqual(self.api().wait(run)["status"], "failed")
        self.baton("tasks", "retry", run + ".1", *other, env=editor)
        self.assertEqual(self.api().wait(run)["status"], "completed")
        self.assertTrue((self.dir / "mine").exists())

    def test_no_key_stands_where_others_look(self):
        server = self.server()
        key = self.key("ci", "operator")
        self.baton("runs", "list", env=self.elsewhere(server, key))
        server.send_signal(signal.SIGTERM)
        self.ended(server)
        for path in self.data.rglob("*"):
            if path.is_file() and path.name != "admin.key":
                content = path.read_bytes()
                for text in (key, self.admin_key()):
                    self.assertNotIn(text.encode(), content, path)


class Elsewhere(Access):
    def test_the_same_commands(self):
        server = self.server()
        there = self.elsewhere(server, self.key("dev", "editor"))
        file = self.write(FLOW)
        done = self.baton("run", file, "--input", "who=Ada", "--output", "json", env=there)
        run = json.loads(done.stdout)["run"]
        self.assertEqual(run["status"], "completed")
        self.assertEqual(self.api().run(run["id"])["status"], "completed")
        self.assertIn("hello Ada", self.baton("logs", run["id"], "greet", env=there).stdout)
        self.baton("apply", file, env=there)
        started = self.baton("start", "flow", env=there).stdout.strip()
        self.assertEqual(self.api().wait(started)["status"], "completed")
        mine = self.baton("runs", "list", "--output", "json", env=there).stdout
        self.assertEqual(json.loads(mine), self.json("runs", "list"))
        self.assertIn("key:dev", self.baton("runs", "history", started, env=there).stdout)

    def test_nothing_of_this_machine_goes_along(self):
        server = self.server()
        there = self.elsewhere(server, self.key("dev", "editor"))
        file = self.write({"name": "where", "steps": {"a": {"run": "pwd; echo $HOME; echo $LANG"}}})
        run = json.loads(self.baton("run", file, "--output", "json", env=there | {"LANG": "xx_XX"}).stdout)["run"]
        said = self.baton("logs", run["id"], "a", env=there).stdout
        self.assertIn(str(self.data / "scratch"), said)
        self.assertNotIn("elsewhere", said)
        self.assertNotIn("xx_XX", said)

    def test_contexts(self):
        server = self.server()
        key = self.key("dev", "operator")
        there = self.elsewhere(server) | {"BATON_URL": "", "BATON_API_KEY": ""}
        (self.dir / "key").write_text(key + "\n")
        self.baton("context", "add", "prod", "--url", server.facts["url"], "--key-file", self.dir / "key", env=there)
        self.baton("runs", "list", env=there)
        file = next(pathlib.Path(there["HOME"]).rglob("contexts.json"))
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        listed = self.baton("context", "list", env=there).stdout
        self.assertIn("prod", listed)
        self.assertNotIn(key, listed)
        self.assertIn("context prod", self.baton("config", "show", env=there).stdout)
        self.baton("context", "use", "pord", env=there, code=5)
        self.baton("context", "use", "local", env=there)
        self.assertNotIn("context prod", self.baton("config", "show", env=there).stdout)
        self.baton("context", "use", "prod", env=there)
        self.baton("context", "remove", "prod", env=there)
        self.assertNotIn("prod", self.baton("context", "list", env=there).stdout)

    def test_the_servers_own_user_needs_no_key(self):
        server = self.server()
        self.baton("runs", "list", "--url", server.facts["url"])
        refused = self.baton("runs", "list", env=self.elsewhere(server), code=4)
        self.assertIn("BATON_API_KEY", refused.stderr)

    def test_nobody_there(self):
        self.assertIn("127.0.0.1:1", self.baton("runs", "list", "--url", "http://127.0.0.1:1", code=8).stderr)
        self.baton("runs", "list", "--url", "ftp://x", code=2)


class Tls(Access):
    def certificate(self, name, cn="localhost"):
        pem, key = self.dir / f"{name}.pem", self.dir / f"{name}.key"
        done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                               "-keyout", key, "-out", pem, "-days", "2", "-subj", f"/CN={cn}", "-addext",
                               "subjectAltName=DNS:localhost,IP:127.0.0.1"], capture_output=True, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest("no openssl program")
        return pem, key

    def test_certificates_and_their_renewal(self):
        pem, key = self.certificate("server")
        server = self.server("--tls-cert", pem, "--tls-key", key)
        server.certificate = pem
        self.assertTrue(server.facts["url"].startswith("https://"))
        answer = self.ask(server, "/livez")
        self.assertEqual(answer.status, 200)
        self.assertIn("max-age", answer.headers["Strict-Transport-Security"])
        there = self.elsewhere(server, self.key("dev", "viewer"))
        self.baton("runs", "list", env=there | {"BATON_CA_FILE": str(pem)})
        self.assertIn("not trusted", self.baton("runs", "list", env=there, code=8).stderr)
        old = self.dir / "old.pem"
        old.write_bytes(pem.read_bytes())
        new, new_key = self.certificate("new")
        pem.write_bytes(b"broken")
        server.send_signal(signal.SIGHUP)
        self.eventually(lambda: "stay in use" in self.said(server), "the refusal")
        self.baton("runs", "list", env=there | {"BATON_CA_FILE": str(old)})
        pem.write_bytes(new.read_bytes())
        key.write_bytes(new_key.read_bytes())
        server.send_signal(signal.SIGHUP)
        self.eventually(lambda: "again" in self.said(server), "the reload")
        self.baton("runs", "list", env=there | {"BATON_CA_FILE": str(new)})


class Audit(Access):
    def change_something(self):
        server = self.server()
        self.baton("limits", "set", "gpu", "4", "--reason", "new machine")
        self.baton("limits", "set", "gpu", "8", env=self.elsewhere(server, self.key("ops", "editor")))
        return server

    def test_who_what_where(self):
        self.change_something()
        self.baton("limits", "delete", "nothing", code=5)  # changes nothing
        entries = [{key: entry[key] for key in ("actor", "from", "action", "target")}
                   for entry in reversed(self.json("audit", "list")["items"])]
        user = entries[1]["actor"]
        self.assertTrue(user.startswith("cli:"), user)
        self.assertEqual(entries, [
            {"actor": "server", "from": "server", "action": "create_key", "target": "admin"},
            {"actor": user, "from": "socket", "action": "set_limit", "target": "gpu"},
            {"actor": user, "from": "socket", "action": "create_key", "target": "ops"},
            {"actor": "key:ops", "from": "127.0.0.1", "action": "set_limit", "target": "gpu"}])
        self.assertIn("the chain holds", self.baton("audit", "verify").stdout)

    def test_tampering_is_seen(self):
        server = self.change_something()
        server.send_signal(signal.SIGTERM)
        self.ended(server)
        nth = "(SELECT key FROM record WHERE kind = 15 ORDER BY key LIMIT 1 OFFSET {})"
        for number, (statement, word) in enumerate((
                ("DELETE FROM record WHERE kind = 15 AND key = " + nth.format(1), "behind entry 1"),
                ("UPDATE record SET at = at + 1 WHERE kind = 15 AND key = " + nth.format(3), "was changed"),
                ("DELETE FROM record WHERE kind = 15 AND key = " + nth.format(3), "4 were written"),
                ("DELETE FROM record WHERE kind = 16", "head"))):
            data = self.dir / f"tampered{number}"
            copy_database(self.data, data)
            change_database(data / "baton.db", statement)
            done = self.baton("audit", "verify", "--data", data, code=74)
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    unittest.main()

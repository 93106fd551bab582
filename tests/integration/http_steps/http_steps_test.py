"""Steps of kind `http` against real servers."""

import http.server
import json
import ssl
import subprocess
import threading
import unittest

from harness.case import PATIENCE, BatonCase


class Service:
    """A server that answers as `answers[path]` says: (status, headers, body), or a function of the request."""

    def __init__(self, answers, context=None):
        self.requests = []
        self.arrived = threading.Event()
        self.released = threading.Event()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.requests.append((self.command, self.path, dict(self.headers), body))
                status, headers, body = answers[self.path.split("?")[0]](service)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that goes away, or refuses the certificate, is what is tested

        self.server = Server(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if context:
            self.scheme = "https"
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path, host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.server.server_port}{path}"

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def ok(value):
    return lambda _: (200, {"Content-Type": "application/json"}, json.dumps(value).encode())


class HttpTest(BatonCase):
    def service(self, answers, context=None):
        service = Service(answers, context)
        self.addCleanup(service.close)
        return service

    def run_steps(self, steps, code=0, **options):
        """{step: task} of a run of these steps."""
        path = self.dir / "workflow.json"
        path.write_text(json.dumps({"name": "http", "steps": steps} | options))
        output = json.loads(self.baton("run", path, "--output", "json", code=code).stdout)
        return {task["step"]: task for task in output["tasks"]}

    def test_values_go_out_and_come_back(self):
        service = self.service({"/ask": ok({"score": 0.5, "tags": ["a", "b"]}), "/store": ok(None)})
        tasks = self.run_steps({
            "ask": {"http": {"url": service.url("/ask"), "query": {"q": "a b&c"}, "json": {"text": "hällo"}},
                    "response_schema": {"type": "object", "required": ["score"]}},
            "store": {"needs": ["ask"], "for_each": "${{ steps.ask.result.body.tags }}",
                      "http": {"url": service.url("/store"), "method": "PUT",
                               "form": {"tag": "${{ item }}", "score": "${{ steps.ask.result.body.score }}"}}},
        })
        self.assertEqual(tasks["ask"]["result"]["body"], {"score": 0.5, "tags": ["a", "b"]})
        command, path, headers, body = service.requests[0]
        self.assertEqual((command, path, json.loads(body)), ("POST", "/ask?q=a%20b%26c", {"text": "hällo"}))
        self.assertEqual(headers["Idempotency-Key"], tasks["ask"]["id"])
        self.assertEqual({(command, body) for command, _, _, body in service.requests[1:]},
                         {("PUT", b"tag=a&score=0.5"), ("PUT", b"tag=b&score=0.5")})

    def test_failures_and_retries(self):
        def busy(service):
            count = sum(path == "/busy" for _, path, _, _ in service.requests)
            return (503, {"Retry-After": "0"}, b"") if count < 3 else (200, {}, b"done")

        service = self.service({
            "/busy": busy,
            "/missing": lambda _: (404, {"Content-Type": "text/plain"}, b"no such thing"),
            "/ok": ok({"n": "three"}),
        })
        retry = {"max_attempts": 5, "initial": "1ms"}
        tasks = self.run_steps({
            "busy": {"http": {"url": service.url("/busy"), "method": "POST"}, "retry": retry},
            "missing": {"http": {"url": service.url("/missing?token=hunter2")}, "retry": retry},
            "schema": {"http": {"url": service.url("/ok")}, "retry": retry,
                       "response_schema": {"properties": {"n": {"type": "integer"}}}},
            "denied": {"http": {"url": "http://169.254.169.254/latest/meta-data/"}, "retry": retry},
        }, code=3)
        self.assertEqual([tasks[step]["attempts"] for step in ("busy", "missing", "schema", "denied")], [3, 1, 1, 1])
        self.assertEqual(tasks["busy"]["status"], "completed")
        self.assertEqual(len({headers["Idempotency-Key"] for _, path, headers, _ in service.requests if path == "/busy"}), 1)
        self.assertEqual(tasks["missing"]["error"]["type"], "http")
        self.assertIn("404 Not Found: no such thing", tasks["missing"]["error"]["message"])
        self.assertNotIn("hunter2", tasks["missing"]["error"]["message"])
        self.assertNotIn("hunter2", self.baton("logs", tasks["missing"]["id"]).stdout)
        self.assertEqual(tasks["schema"]["error"]["type"], "validation")
        self.assertIn('at "/n"', tasks["schema"]["error"]["message"])
        self.assertEqual(tasks["denied"]["error"]["type"], "connection")
        self.assertIn("is denied", tasks["denied"]["error"]["message"])

    def test_a_silent_server_runs_out_of_time(self):
        def silent(service):
            service.released.wait(PATIENCE)
            return 200, {}, b""

        service = self.service({"/": silent})
        task = self.run_steps({"wait": {"http": {"url": service.url("/")}, "timeout": "50ms"}}, code=3)["wait"]
        self.assertEqual(task["error"]["type"], "timeout")

    def test_a_request_under_way_when_its_owner_is_killed_is_sent_again(self):
        def hold_the_first(service):
            if len(service.requests) == 1:
                service.arrived.set()
                service.released.wait(PATIENCE)
            return 200, {"Content-Type": "application/json"}, b'"done"'

        service = self.service({"/": hold_the_first})
        path = self.dir / "workflow.json"
        path.write_text(json.dumps({"name": "http", "steps": {"a": {"http": {"url": service.url("/"), "json": 1}}}}))
        process = self.start("run", path, "--output", "json")
        self.assertTrue(service.arrived.wait(PATIENCE))
        process.kill()
        process.wait()
        run = self.json("runs", "list")["items"][0]["id"]
        done = json.loads(self.baton("run", "--resume", run, "--output", "json").stdout)
        self.assertEqual(done["run"]["status"], "completed")
        self.assertEqual(done["tasks"][0]["result"]["body"], "done")
        self.assertEqual(len({headers["Idempotency-Key"] for _, _, headers, _ in service.requests}), 1)
        self.assertEqual(len(service.requests), 2)

    def test_tls(self):
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
             self.dir / "key.pem", "-out", self.dir / "ca.pem", "-subj", "/CN=test", "-addext",
             "subjectAltName=DNS:localhost", "-days", "2"], capture_output=True, check=False)
        if made.returncode != 0:
            self.skipTest("openssl's command line is needed to make a certificate")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.dir / "ca.pem", self.dir / "key.pem")
        service = self.service({"/": ok("secure")}, context)
        tasks = self.run_steps({
            "trusted": {"http": {"url": service.url("/", "localhost"), "tls": {"ca": "ca.pem"}}},
            "stranger": {"http": {"url": service.url("/", "localhost")}},
            "wrong_host": {"http": {"url": service.url("/"), "tls": {"ca": "ca.pem"}}},
            "careless": {"http": {"url": service.url("/"), "tls": {"verify": False}}},
        }, code=3)
        self.assertEqual({step: task["status"] for step, task in tasks.items()},
                         {"trusted": "completed", "stranger": "failed", "wrong_host": "failed", "careless": "completed"})
        self.assertIn("self-signed", tasks["stranger"]["error"]["message"])
        self.assertIn("mismatch", tasks["wrong_host"]["error"]["message"])

    def test_egress_is_configured(self):
        service = self.service({"/": ok(1)})
        steps = {"a": {"http": {"url": service.url("/")}}}
        self.env["BATON_EGRESS_DENY"] = "127.0.0.0/8"
        self.assertIn("127.0.0.1 is denied (127.0.0.0/8)", self.run_steps(steps, code=3)["a"]["error"]["message"])
        self.env["BATON_EGRESS_ALLOW"] = "127.0.0.1"
        self.assertEqual(self.run_steps(steps)["a"]["status"], "completed")
        shown = {row["name"]: row for row in self.json("config", "show")["items"]}
        self.assertIn("127.0.0.0/8", shown["egress.deny"]["value"])
        self.assertIn("169.254.0.0/16", shown["egress.deny"]["value"])
        self.assertEqual(shown["egress.allow"]["origin"], "environment BATON_EGRESS_ALLOW")


if __name__ == "__main__":
    unittest.main()

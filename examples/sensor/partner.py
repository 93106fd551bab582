#!/usr/bin/python3
"""partner.py LOG: a partner's service on a free port of loopback, which makes exports in its own time.

    POST /exports {"month": "2026-10"} → {"id": "e1"}      GET /exports/e1 → {"state": …, "progress": …}
    POST /exports/e1/release                               GET /exports/e1/rows → {"rows": […]}

An export advances each time somebody asks for it, up to 60 %; from there only when it was released. The month "never" stays
at 60 %. Prints its port when it listens; writes one line of JSON per request to LOG.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        with self.server.lock:
            self.note()
            if self.path == "/exports":
                # The same key is the same request, sent again: it makes no second export.
                key = self.headers["Idempotency-Key"]
                export = self.server.exports.setdefault(key, {"id": f"e{len(self.server.exports) + 1}", "progress": 0,
                                                              "month": body["month"], "released": False})
                self.answer(201, {"id": export["id"]})
            elif (export := self.export()) and self.path.endswith("/release"):
                export["released"] = True
                self.answer(200, {"released": True})
            else:
                self.answer(404, {"error": "no such export"})

    def do_GET(self):
        with self.server.lock:
            self.note()
            export = self.export()
            if not export:
                return self.answer(404, {"error": "no such export"})
            if self.path.endswith("/rows"):
                rows = [{"day": f"{export['month']}-{day:02}", "visitors": day * 37 % 101} for day in range(1, 29)]
                return self.answer(200 if export["progress"] == 100 else 409, {"rows": rows})
            limit = 100 if export["released"] and export["month"] != "never" else 60
            export["progress"] = min(limit, export["progress"] + 20)
            self.answer(200, {"state": "ready" if export["progress"] == 100 else "running", "progress": export["progress"]})

    def export(self):
        return next((e for e in self.server.exports.values() if self.path.split("/")[2:3] == [e["id"]]), None)

    def note(self):
        self.server.log.write(json.dumps([self.command, self.path]) + "\n")
        self.server.log.flush()

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.log, server.lock, server.exports = open(sys.argv[1], "a", encoding="utf-8"), threading.Lock(), {}
    print(server.server_port, flush=True)
    server.serve_forever()


main()

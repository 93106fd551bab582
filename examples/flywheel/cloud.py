#!/usr/bin/python3
"""cloud.py LOG [GPUS]: a place to deploy models to, with one GPU unless said otherwise, on a free port of loopback.

    POST   /deployments {"name", "model"} → {"url"}   starts a model server (model_server.py, a process of its own); the
                                                       same name again gets the same server; 409 without a free GPU
    DELETE /deployments/NAME                           stops it; 404 if there is none
    GET    /deployments → {"items": […]}

While the file LOG.hold exists, a deployment is made but its answer is kept back until the caller has gone. Prints its port
when it listens; writes one line of JSON per event to LOG; ends its servers when it ends.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model_server.py")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            deployment = self.server.deployments.get(body["name"])
            if deployment is None and len(self.server.deployments) >= self.server.gpus:
                self.server.note("busy", body["name"])
                return self.answer(409, {"error": "no GPU is free"})
            if deployment is None:
                process = subprocess.Popen([sys.executable, "-B", SERVER, body["model"]], stdout=subprocess.PIPE, text=True)
                deployment = {"url": f"http://127.0.0.1:{process.stdout.readline().strip()}", "process": process}
                self.server.deployments[body["name"]] = deployment
                self.server.note("deployed", body["name"])
        if os.path.exists(self.server.log_path + ".hold"):
            select.select([self.connection], [], [], 60)  # readable when the caller has gone
            self.close_connection = True
            return None
        return self.answer(201, {"url": deployment["url"]})

    def do_DELETE(self):
        name = self.path.removeprefix("/deployments/")
        with self.server.lock:
            deployment = self.server.deployments.pop(name, None)
            if deployment is None:
                return self.answer(404, {"error": "no such deployment"})
            stop(deployment)
            self.server.note("stopped", name)
        return self.answer(200, {"stopped": name})

    def do_GET(self):
        with self.server.lock:
            self.answer(200, {"items": [{"name": n, "url": d["url"]} for n, d in self.server.deployments.items()]})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Cloud(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, log, gpus):
        super().__init__(("127.0.0.1", 0), Handler)
        self.gpus, self.deployments, self.lock = gpus, {}, threading.Lock()
        self.log_path, self.log = log, open(log, "a", encoding="utf-8")

    def note(self, event, name):
        self.log.write(json.dumps({"at": time.time(), "event": event, "name": name}) + "\n")
        self.log.flush()


def stop(deployment):
    deployment["process"].terminate()
    deployment["process"].wait()
    deployment["process"].stdout.close()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    cloud = Cloud(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    try:
        print(cloud.server_port, flush=True)
        cloud.serve_forever()
    finally:
        for deployment in cloud.deployments.values():
            stop(deployment)


main()

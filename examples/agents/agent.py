#!/usr/bin/python3
"""agent.py NAME LOG [FLAKY [SEED]]: one of three agents, `nlp`, `data` or `viz`, on a free port of loopback.

    nlp    POST /understand {"query"} → {"metric", "by"}     POST /answer {"query"} → {"text"}
    data   POST /rows {"metric", "by"} → {"rows"}
    viz    POST /chart {"rows", "title"} → {"svg"}
    all    GET /health → {"state"}

FLAKY percent of the requests, chosen by SEED, fail: with 503, with 500, or without an answer; none does while the file
LOG.steady exists. While LOG.outage exists, all requests are answered with 503. Prints its port when it listens; writes one
line of JSON per request to LOG.
"""

import json
import os
import random
import re
import sys
import threading
import time
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SALES = {"coffee": {"north": 120, "south": 340, "east": 95}, "tea": {"north": 210, "south": 80, "east": 160}}


def understand(body):
    query = body["query"].lower()
    metric = next((name for name in SALES if name in query), "coffee")
    return {"metric": metric, "by": "region"}


def answer(body):
    metric = understand(body)["metric"]
    return {"text": f"{sum(SALES[metric].values())} cups of {metric}"}


def rows(body):
    return {"rows": [{"region": region, "cups": cups} for region, cups in SALES[body["metric"]].items()]}


def chart(body):
    bars = "".join(f'<rect y="{20 * i}" height="16" width="{row["cups"]}"/><text x="4" y="{20 * i + 12}">'
                   f"{escape(row['region'])}</text>" for i, row in enumerate(body["rows"]))
    return {"svg": f'<svg xmlns="http://www.w3.org/2000/svg"><title>{escape(body["title"])}</title>{bars}</svg>'}


SKILLS = {"nlp": {"/understand": understand, "/answer": answer}, "data": {"/rows": rows}, "viz": {"/chart": chart}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200 if not self.server.outage() else 503, {"state": "up" if not self.server.outage() else "down"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        skill = self.server.skills.get(self.path)
        fault = self.server.next_fault()
        if skill is None:
            self.answer(404, {"error": f"this agent cannot {re.sub('[^a-z]', '', self.path)}"})
        elif fault == "dropped":
            self.server.note(self.path, fault)
            self.close_connection = True
        elif fault:
            self.answer(fault, {"error": "try again"})
        else:
            self.answer(200, skill(body))

    def answer(self, status, value):
        self.server.note(self.path, status)
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Agent(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name, log, flaky, seed):
        super().__init__(("127.0.0.1", 0), Handler)
        self.skills = SKILLS[name]
        self.log_path, self.log = log, open(log, "a", encoding="utf-8")
        self.flaky, self.chance = flaky, random.Random(f"{name} {seed}")
        self.lock = threading.Lock()

    def outage(self):
        return os.path.exists(self.log_path + ".outage")

    def next_fault(self):
        with self.lock:
            fails, how = self.chance.random() * 100 < self.flaky, self.chance.choice([503, 500, "dropped"])
        if self.outage():
            return 503
        return how if fails and not os.path.exists(self.log_path + ".steady") else None

    def note(self, path, answer):
        with self.lock:
            outage = {"outage": True} if self.outage() else {}
            self.log.write(json.dumps({"at": time.time(), "path": path, "answer": answer} | outage) + "\n")
            self.log.flush()


def main():
    name, log = sys.argv[1:3]
    flaky = float(sys.argv[3]) if len(sys.argv) > 3 else 0
    seed = sys.argv[4] if len(sys.argv) > 4 else "1"
    agent = Agent(name, log, flaky, seed)
    print(agent.server_port, flush=True)
    agent.serve_forever()


main()

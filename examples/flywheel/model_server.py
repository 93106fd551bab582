#!/usr/bin/python3
"""model_server.py MODEL: serves a model that tells what a customer wants, on a free port of loopback.

    GET /health → {"ready"}      POST /adapter {"path"}: takes a fine-tuned model
    POST /classify {"texts", "adapter"} → {"intents"}: by the base model, or by the adapter

The base model knows some words; an adapter is the naive Bayes classifier that steps/customize.py made. Prints its port.
"""

import collections
import json
import math
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BASE = {"keywords": {"refund": "refund", "money": "refund", "broken": "repair", "deliver": "delivery"}, "else": "delivery"}


def classify_base(text):
    return next((intent for word, intent in BASE["keywords"].items() if word in text), BASE["else"])


def classify_bayes(adapter, text):
    def likelihood(intent):
        words = collections.Counter(adapter["words"][intent])
        total = sum(words.values()) + adapter["vocabulary"]
        return math.log(adapter["priors"][intent]) + sum(math.log((words[word] + 1) / total) for word in text.split())
    return max(sorted(adapter["priors"]), key=likelihood)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer({"ready": True, "model": sys.argv[1]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/adapter":
            with open(body["path"], encoding="utf-8") as file:
                self.server.adapter = json.load(file)
            self.answer({"adapter": body["path"]})
        else:
            by = (lambda text: classify_bayes(self.server.adapter, text)) if body["adapter"] else classify_base
            self.answer({"intents": [by(text.lower()) for text in body["texts"]]})

    def answer(self, value):
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


main()

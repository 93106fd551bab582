#!/usr/bin/python3
"""shop_api.py LOG [SEED]: a shop's API on a free port of loopback, which fails as real ones do.

    GET /pages → {"pages": [1, …]}    GET /orders?page=1 → {"page": 1, "orders": […]}    GET /rates → {"EUR": 1, …}

Before it answers right, each page of orders may answer with 503 and Retry-After, with 500, with JSON that breaks off, not
before the client gives up, or not at all; which, and how often, follows from SEED. Prints its port when it listens; writes
one line of JSON per request to LOG; ends by a signal.
"""

import json
import random
import select
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGES = range(1, 13)
FAULTS = ["busy", "broken", "truncated", "slow", "dropped"]
RATES = {"EUR": 1, "GBP": 0.86, "USD": 1.09}


def orders_of(page):
    """25 orders, some of which no warehouse should take."""
    chance = random.Random(f"orders of {page}")
    orders = []
    for number in range(25):
        order = {"id": page * 1000 + number, "day": f"2026-11-{chance.randrange(1, 21):02}", "amount":
                 chance.randrange(100, 50_000) / 100, "currency": chance.choice(["EUR", "EUR", "USD", "GBP"])}
        damage = chance.randrange(40)
        if damage == 0:
            order["amount"] = -order["amount"]
        elif damage == 1:
            order["currency"] = "XXX"
        elif damage == 2:
            del order["day"]
        orders.append(order)
    return orders


class Shop:
    """What is still to go wrong, and the log."""

    def __init__(self, log, seed):
        chance = random.Random(seed)
        self.faults = {page: chance.choices(FAULTS, k=chance.choice([0, 1, 1, 2])) for page in PAGES}
        self.log = open(log, "a", encoding="utf-8")
        self.lock = threading.Lock()

    def next_fault(self, page):
        with self.lock:
            return self.faults[page].pop() if self.faults[page] else None

    def note(self, path, answer):
        with self.lock:
            self.log.write(json.dumps({"at": time.time(), "path": path, "answer": answer}) + "\n")
            self.log.flush()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/pages":
            self.answer(200, {"pages": list(PAGES)})
        elif url.path == "/rates":
            self.answer(200, RATES)
        elif url.path == "/orders":
            self.orders(int(urllib.parse.parse_qs(url.query)["page"][0]))
        else:
            self.answer(404, {"error": "no such resource"})

    def orders(self, page):
        fault = self.server.shop.next_fault(page)
        content = {"page": page, "orders": orders_of(page)}
        if fault == "busy":
            self.answer(503, {"error": "busy"}, note=fault, headers={"Retry-After": "1"})
        elif fault == "broken":
            self.answer(500, {"error": "internal error"}, note=fault)
        elif fault == "truncated":
            self.answer(200, content, note=fault, cut=40)
        elif fault == "slow":
            self.server.shop.note(self.path, fault)
            select.select([self.connection], [], [], 60)  # readable when the client has gone
            self.close_connection = True
        elif fault == "dropped":
            self.server.shop.note(self.path, fault)
            self.close_connection = True
        else:
            self.answer(200, content)

    def answer(self, status, value, note="right", headers=None, cut=0):
        body = json.dumps(value).encode()
        body = body[:len(body) - cut]
        self.server.shop.note(self.path, note)
        self.send_response(status)
        for name, content in {"Content-Type": "application/json", "Content-Length": len(body), **(headers or {})}.items():
            self.send_header(name, str(content))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.shop = Shop(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "6")
    print(server.server_port, flush=True)
    server.serve_forever()


main()

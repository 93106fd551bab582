#!/usr/bin/env python3
"""How quickly a server lists runs when many are stored: `GET /api/v1/runs` with the filters that people use, over its socket.

    python3 -B bench/lists/lists.py [--runs 10000000] [--requests 500] [--folder DIR] [--keep]

Builds nothing: needs build/release/baton and build/release/bench/lists/lists_generate (or what --baton and --generate say). First
stores the runs (about 0.3 KB and 10 µs each), then starts a real server on them, then asks: each filter so many
times, pages of 100, with a random workflow, job or place in the list. Prints median, p99 and longest, in milliseconds,
with an empty request as the floor; then the same for all of them with 4 connections at once.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

ROOT = pathlib.Path(__file__).resolve().parents[2]
BYTES_PER_RUN = 320


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=600)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Asker:
    def __init__(self, path, seed):
        self.connection = Connection(path)
        self.random = random.Random(seed)

    def get(self, path, **query):
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        began = time.perf_counter()
        self.connection.request("GET", target)
        answer = self.connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            sys.exit(f"{target}: {answer.status} {body[:300]!r}")
        return took, body


def ago(days):
    return (datetime.now(timezone.utc) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def filters(runs):
    """Name → what to ask, made anew for each request."""
    def etl(r):
        return f"etl-{r.randint(1, 50)}"

    def anywhere(r):
        return {"where": f'created_at < timestamp("{ago(r.uniform(0, 10))}")'}

    return {
        "all, newest": lambda r: {},
        "all, older than an instant": anywhere,
        "an hour of them": lambda r: {"where": (lambda d: f'created_at >= timestamp("{ago(d)}") && created_at < '
                                                f'timestamp("{ago(d - 1 / 24)}")')(r.uniform(1, 10))},
        "status=failed": lambda r: {"status": "failed"},
        "status=completed": lambda r: {"status": "completed"},
        "status=cancelled": lambda r: {"status": "cancelled"},
        "state=active": lambda r: {"state": "active"},
        "state=recoverable": lambda r: {"state": "recoverable"},
        "workflow=W": lambda r: {"workflow": etl(r)},
        "workflow=W, status=failed": lambda r: {"workflow": etl(r), "status": "failed"},
        "workflow=W, status=completed": lambda r: {"workflow": etl(r), "status": "completed"},
        "workflow=broken, status=completed (none)": lambda r: {"workflow": "broken", "status": "completed"},
        "workflow=W, older, failed": lambda r: {"where": f'workflow == "{etl(r)}" && status == "failed" && '
                                                f'created_at < timestamp("{ago(r.uniform(0, 10))}")'},
        "job_id=J": lambda r: {"job_id": f"job-{r.randrange(max(1, runs // 100))}"},
        "job_id=J (none)": lambda r: {"job_id": "nothing"},
    }


def line(name, times):
    times = sorted(times)
    print(f"{name:<44}{statistics.median(times):>10.2f}{times[int(len(times) * 0.99)]:>10.2f}{times[-1]:>10.2f}", flush=True)


def pages(asker, requests):
    """From page to page by cursors."""
    times, cursor = [], None
    for _ in range(requests):
        took, page = asker.get("/api/v1/runs", limit=100, **({"cursor": cursor} if cursor else {}))
        times.append(took)
        cursor = json.loads(page)["next"]
        if cursor is None:
            break
    return times


def measure(path, runs, requests):
    asker = Asker(path, 1)
    line("empty request (floor)", [asker.get("/livez")[0] for _ in range(requests)])
    some = filters(runs)
    for name, query in some.items():
        line(name, [asker.get("/api/v1/runs", limit=100, **query(asker.random))[0] for _ in range(requests)])
    line("page after page", pages(asker, requests))
    together, lock = [], threading.Lock()

    def mixed(seed):
        own = Asker(path, seed)
        times = []
        for _ in range(requests):
            query = own.random.choice(list(some.values()))
            times.append(own.get("/api/v1/runs", limit=100, **query(own.random))[0])
        with lock:
            together.extend(times)

    threads = [threading.Thread(target=mixed, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    line("all of these, 4 at once", together)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000_000)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--folder", help="on the disk that counts; else a temporary one")
    parser.add_argument("--keep", action="store_true", help="leave the data; a folder that has them is used again")
    parser.add_argument("--baton", default=ROOT / "build/release/baton")
    parser.add_argument("--generate", default=ROOT / "build/release/bench/lists/lists_generate")
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.folder or tempfile.mkdtemp(prefix="baton-lists-"))
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"runs-{arguments.runs}"
    if not data.exists():
        needed = arguments.runs * BYTES_PER_RUN * 1.2 + (1 << 30)
        if shutil.disk_usage(folder).free < needed:
            sys.exit(f"{folder} needs {needed / 1e9:.0f} GB of free space")
        began = time.monotonic()
        subprocess.run([arguments.generate, data, str(arguments.runs)], check=True)
        took = time.monotonic() - began
        size = sum(entry.stat().st_size for entry in data.iterdir())
        print(f"{arguments.runs} runs stored in {took:.0f} s, {size / arguments.runs:.0f} bytes each")
    env = os.environ | {"BATON_DATA": str(data), "BATON_RETENTION_COMPLETED": "0", "BATON_RETENTION_FAILED": "0"}
    server = subprocess.Popen([arguments.baton, "server", "--no-worker", "--listen", "127.0.0.1:0", "--output", "jsonl"], env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        began = time.monotonic()
        facts = json.loads(server.stdout.readline())
        print(f"the server is ready after {(time.monotonic() - began) * 1000:.0f} ms\n")
        print(f"{'GET /api/v1/runs, 100 a page':<44}{'median':>10}{'p99':>10}{'longest':>10}   ms")
        measure(facts["socket"], arguments.runs, arguments.requests)
    finally:
        server.terminate()
        server.wait()
        if not arguments.keep:
            shutil.rmtree(folder)


main()

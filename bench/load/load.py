#!/usr/bin/env python3
"""How a server behaves as load grows: a real server over TCP, a C++ worker that does nothing, every commit durable.

    BATON_BIN=build/release/baton python3 bench/load/load.py cost    [--sizes 1000 10000 100000 1000000]
    BATON_BIN=build/release/baton python3 bench/load/load.py latency [--parts 10 30 50 70 90] [--seconds 10]

`cost`: so many one-step runs are submitted while no worker is there, then worked off: memory (PSS) and bytes of the file per run
that waits, CPU of server and worker per task, tasks per second. Each size has a server of its own.

`latency`: runs arrive by a clock that does not wait for the server, in parts of the rate that it managed before: from the moment at
which a run was to be submitted until its end is decided. What arrives within five milliseconds is one request. An answer that is late
delays no arrival.

`floor` is the append and sync of 4 KiB, in the same run.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import queue
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

BATCH = 1000
TICK = 0.005


def floor(folder, times=200):
    """Microseconds, the median."""
    path = pathlib.Path(folder) / "floor"
    took = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(times):
            begun = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begun)
    path.unlink()
    return statistics.median(took) * 1e6


def cpu_of(pid):
    """Seconds that the process's threads have run."""
    total = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((thread / "schedstat").read_text("ascii").split()[0])
    return total / 1e9


def memory_of(pid):
    """Bytes (PSS)."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


class Stack:
    """A server with a directory of its own, and a worker once it is asked for."""

    def __init__(self, binary, folder):
        self.folder = pathlib.Path(folder)
        self.binary = binary
        self.worker = None
        self.environment = {"HOME": folder, "PATH": os.environ.get("PATH", "")}
        self.server = subprocess.Popen(
            [binary, "server", "--no-worker", "--data", str(self.folder / "data"), "--listen", "127.0.0.1:0", "--output", "jsonl"],
            stdout=subprocess.PIPE, stderr=open(self.folder / "server.log", "w", encoding="utf-8"), env=self.environment, text=True)
        facts = json.loads(self.server.stdout.readline())
        self.url = facts["url"]
        self.environment["BATON_API_KEY"] = pathlib.Path(facts["admin_key"]).read_text("ascii").strip()
        definition = {"name": "one", "steps": {"a": {"task": "bench.noop"}}}
        self.call(self.connect(), "POST", "/api/v1/workflows", json.dumps({"definition": json.dumps(definition)}))

    def connect(self):
        url = urllib.parse.urlparse(self.url)
        return http.client.HTTPConnection(url.hostname, url.port, timeout=600)

    def call(self, connection, method, target, body=None):
        connection.request(method, target, body,
                           {"Authorization": "Bearer " + self.environment["BATON_API_KEY"], "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{target} was answered with {answer.status}: {text[:300]!r}")
        return text

    def start_worker(self):
        self.worker = subprocess.Popen([self.binary, "bench-worker", "--url", self.url], env=self.environment,
                                       stderr=open(self.folder / "worker.log", "w", encoding="utf-8"))

    def submit(self, connection, runs):
        """Their ids, in the order of the request."""
        text = self.call(connection, "POST", "/api/v1/runs/batch", '{"workflow":"one","runs":[' + ",".join(["{}"] * runs) + "]}")
        return [run["id"] for run in json.loads(text)["runs"]]

    def submit_all(self, runs, connections=2):
        """As fast as it goes."""
        left = iter([min(BATCH, runs - begin) for begin in range(0, runs, BATCH)])
        lock = threading.Lock()

        def submit():
            connection = self.connect()
            while True:
                with lock:
                    count = next(left, 0)
                if count == 0:
                    return
                self.submit(connection, count)

        threads = [threading.Thread(target=submit) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def wait_for_all(self):
        connection = self.connect()
        while json.loads(self.call(connection, "GET", "/api/v1/runs?state=active&limit=1"))["items"]:
            time.sleep(0.005)

    def cpu(self):
        return cpu_of(self.server.pid) + (cpu_of(self.worker.pid) if self.worker else 0)

    def database(self):
        return self.folder / "data" / "baton.db"

    def stop(self):
        for process in filter(None, (self.worker, self.server)):
            process.terminate()
        for process in filter(None, (self.worker, self.server)):
            process.wait()


@contextlib.contextmanager
def stack(binary, place):
    with tempfile.TemporaryDirectory(dir=place) as folder:
        one = Stack(binary, folder)
        try:
            yield one
        finally:
            one.stop()


def cost(arguments):
    print(f"{'runs':>9} {'submitted/s':>12} {'B memory':>9} {'B file':>7} {'worked off/s':>13} {'CPU µs':>7} {'floor µs':>9}")
    for runs in arguments.sizes:
        with stack(arguments.binary, arguments.dir) as server:
            memory = memory_of(server.server.pid)
            begun, cpu = time.monotonic(), server.cpu()
            server.submit_all(runs)
            submitted = time.monotonic() - begun
            waiting = (memory_of(server.server.pid) - memory) / runs
            size = server.database().stat().st_size + pathlib.Path(f"{server.database()}-wal").stat().st_size
            begun = time.monotonic()
            server.start_worker()
            server.wait_for_all()
            took = time.monotonic() - begun
            cpu = server.cpu() - cpu
            print(f"{runs:>9,} {runs / submitted:>12,.0f} {waiting:>9,.0f} {size / runs:>7,.0f} {runs / took:>13,.0f}"
                  f" {cpu / runs * 1e6:>7.1f} {floor(server.folder):>9.0f}", flush=True)


def capacity_of(server, runs=20_000):
    server.submit_all(2000)
    server.wait_for_all()
    begun = time.monotonic()
    server.submit_all(runs)
    server.wait_for_all()
    return runs / (time.monotonic() - begun)


def ended(server, first):
    """When runs ended, seconds, by id; of those that have a higher key than `first`."""
    with contextlib.closing(sqlite3.connect(f"file:{server.database()}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT id, ended FROM run WHERE key > ?", (first,)).fetchall()
    return {bytes(run).hex(): at / 1e6 for run, at in rows}


def last_key(server):
    with contextlib.closing(sqlite3.connect(f"file:{server.database()}?mode=ro", uri=True)) as database:
        return database.execute("SELECT coalesce(max(key), 0) FROM run").fetchone()[0]


def arrivals(server, rate, seconds, connections=8):
    """Submits by the clock. A list of (when it was to be submitted, ids)."""
    work = queue.SimpleQueue()
    made = []

    def submit():
        connection = server.connect()
        while (order := work.get()) is not None:
            made.append((order[0], server.submit(connection, order[1])))

    threads = [threading.Thread(target=submit) for _ in range(connections)]
    for thread in threads:
        thread.start()
    begun = time.time() + TICK
    sent = 0
    for tick in range(round(seconds / TICK)):
        due = begun + tick * TICK
        time.sleep(max(0, due - time.time()))
        count = round(rate * (tick + 1) * TICK) - sent
        sent += count
        for part in range(0, count, BATCH):
            work.put((due, min(BATCH, count - part)))
    for _ in threads:
        work.put(None)
    for thread in threads:
        thread.join()
    return made


def latency(arguments):
    with stack(arguments.binary, arguments.dir) as server:
        server.start_worker()
        capacity = capacity_of(server)
        print(f"capacity: {capacity:,.0f} runs/s; floor: {floor(server.folder):.0f} µs")
        print(f"{'part':>5} {'runs/s':>8} {'50 %':>9} {'90 %':>9} {'99 %':>9} {'most':>9}   ms")
        for part in arguments.parts:
            first = last_key(server)
            made = arrivals(server, capacity * part / 100, arguments.seconds)
            server.wait_for_all()
            ends = ended(server, first)
            took = sorted(ends[run.replace("-", "")] - due for due, runs in made for run in runs)
            at = [took[min(len(took) - 1, int(len(took) * share))] * 1000 for share in (0.5, 0.9, 0.99, 1)]
            print(f"{part:>4}% {len(took) / arguments.seconds:>8,.0f}" + "".join(f" {value:>9.2f}" for value in at), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("cost", "latency"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--parts", type=int, nargs="+", default=[10, 30, 50, 70, 90], help="percent of the capacity")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--dir", help="where the data is meanwhile: the disk that is measured")
    arguments = parser.parse_args()
    arguments.binary = os.path.abspath(os.environ.get("BATON_BIN", "build/release/baton"))
    if not os.access(arguments.binary, os.X_OK):
        sys.exit(f"{arguments.binary} is no program; name one in BATON_BIN")
    {"cost": cost, "latency": latency}[arguments.what](arguments)


if __name__ == "__main__":
    main()

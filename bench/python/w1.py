#!/usr/bin/env python3
"""W1 with a Python worker: independent no-op functions, end to end over the socket of a real server, every commit durable.

    PYTHONPATH=sdk/python/src BATON_BIN=build/release/baton python3 bench/python/w1.py [--tasks 20000] [--rounds 5] [--pool thread]

Two shapes: `mapped`, one run with a task for each item, from its submission to its end; `queued`, a run for each task,
submitted beforehand while no worker has the function, from the worker's start to the end of the last one. The worker is a
process of its own. `floor` is the round trip of an empty request on one connection. Prints lowest, median and highest tasks/s.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import baton

HERE = pathlib.Path(__file__).resolve().parent


@baton.task(name="noop")
def noop():
    return None


def start_worker(client, arguments):
    process = subprocess.Popen([sys.executable, "-m", "baton", "worker", "w1", "--target", client.data, "--name", "bench",
                                "--pool", arguments.pool, "--concurrency", str(arguments.concurrency),
                                "--prefetch", str(arguments.prefetch), "--log-level", "error"],
                               cwd=HERE, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    while not any(worker["name"] == "bench" for worker in client.request("GET", "/api/v1/workers")["items"]):
        time.sleep(0.001)
    return process


def cpu_of(pid):
    """Seconds of CPU of a process so far."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def mapped(client, tasks):
    definition = {"name": "w1", "inputs": {"n": {}}, "steps": {"a": {"for_each": "${{ inputs.n }}", "task": "noop"}}}
    started = time.monotonic()
    run = client.submit(definition, {"n": list(range(tasks))})
    if client.wait(run.id).status != "completed":
        sys.exit("the run has failed")
    return time.monotonic() - started


def submit_all(client, tasks, threads=16):
    client.apply({"name": "one", "steps": {"a": {"task": "noop"}}})
    left = iter(range(tasks))
    lock = threading.Lock()

    def submit():
        own = baton.Client(client.data)
        while True:
            with lock:
                if next(left, None) is None:
                    break
            own.start("one")
        own.close()

    started = time.monotonic()
    all_threads = [threading.Thread(target=submit) for _ in range(threads)]
    for thread in all_threads:
        thread.start()
    for thread in all_threads:
        thread.join()
    return time.monotonic() - started


def queued(client, tasks, arguments):
    submitting = submit_all(client, tasks)
    started = time.monotonic()
    worker = start_worker(client, arguments)
    while next(client.list(status="pending,running", workflow="one", limit=1), None) is not None:
        time.sleep(0.002)
    taken = time.monotonic() - started
    worker.terminate()
    worker.wait()
    return taken, submitting


def floor(client):
    times = []
    for _ in range(1000):
        started = time.monotonic()
        client.request("GET", "/livez")
        times.append(time.monotonic() - started)
    return statistics.median(times)


def show(what, rates):
    print(f"{what:<28}" + "".join(f"{value:>12,.0f}" for value in (min(rates), statistics.median(rates), max(rates))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pool", choices=("thread", "process"), default="thread")
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--prefetch", type=int, default=2000)
    arguments = parser.parse_args()
    rates = {"mapped": [], "queued": [], "submitted": []}
    cpu = []
    with baton.local() as client:
        print(f"floor: {floor(client) * 1e6:.0f} µs for a request and its answer")
        worker = start_worker(client, arguments)
        mapped(client, 1000)  # the first commits lengthen the log of the database
        for _ in range(arguments.rounds):
            before = cpu_of(worker.pid)
            rates["mapped"].append(arguments.tasks / mapped(client, arguments.tasks))
            cpu.append((cpu_of(worker.pid) - before) / arguments.tasks * 1e6)
        worker.terminate()
        worker.wait()
        for _ in range(arguments.rounds):
            taken, submitting = queued(client, arguments.tasks, arguments)
            rates["queued"].append(arguments.tasks / taken)
            rates["submitted"].append(arguments.tasks / submitting)
    print(f"{'tasks/s':<28}{'lowest':>12}{'median':>12}{'highest':>12}")
    show("mapped, end to end", rates["mapped"])
    show("queued, from worker's start", rates["queued"])
    show("submitted, 16 threads", rates["submitted"])
    print(f"worker's CPU: {statistics.median(cpu):.0f} µs per task (mapped)")


if __name__ == "__main__":
    main()

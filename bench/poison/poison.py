#!/usr/bin/env python3
"""R17: what is left of the throughput of healthy tasks beside poisonous ones.

    PYTHONPATH=sdk/python/src BATON_BIN=build/release/baton python3 bench/poison/poison.py [--tasks 40000] [--rounds 5]

Healthy tasks are no-op functions of a Python worker, mapped over a list; each measurement is one run of them, end to end. They are
measured alone and beside each of

    starved    100,000 tasks that wait in a queue which no worker takes
    crashing   functions that crash their process (SIGSEGV, exit without a result), as fast as their worker gives them out
    killing    functions that kill their whole worker, which is started again half a second later; quarantined after three losses
    paused     20,000 tasks for a worker that takes none, because it is paused

in turn, round after round, so that the machine's moods reach all of them alike. All share two cores with the measured tasks: what poison
costs in CPU is in the figure. Prints tasks/s (lowest, median, highest) and the median of the ratios to `alone` of the same round.
"""

import argparse
import contextlib
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

import baton

HERE = pathlib.Path(__file__).resolve().parent


@baton.task(name="healthy")
def healthy():
    return None


@baton.task(name="crashes")
def crashes(n):
    if n % 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    os._exit(0)


@baton.task(name="kills")
def kills():
    os.kill(os.getpid(), signal.SIGKILL)


def mapped(function, count, queue="default", with_=None):
    step = {"for_each": "${{ inputs.n }}", "task": function, "queue": queue, "max_failures": "100%"}
    if with_ is not None:
        step["with"] = with_
    return {"name": function, "inputs": {"n": {}}, "steps": {"a": step}}, {"n": list(range(count))}


def worker(client, name, *words):
    return subprocess.Popen([sys.executable, "-m", "baton", "worker", "poison", "--target", client.data, "--name", name, "--log-level",
                             "error", *words], cwd=HERE, stderr=subprocess.DEVNULL,
                            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})


def known(client, name, process):
    while not any(row["name"] == name for row in client.request("GET", "/api/v1/workers")["items"]):
        if process.poll() is not None:
            sys.exit(f"the worker {name} has ended with {process.returncode}")
        time.sleep(0.002)


def end(process):
    process.kill()
    process.wait()


def cancel(client, run):
    with contextlib.suppress(baton.BatonError):
        client.cancel(run.id, terminate=True)
    client.wait(run.id)


@contextlib.contextmanager
def alone(client):
    yield


@contextlib.contextmanager
def starved(client):
    runs = [client.submit(*mapped("healthy", 5_000, queue="nobody")) for _ in range(20)]
    while client.request("GET", "/api/v1/queues/nobody")["queued"] < 10_000:  # of each run, only so many are in the line
        time.sleep(0.05)
    yield
    for run in runs:
        cancel(client, run)


@contextlib.contextmanager
def paused(client):
    lazy = worker(client, "lazy", "--queues", "lazy")
    known(client, "lazy", lazy)
    client.request("POST", "/api/v1/workers/lazy/pause")
    run = client.submit(*mapped("healthy", 20_000, queue="lazy"))
    yield
    client.request("POST", "/api/v1/workers/lazy/resume")
    cancel(client, run)
    end(lazy)


@contextlib.contextmanager
def crashing(client):
    bad = worker(client, "bad", "--queues", "bad", "--pool", "process", "--concurrency", "1", "--prefetch", "0")
    known(client, "bad", bad)
    run = client.submit(*mapped("crashes", 10_000, queue="bad", with_=["${{ item }}"]))
    yield
    cancel(client, run)
    end(bad)


@contextlib.contextmanager
def killing(client):
    stop = threading.Event()
    deaths = []

    def keep_alive():
        while not stop.is_set():
            process = worker(client, "killed", "--queues", "killed", "--concurrency", "1", "--prefetch", "0")
            while process.poll() is None and not stop.wait(0.01):
                pass
            end(process)
            deaths.append(process.returncode)
            stop.wait(0.5)  # as a supervisor does it

    run = client.submit(*mapped("kills", 1000, queue="killed"))
    keeper = threading.Thread(target=keep_alive)
    keeper.start()
    while len(deaths) < 2:  # the healthy ones are measured while it dies
        time.sleep(0.01)
    yield
    stop.set()
    keeper.join()
    cancel(client, run)


def measure(client, tasks):
    started = time.monotonic()
    run = client.submit(*mapped("healthy", tasks, queue="good"))
    ended = client.wait(run.id)
    if ended.status != "completed":
        sys.exit(f"the healthy run is {ended.status}")
    return tasks / (time.monotonic() - started)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rates = {}
    with baton.local() as client:
        good = worker(client, "good", "--queues", "good", "--concurrency", "2", "--prefetch", "1000")
        known(client, "good", good)
        measure(client, 1000)  # the first commits lengthen the log of the database
        for _ in range(arguments.rounds):
            for beside in (alone, starved, paused, crashing, killing):
                with beside(client):
                    rates.setdefault(beside.__name__, []).append(measure(client, arguments.tasks))
        end(good)
    print(f"{'healthy tasks/s':<20}{'lowest':>10}{'median':>10}{'highest':>10}{'of alone':>10}")
    for name, found in rates.items():
        ratio = statistics.median(rate / base for rate, base in zip(found, rates["alone"]))
        print(f"{name:<20}{min(found):>10,.0f}{statistics.median(found):>10,.0f}{max(found):>10,.0f}{ratio:>10.0%}")


if __name__ == "__main__":
    main()

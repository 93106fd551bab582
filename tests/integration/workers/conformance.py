#!/usr/bin/env python3
"""Does a worker keep to docs/reference/worker-protocol.md? Starts a server and the worker, and watches what it does.

    conformance.py --baton build/release/baton -- perl examples/protocol-worker/worker.pl

The worker is found by its functions and finds the server by BATON_SOCKET. It has to have:

    conformance.echo        returns its `with`
    conformance.fail        fails; `with` has the members of the error: type, message, and perhaps retry, retry_after
    conformance.wait        makes the file `with.file` + ".begun", then waits until the file `with.file` is there and returns
                            "waited"; ends when it is asked to
    conformance.progress    says that it is at `with.percent` percent, then returns something

SIGTERM is its sign to end in good order, and so is `drain` in the answer to a heartbeat. Prints a line for each check; exit code 1 if one failed.
"""

import argparse
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.api import Answer, Api  # noqa: E402

PATIENCE = 60.0  # a bound against hanging; nothing is measured against it
FUNCTIONS = ("conformance.echo", "conformance.fail", "conformance.progress", "conformance.wait")
VALUES = [None, True, 0, -7, 1.5, 2**53, "", "ä \u2028 \U0001f600 \" \\ \n \u0001", [], {}, [1, [2, [3]]],
          {"a": {"b": [None, False]}, "key with blank": 1}, "x" * 100_000]


class Wrong(Exception):
    """What the worker does is not what the protocol says."""


def eventually(condition, what):
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > end:
            raise Wrong(f"waited in vain for {what}")
        time.sleep(0.01)
    return value


def expect(found, wanted, what):
    if found != wanted:
        raise Wrong(f"{what}: {found!r} instead of {wanted!r}")


class Proxy:
    """Between the worker and the server. It can lose answers that the server has given, and be busy."""

    def __init__(self, path, server):
        self._server = server
        self._lock = threading.Lock()
        self._lossy, self._answers, self.lost = False, 0, 0
        self._busy, self._busy_until, self.busy_answers, self.too_soon = 0, 0.0, 0, 0
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_answers(self, on):
        with self._lock:
            self._lossy = on

    def be_busy(self, times):
        """The next claims are answered with 503 and "in a second"."""
        with self._lock:
            self._busy = times

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        with client, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            try:
                server.connect(str(self._server))
                goes_on = True
                while goes_on and (request := self._message(client)):
                    head = request.split(b"\r\n\r\n", 1)[0].lower()
                    goes_on = b"connection: close" not in head
                    if b"/claim " in head.split(b"\r\n", 1)[0] and self._claimed_while_busy():
                        client.sendall(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                                       b"Content-Type: application/problem+json\r\nContent-Length: 23\r\n\r\n"
                                       b'{"code": "unavailable"}')
                        continue
                    server.sendall(request)
                    if server not in select.select([client, server], [], [])[0]:
                        return  # the worker has hung up
                    answer = self._message(server)
                    if not answer or self._loses():
                        return
                    client.sendall(answer)
            except OSError:  # one of them has gone
                pass

    def _loses(self):
        with self._lock:
            self._answers += 1
            lost = self._lossy and self._answers % 2 == 1
            self.lost += lost
            return lost

    def _claimed_while_busy(self):
        with self._lock:
            now = time.monotonic()
            self.too_soon += now < self._busy_until
            if self._busy == 0:
                return False
            self._busy -= 1
            self.busy_answers += 1
            self._busy_until = now + 1
            return True

    @staticmethod
    def _message(connection):
        """A whole one; empty if it is cut off."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := connection.recv(65536)):
                return b""
            data += more
        head = data[:data.index(b"\r\n\r\n")].lower().split(b"\r\n")
        sizes = [int(line.partition(b":")[2]) for line in head if line.startswith(b"content-length:")]
        whole = data.index(b"\r\n\r\n") + 4 + sum(sizes)
        while len(data) < whole:
            if not (more := connection.recv(65536)):
                return b""
            data += more
        return data


class Conformance:
    def __init__(self, baton, command, folder):
        self.baton, self.command, self.folder = baton, command, folder
        self.data = folder / "data"
        self.api = Api(f"{self.data}/baton.sock")
        self.proxy = Proxy(folder / "proxy.sock", self.data / "baton.sock")
        self.server = self.worker = None

    # What is started

    def start_server(self):
        """The helper of one that was killed holds its lock for another moment."""
        def started():
            self.server = subprocess.Popen([self.baton, "server", "--listen", "127.0.0.1:0", "--data", self.data, "--output",
                                            "json", "--quiet"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                           env={"BATON_LOG_LEVEL": "error", **os.environ})
            if self.server.stdout.readline():
                return True
            if self.server.wait() != 6:
                raise Wrong("the server does not start")
            return False
        eventually(started, "the server")

    def start_worker(self):
        env = {key: value for key, value in os.environ.items() if not key.startswith("BATON_")}
        self.worker = subprocess.Popen(self.command, env={**env, "BATON_SOCKET": f"{self.folder}/proxy.sock"},
                                       stdin=subprocess.DEVNULL)
        return eventually(self.worker_row, "the worker's register call")

    def worker_row(self):
        if self.worker.poll() is not None:
            raise Wrong(f"the worker has ended with {self.worker.returncode}")
        return next((row for row in self.api.get("/api/v1/workers")["items"] if "conformance.echo" in row["functions"]), None)

    def end(self):
        for process in (self.worker, self.server):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    # Runs

    def submit(self, function, value, **policies):
        step = {"task": f"conformance.{function}", "with": value, **policies}
        return self.api.request("POST", "/api/v1/runs", {"definition": json.dumps({"name": "t", "steps": {"a": step}})})[1]["id"]

    def task(self, run):
        return self.api.tasks(run)[0]

    def ended(self, run):
        """Its task, once the run has ended."""
        if self.api.wait(run, 60)["status"] not in ("completed", "failed", "cancelled"):
            raise Wrong(f"run {run} does not end: " + str(self.api.get(f"/api/v1/runs/{run}/explain")["reasons"]))
        return self.task(run)

    def waiting(self, name, **policies):
        """A run whose task waits for open(name), and has begun."""
        run = self.submit("wait", {"file": str(self.folder / name)}, **policies)
        self.begun(name)
        return run

    def begun(self, name):
        eventually((self.folder / f"{name}.begun").exists, f"{name} to begin")

    def open(self, name):
        (self.folder / name).touch()

    def expect_echo(self, what):
        expect(self.ended(self.submit("echo", {"x": 1}))["result"], {"x": 1}, what)

    # The checks, in this order

    def check_registers(self):
        row = self.start_worker()
        expect(sorted(set(row["functions"]) & set(FUNCTIONS)), list(FUNCTIONS), "functions")
        expect(row["in_process"], False, "in_process")

    def check_returns_what_it_was_given(self):
        runs = [(value, self.submit("echo", value)) for value in VALUES]
        for value, run in runs:
            task = self.ended(run)
            expect((task["status"], task["result"]), ("completed", value), "echo")

    def check_takes_many(self):
        items = list(range(300))
        body = {"name": "many", "inputs": {"n": {}}, "steps": {"a": {
            "for_each": "${{ inputs.n }}", "task": "conformance.echo", "with": {"n": "${{ item }}"}}}}
        run = self.api.request("POST", "/api/v1/runs", {"definition": json.dumps(body), "input": {"n": items}})[1]["id"]
        self.ended(run)
        tasks = self.api.tasks(run)
        expect([task["result"] for task in tasks], [{"n": n} for n in items], "results in order")
        expect({(task["attempts"], task["lost"], task["interrupted"]) for task in tasks}, {(1, 0, 0)}, "attempts, lost, interrupted")

    def check_says_how_it_failed(self):
        task = self.ended(self.submit("fail", {"type": "quota", "message": "used up"}))
        expect((task["status"], task["error"]["type"]), ("failed", "quota"), "error")
        if "used up" not in task["error"]["message"]:
            raise Wrong(f"message: {task['error']['message']!r}")

    def check_says_whether_to_try_again(self):
        retry = {"max_attempts": 3, "initial": "1ms", "jitter": "none"}
        for error, attempts in (({"type": "e", "message": "m"}, 3), ({"type": "e", "message": "m", "retry": False}, 1),
                                ({"type": "e", "message": "m", "retry_after": 0.01}, 3)):
            expect(self.ended(self.submit("fail", error, retry=retry))["attempts"], attempts, f"attempts after {error}")

    def check_tells_progress_with_its_token(self):
        run = self.submit("progress", {"percent": 40})
        expect(self.ended(run)["status"], "completed", "status")
        expect([fact["progress"] for fact in self.api.history(run) if fact["type"] == "task.progress"], [40], "progress")

    def check_ends_what_was_cancelled(self):
        run = self.waiting("cancelled")
        self.api.request("POST", f"/api/v1/runs/{run}/cancel", {})
        expect(self.ended(run)["status"], "cancelled", "status")
        self.expect_echo("a task after that")

    def check_ends_at_once_what_was_terminated(self):
        run = self.waiting("terminated")
        self.api.request("POST", f"/api/v1/runs/{run}/terminate", {})
        expect(self.ended(run)["status"], "cancelled", "status")
        self.expect_echo("a task after that")

    def check_repeats_a_call_whose_answer_was_lost(self):
        self.proxy.lose_answers(True)
        n = 0
        while self.proxy.lost < 10:
            for run in [self.submit("echo", {"n": n}) for _ in range(3)]:
                task = self.ended(run)
                expect((task["status"], task["result"], task["attempts"], task["lost"]), ("completed", {"n": n}, 1, 0),
                       "status, result, attempts, lost")
            n += 1
        self.proxy.lose_answers(False)

    def check_asks_a_busy_server_no_sooner_than_it_wants(self):
        self.proxy.be_busy(2)
        for _ in range(3):
            self.expect_echo("a task that comes later")
        expect((self.proxy.busy_answers, self.proxy.too_soon), (2, 0), "claims that the server put off, claims before a second was over")

    def check_survives_that_its_report_counts_no_more(self):
        run = self.waiting("lost")
        self.api.request("DELETE", f"/api/v1/workers/{self.worker_row()['name']}")  # somebody says that it is dead
        eventually(lambda: self.task(run)["lost"] == 1, "the loss")
        self.open("lost")
        task = self.ended(run)
        expect((task["status"], task["attempts"], task["lost"]), ("completed", 1, 1), "status, attempts, lost")
        self.expect_echo("a task after that")

    def check_keeps_what_runs_over_a_restart_of_the_server(self):
        run = self.waiting("restart")
        self.server.kill()
        self.server.wait()
        self.open("restart")  # ends while nobody is there to hear it
        self.start_server()
        task = self.ended(run)
        expect((task["status"], task["attempts"], task["lost"], task["interrupted"]), ("completed", 1, 0, 0),
               "status, attempts, lost, interrupted")
        self.expect_echo("a task after that")

    def check_ends_in_good_order(self):
        runs = [self.waiting(f"drain{n}") for n in range(2)]
        name = self.worker_row()["name"]
        self.worker.send_signal(signal.SIGTERM)
        for n in range(2):
            self.open(f"drain{n}")
        expect(self.worker.wait(PATIENCE), 0, "exit code")
        for run in runs:
            task = self.task(run)
            expect((task["status"], task["lost"]), ("completed", 0), "status and losses of what ran")
        expect([row["name"] for row in self.api.get("/api/v1/workers")["items"] if row["name"] == name], [], "who is left")

    def check_ends_when_the_server_wants_it_to(self):
        row = self.start_worker()  # another process: the first has ended
        run = self.waiting("wanted")
        self.api.request("POST", f"/api/v1/workers/{row['name']}/drain", {})
        eventually(lambda: self.api.get(f"/api/v1/workers/{row['name']}")["draining"], "the wish to be known")
        self.open("wanted")
        expect(self.ended(run)["status"], "completed", "status of what ran")
        expect(self.worker.wait(PATIENCE), 0, "exit code")

    def run(self):
        """How many checks failed."""
        failed = 0
        checks = [name for name in vars(Conformance) if name.startswith("check_")]
        self.start_server()
        for name in checks:
            title = name.removeprefix("check_").replace("_", " ")
            try:
                if name not in ("check_registers", "check_ends_when_the_server_wants_it_to"):
                    self.worker_row()
                getattr(self, name)()
                print(f"ok  {title}", flush=True)
            except (Wrong, Answer, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"not ok  {title}: {error}", flush=True)
        print(f"{len(checks) - failed} of {len(checks)} checks passed")
        return failed


def main():
    parser = argparse.ArgumentParser(usage="conformance.py --baton BATON -- COMMAND…")
    parser.add_argument("--baton", required=True)
    parser.add_argument("command", nargs="+")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="baton-conformance-") as folder:
        test = Conformance(os.path.abspath(words.baton), words.command, pathlib.Path(folder))
        try:
            sys.exit(1 if test.run() else 0)
        finally:
            test.end()


if __name__ == "__main__":
    main()

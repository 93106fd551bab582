"""Functions in processes of their own: they may use all cores, and crash."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import Any, Callable, Dict, List, Optional, Tuple

from ..errors import BatonError, RemoteError, WorkerLost
from ..results import Report, failed, interrupted
from ..tasks import Task
from ..transport import Endpoint
from .loading import MARK
from .pool import Hooks, Job
from .wire import receive, receive_json, send_json


_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds, between processes that die


def place_of(task: "Task[Any]") -> Tuple[str, str]:
    """(module, attribute) where another process finds a task. Raises ValueError if it cannot."""
    function: Any = task.function
    module = sys.modules.get(function.__module__)
    if function.__module__ == "__main__" and getattr(module, "__file__", None) is None and getattr(module, "__spec__", None) is None:
        raise ValueError(f"{task.name} cannot be found by another process: it was typed in (a prompt, a notebook, python -c); put it into "
                         "a module, or use pool='thread'")
    for name, value in vars(module).items() if module is not None else ():
        if value is task or value is function:
            return function.__module__, name
    raise ValueError(f"{task.name} cannot be found by another process: with pool='process' a function must be an "
                     "attribute of its module, not a lambda or a function inside of another")


class _Child:
    """One process and the thread that hands it jobs."""

    def __init__(self) -> None:
        self.lock = threading.Lock()  # guards what follows
        self.job: Optional[Job] = None
        self.report: Optional[Report] = None  # what its job ends with if it is killed
        self.process: Optional["subprocess.Popen[bytes]"] = None
        self.sock: Optional[socket.socket] = None


class ProcessPool:
    """`count` processes, started when they are first needed, each replaced after `max_tasks` tasks and when it has died.

    Stopping raises `Cancelled` in the handler, by a signal, so that a blocking call is cut short. Killing is SIGKILL. A
    process that dies fails its task with the type `signal` or `exit`; the others notice nothing. Where one after the other dies,
    the next is started after a growing pause (at most 2 s): starting processes is most of what poisonous tasks cost others.
    """

    def __init__(self, count: int, hooks: Hooks, endpoint: Endpoint, give_up: Callable[[BaseException], None],
                 max_tasks: Optional[int] = None, capture: bool = False) -> None:
        self._hooks = hooks
        self._endpoint = endpoint
        self._give_up = give_up
        self._max_tasks = max_tasks
        self._capture = capture
        self._jobs: "queue.SimpleQueue[Optional[Job]]" = queue.SimpleQueue()
        self._children = [_Child() for _ in range(count)]
        self._functions: Dict[str, Tuple[str, str]] = {}
        self._closed = threading.Event()

    def start(self) -> None:
        for child in self._children:
            threading.Thread(target=self._work, args=(child,), name="baton-pool", daemon=True).start()

    def add(self, task: "Task[Any]") -> None:
        """A function that jobs will name. Raises ValueError if another process could not find it."""
        self._functions = {**self._functions, task.name: place_of(task)}

    def submit(self, job: Job) -> None:
        self._jobs.put(job)

    def stop(self, job: Job, reason: str) -> None:
        job.context.stop(reason)
        child = self._child_of(job)
        if child is not None:
            with child.lock:
                if child.job is job and child.sock is not None:
                    try:
                        send_json(child.sock, {"stop": job.token, "reason": reason})
                    except OSError:
                        pass  # it is dead; its thread will see

    def kill(self, job: Job, report: Report) -> None:
        job.context.stop("cancelled")
        child = self._child_of(job)
        if child is None:
            job.end(report)
            child = self._child_of(job)  # it may have begun just now
            if child is None:
                return
        with child.lock:
            if child.job is job and child.process is not None:
                child.report = report
                child.process.kill()

    def take_back(self) -> List[Job]:
        jobs: List[Job] = []
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs
            if job is not None:
                jobs.append(job)

    def close(self) -> None:
        self._closed.set()
        for _ in self._children:
            self._jobs.put(None)
        for child in self._children:
            with child.lock:
                if child.process is not None:
                    child.process.kill()

    def _child_of(self, job: Job) -> Optional[_Child]:
        return next((child for child in self._children if child.job is job), None)

    def _work(self, child: _Child) -> None:
        done = crashes = 0
        while True:
            if crashes > 1:  # before a job is taken, so that others may
                self._closed.wait(min(_LONGEST_PAUSE, _PAUSE * 2 ** (crashes - 2)))
            job = self._jobs.get()
            if job is None or self._closed.is_set():
                break
            try:
                if child.process is None:
                    self._begin(child)
                    done = 0
            except (OSError, EOFError, BatonError) as error:
                job.end(interrupted())
                self._give_up(error)
                break
            if not job.is_open:
                continue
            report = self._hooks.before(job)
            if report is None:
                report = self._carry_out(child, job)
                crashes = min(crashes + 1, 30) if isinstance(report.error, WorkerLost) else 0
                done += 1
                if self._max_tasks is not None and done >= self._max_tasks:
                    self._end(child)
            self._hooks.after(job, report, lambda body=report.body: _result_of(body))  # type: ignore[misc]
            job.end(report)
        self._end(child)

    def _begin(self, child: _Child) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen([sys.executable, "-m", "baton.worker.child", str(theirs.fileno())],
                                       pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                                       env={**os.environ, MARK: "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
        main: Any = sys.modules.get("__main__")
        spec = getattr(main, "__spec__", None)
        send_json(ours, {"path": sys.path, "functions": self._functions, "endpoint": asdict(self._endpoint), "capture": self._capture,
                         "main": os.path.abspath(main.__file__) if getattr(main, "__file__", None) else None,
                         "main_module": spec.name if spec is not None else None})
        try:
            answer = receive_json(ours)
        except EOFError:
            answer = {"error": _how_it_died(process.wait())}
        if "error" in answer:
            process.wait()
            ours.close()
            raise BatonError(f"a process of the pool cannot load the functions: {answer['error']}")
        with child.lock:
            child.process, child.sock = process, ours

    def _carry_out(self, child: _Child, job: Job) -> Report:
        process, sock = child.process, child.sock
        assert process is not None and sock is not None
        with child.lock:
            child.job, child.report = job, None
            try:
                send_json(sock, {"request": asdict(job.context.request), "value": job.value})
            except OSError:
                pass  # it is dead; the answer says so
        if job.context.cancelled:
            self.stop(job, job.context.reason)  # was asked to end before there was a child to ask
        try:
            head = receive_json(sock)
            body = receive(sock)
        except EOFError:
            code = process.wait()
            with child.lock:
                report, child.job, child.process, child.sock = child.report, None, None, None
            sock.close()
            died = _how_it_died(code)
            return report or failed("signal" if code < 0 else "exit", f"its process {died}", error=WorkerLost(died))
        with child.lock:
            child.job = None
        error = RemoteError(*head["error"]) if head["error"] else None
        return Report(head["status"], body, error, head["trace"])

    @staticmethod
    def _end(child: _Child) -> None:
        with child.lock:
            process, sock, child.process, child.sock = child.process, child.sock, None, None
        if process is not None and sock is not None:
            sock.close()
            process.wait()


def _result_of(body: bytes) -> Any:
    return json.loads(b"{" + body + b"}").get("result")


def _how_it_died(code: int) -> str:
    if code < 0:
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"
    return f"exited with code {code} before it was done"

"""A process that carries out one task at a time for a worker: `python -m baton.worker.child FD`.

The socket FD brings a message that says what to load, then jobs, and `{"stop": TOKEN, "reason": …}` for one that is to
end; each job is answered with a head (JSON) and the body of its report. When the socket ends, so does the process,
whatever it does: nothing outlives its worker. Signals to the whole group (Ctrl-C, the end of a service) are the worker's
business and are ignored here.
"""

from __future__ import annotations

import importlib
import os
import queue
import runpy
import signal
import socket
import sys
import threading
import time
from typing import Any, Dict, Optional

from ..context import Context, Request, current_or_none
from ..errors import BatonError, Cancelled, cancelled
from ..output import capture
from ..results import Report, raised
from ..tasks import Task, as_task
from ..transport import Endpoint, backoff
from .loading import MARK
from .pool import invoke
from .wire import receive_json, send, send_json

LOAD_FAILED = 70  # exit code
FLUSH = 0.5  # seconds between looks at what the attempt has said


class _Child:
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._jobs: "queue.SimpleQueue[Dict[str, Any]]" = queue.SimpleQueue()
        self._context: Optional[Context] = None  # of the job that runs; only the main thread sets it
        self._stop: Optional[Dict[str, Any]] = None  # the newest wish that one should end
        self._main = threading.get_ident()

    def run(self) -> None:
        setup = receive_json(self._sock)
        try:
            functions = load(setup)
        except BaseException as error:
            send_json(self._sock, {"error": str(error) if isinstance(error, BatonError) else f"{type(error).__name__}: {error}"})
            raise
        os.environ.pop(MARK, None)  # what tasks start is none of this
        endpoint = Endpoint(**setup["endpoint"])
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._on_signal)
        send_json(self._sock, {"ready": os.getpid()})
        if setup["capture"]:
            capture(current_or_none)
        threading.Thread(target=self._listen, name="baton-listen", daemon=True).start()
        threading.Thread(target=self._send_output, name="baton-output", daemon=True).start()
        while True:
            job = self._jobs.get()
            report = self._carry_out(functions[job["request"]["function"]], job, endpoint)
            raised_by = report.error
            head = {"status": report.status, "trace": report.trace,
                    "error": None if raised_by is None else [type(raised_by).__name__, str(raised_by)]}
            send(self._sock, _json(head), report.body)

    def _carry_out(self, task: "Task[Any]", job: Dict[str, Any], endpoint: Endpoint) -> Report:
        context = Context(Request(**job["request"]), endpoint, value=job["value"])
        report: Optional[Report] = None
        try:
            self._context = context
            self._on_signal()  # the wish may have come before the job was begun
            report = invoke(task, job["value"], context)
            self._context = None
        except Cancelled as error:  # while the handler was just returning
            self._context = None
            report = report or raised(error)
        for pause in backoff():  # the worker reports next; this process ends with it, whether there is a server or not
            if context.flush(last=True):
                break
            time.sleep(min(2.0, pause))
        return report

    def _send_output(self) -> None:
        while True:
            time.sleep(FLUSH)
            context = self._context
            if context is not None:
                context.flush()

    def _listen(self) -> None:
        while True:
            try:
                message = receive_json(self._sock)
            except (EOFError, OSError):
                os._exit(0)  # the worker is gone; a handler that does not end must not keep this process
            if "stop" in message:
                self._stop = message
                signal.pthread_kill(self._main, signal.SIGTERM)
            else:
                self._jobs.put(message)

    def _on_signal(self, *_: object) -> None:
        wish, context = self._stop, self._context
        if wish is not None and context is not None and context.request.token == wish["stop"]:
            self._stop = None
            context.stop(wish["reason"])
            if context.interrupt is None:
                raise cancelled(wish["reason"])()
            context.interrupt()


def load(setup: Dict[str, Any]) -> Dict[str, "Task[Any]"]:
    """The functions by name, from the modules that define them."""
    sys.path[:] = setup["path"]
    functions: Dict[str, Task[Any]] = {}
    main: Optional[Dict[str, Any]] = None
    for name, (module, attribute) in setup["functions"].items():
        if module == "__main__":
            if main is None:
                main = _load_main(setup)
            value = main[attribute]
        else:
            value = getattr(importlib.import_module(module), attribute)
        functions[name] = as_task(value)
    return functions


def _load_main(setup: Dict[str, Any]) -> Dict[str, Any]:
    """The program's own functions: its file again, under a name that is not `__main__`, as multiprocessing does."""
    if setup["main_module"]:
        return vars(importlib.import_module(setup["main_module"]))
    return runpy.run_path(setup["main"], run_name="__mp_main__")


def _json(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()


def main() -> None:
    sock = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(sock.fileno(), False)
    _Child(sock).run()


if __name__ == "__main__":
    main()

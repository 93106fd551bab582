"""What a handler knows of the attempt that it is, and may say to the server while it runs."""

from __future__ import annotations

import contextvars
import datetime
import functools
import logging
import threading
import time
import urllib.parse
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from .encoding import encode
from .errors import Cancelled, StaleToken, cancelled
from .output import Output, TaskLog
from .transport import Endpoint, Transport

_PATIENCE = 60.0  # seconds that a call of a handler outlives an absent server


@dataclass(frozen=True)
class Request:
    """One attempt, as it was claimed."""

    task: str  #: id of the task, the same for all its attempts: a good idempotency key
    token: str  #: fencing token: a later attempt's is another one
    run: str
    step: str
    attempt: int  #: from 1
    function: str
    queued_at: Optional[str] = None
    soft_end: Optional[float] = None  #: on time.monotonic(): when it is asked to end because its time is over
    hard_end: Optional[float] = None  #: and when it is ended


class Context:
    """Of one attempt; `current()` gives it. Its calls are made as the attempt, by its token: if the attempt does not count
    any more they raise StaleToken (or Cancelled, where that is what has happened)."""

    def __init__(self, request: Request, endpoint: Endpoint, transport: Optional[Transport] = None,
                 value: Any = None) -> None:
        self.request = request
        self.value = value  #: the step's `with`, as it came
        self._endpoint = endpoint
        self._transport = transport
        self._stopped = threading.Event()
        self._reason = "cancelled"
        self.interrupt: Optional[Callable[[], object]] = None  #: for workers: how a coroutine hears that it is to end
        self._output = Output(self._send_output)
        self._caught: Dict[str, str] = {}  # the beginning of a line, by stream

    @functools.cached_property
    def log(self) -> TaskLog:
        """A logger called `baton.task.FUNCTION`, whose records know run, task and attempt. From INFO on they go to the
        attempt's log (`baton logs`), and all of them where the worker's logging sends them."""
        return TaskLog(logging.getLogger("baton.task." + self.request.function),
                       {"run": self.request.run, "task": self.request.task, "attempt": self.request.attempt}, self._output.add)

    def print(self, *values: object, sep: str = " ", end: str = "\n") -> None:
        """As print(), into the attempt's log."""
        self.catch(sep.join(map(str, values)) + end, "stdout")

    @property
    def token(self) -> str:
        """The fencing token, to be handed to whatever must not take orders from an attempt that was overtaken."""
        return self.request.token

    # ---- Being asked to end

    @property
    def deadline(self) -> Optional[datetime.datetime]:
        """When it is asked to end because its time is over: the earliest of its soft timeout and the deadlines of its step
        and run, as they were when it was claimed. None: it may take as long as it likes."""
        left = self.time_left()
        return None if left is None else datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=left)

    def time_left(self) -> Optional[float]:
        """Seconds until then; 0 once it has passed."""
        end = self.request.soft_end
        return None if end is None else max(0.0, end - time.monotonic())

    @property
    def reason(self) -> str:
        """Why it is to end, if it is: cancelled, timeout or shutdown."""
        return self._reason

    @property
    def cancelled(self) -> bool:
        """Whether the attempt is to end."""
        return self._stopped.is_set()

    def check_cancelled(self) -> None:
        """Raises Cancelled if the attempt is to end."""
        if self._stopped.is_set():
            raise cancelled(self._reason)()

    def sleep(self, seconds: float) -> None:
        """Waits; raises Cancelled as soon as the attempt is to end. For plain functions."""
        if self._stopped.wait(seconds):
            raise cancelled(self._reason)()

    def catch(self, text: str, stream: str) -> None:
        """For workers: some of what the attempt prints. Whole lines go on, the rest waits for its end."""
        lines, newline, rest = (self._caught.pop(stream, "") + text).rpartition("\n")
        if newline:
            self._output.add(lines + newline, stream)
        if rest:
            self._caught[stream] = rest

    def flush(self, last: bool = False) -> bool:
        """For workers: sends what it has said. `last`: nothing comes any more. False: the server does not answer."""
        if last:
            for stream, rest in self._caught.items():
                self._output.add(rest, stream)
            self._caught = {}
        return self._output.is_empty or self._output.flush()

    def stop(self, reason: str) -> None:
        """For workers: the attempt is to end."""
        self._reason = reason
        self._stopped.set()

    # ---- Telling the server

    def progress(self, percent: Optional[int] = None, message: Optional[str] = None) -> None:
        """Says how far it is (0 to 100), in words if you like. It is a sign of life for `timeout.heartbeat`, too."""
        body: Dict[str, Any] = {}
        if percent is not None:
            body["progress"] = max(0, min(100, int(percent)))
        if message is not None:
            body["message"] = message
        self._tell("progress", body)

    def heartbeat(self) -> None:
        """Says that it lives, for a step with `timeout.heartbeat`. (The worker's own heartbeats are for its lease.)"""
        self._tell("progress", {})

    def beating(self, every: float = 10.0) -> "_Beating":
        """`with ctx.beating(): …` says that it lives every so many seconds, from a thread of its own."""
        return _Beating(self, every)

    def register(self, name: str, cleanup: Sequence[str], workdir: Optional[str] = None) -> bool:
        """Registers a resource *before* it is made: from now on the command `cleanup` will be run on the server's side,
        whatever happens, unless it is released. Returns False if it was registered before."""
        body: Dict[str, Any] = {"name": name, "argv": list(cleanup)}
        if workdir is not None:
            body["workdir"] = workdir
        return not self._tell("resources", body)["existing"]

    def release(self, name: str) -> bool:
        """There is nothing to give back under this name any more. Returns whether there was."""
        return bool(self._tell(f"resources/{urllib.parse.quote(name, safe='')}/release", {})["existed"])

    def add_tasks(self, steps: Mapping[str, Any], *, detach: bool = False) -> List[str]:
        """Adds tasks to the run: a map of steps as in a definition, or of `Step`s. They are called STEP/NAME; what follows
        this step waits for them unless `detach`. Adding the same again adds nothing. Returns their ids."""
        from .workflow import with_needs  # only where tasks are added
        plain = with_needs({name: step.to_dict() if hasattr(step, "to_dict") else dict(step) for name, step in steps.items()})
        answer = self._tell("tasks", {"steps": encode({"steps": plain}, "what is added").decode(), "detach": detach})
        return [item["id"] for item in answer["items"]]

    def start_run(self, workflow: str, input: Optional[Mapping[str, Any]] = None, *,  # noqa: A002
                  version: Optional[int] = None, key: str = "") -> str:
        """Starts a run of an applied workflow and returns its id. Another attempt of this task that starts the same one gets
        the same run; `key` tells several apart. The run is on its own: nothing waits for it unless somebody does."""
        body: Dict[str, Any] = {"workflow": workflow, "input": dict(input or {}), "key": key}
        if version is not None:
            body["version"] = version
        return str(self._tell("runs", body)["id"])

    def _send_output(self, body: Dict[str, Any]) -> Any:
        if self._transport is None:
            self._transport = Transport(self._endpoint)
        return self._transport.request("POST", f"/api/v1/tasks/{self.request.task}/logs",
                                       {"token": self.request.token, **body})[1]

    def _tell(self, what: str, body: Dict[str, Any]) -> Any:
        self.check_cancelled()
        if self._transport is None:
            self._transport = Transport(self._endpoint)
        try:
            return self._transport.request("POST", f"/api/v1/tasks/{self.request.task}/{what}",
                                           {"token": self.request.token, **body}, patience=_PATIENCE,
                                           give_up=self._stopped.is_set)[1]
        except StaleToken:
            self.check_cancelled()
            raise


class _Beating:
    def __init__(self, context: Context, every: float) -> None:
        self._context = context
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="baton-beating", daemon=True)

    def _beat(self) -> None:
        while not self._over.wait(self._every):
            try:
                self._context.heartbeat()
            except (Cancelled, StaleToken):
                return
            except Exception:  # the server may be back at the next beat
                self._context.log.warning("a sign of life was not heard", exc_info=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


_current: "contextvars.ContextVar[Context]" = contextvars.ContextVar("baton-context")


def current() -> Context:
    """The context of the attempt that is running here. Raises LookupError outside of one."""
    try:
        return _current.get()
    except LookupError:
        raise LookupError("this code does not run as a task of a worker") from None


def current_or_none() -> Optional[Context]:
    """For what is asked outside of tasks, too."""
    return _current.get(None)


def enter(context: Context) -> "contextvars.Token[Context]":
    """For pools: what runs here from now on belongs to that attempt."""
    return _current.set(context)


def leave(token: "contextvars.Token[Context]") -> None:
    """For pools: undoes `enter`."""
    _current.reset(token)

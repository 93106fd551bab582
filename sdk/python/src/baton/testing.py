"""Tries workflows out on virtual time: `baton test` (docs/guide/testing.md) from Python.

A day passes in a millisecond: retries with their back-off, waits, timeouts and deadlines are those of the real engine, and no
server, worker or process is started. Functions that are given as `tasks` are really carried out, in this process and thread;
what else steps do is said in `steps`, or they complete at once.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, IO, List, Mapping, Optional, Sequence, Union

from .client import Definition, definition_text, last_steps, results_of
from .context import Context, Request
from .encoding import encode
from .errors import BatonError, RunFailed, TimeLimit, cancelled
from .embedded import find_program
from .models import Run, TaskRow, instant
from .results import Report, raised
from .tasks import Task, as_task
from .transport import Endpoint
from .worker.pool import invoke

Function = Union["Task[Any]", Callable[..., Any]]


@dataclass(frozen=True)
class Played:
    """What became of one scenario. Instants are those of the virtual clock."""

    name: str
    status: str  #: passed, failed or skipped
    duration: float  #: seconds of virtual time
    failures: List[str]
    run: Optional[Run] = None  #: as it ended; None if it was refused
    tasks: List[TaskRow] = field(default_factory=list)
    history: List[str] = field(default_factory=list)  #: a line for each thing that happened
    definition: Dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def results(self) -> Dict[str, Any]:
        """As `Client.results`."""
        return results_of(self.tasks)

    @property
    def result(self) -> Any:
        """As `Client.result`: of the last step, or a dict of the last steps' by name. Raises RunFailed."""
        if self.run is None or self.run.status != "completed":
            raise RunFailed(self.run) if self.run is not None else BatonError(f"{self.name}: no run was made")
        results, last = self.results, last_steps(self.definition)
        return results.get(last[0]) if len(last) == 1 else {step: results.get(step) for step in last}

    def task(self, step: str) -> TaskRow:
        """The task of a step; of a mapped one its first item. Raises KeyError with what there is."""
        for task in self.tasks:
            if task.step == step and task.raw["role"] == "main":
                return task
        raise KeyError(f"there is no task of {step!r}; there are: {', '.join(dict.fromkeys(task.step for task in self.tasks))}")


def run(definition: Definition, input: Optional[Mapping[str, Any]] = None, *, tasks: Sequence[Function] = (),  # noqa: A002
        steps: Optional[Mapping[str, Any]] = None, at: Optional[Mapping[str, Any]] = None, program: Optional[str] = None,
        **scenario: Any) -> Played:
    """Runs a workflow once, on virtual time, and returns what became of it, whatever that is.

    `tasks` are really carried out, `steps` says what others do, and `at` what happens meanwhile ({"2h": {"signal": "go"}}),
    as in docs/reference/scenarios.md; so do the other words of a scenario (`now=`, `workflows=`, `until=`, …). A run that waits for
    something that never comes is shown as it is after 40 days, or at `until`. Raises BatonError if that cannot be read.
    """
    one: Dict[str, Any] = {"until": "40d", "expect": {}, **scenario}
    if at is not None:
        one["at"] = dict(at)
    (played,) = _play(definition, {"run": one}, steps, input, program, None, tasks)
    # Nothing is expected; what is wrong is an action that was refused, or that functions could not be asked.
    if played.failures:
        error = played.run.error if played.run is not None else None
        raise BatonError("\n".join(played.failures) + (f"\nthe run has failed ({error.type}): {error.message}" if error else ""))
    return played


def play(definition: Definition, scenarios: Mapping[str, Mapping[str, Any]], *, steps: Optional[Mapping[str, Any]] = None,
         input: Optional[Mapping[str, Any]] = None, program: Optional[str] = None,  # noqa: A002
         restart_every: Optional[int] = None, tasks: Sequence[Function] = ()) -> List[Played]:
    """Plays scenarios: a map of names to what docs/reference/scenarios.md has (`steps`, `at`, `expect`, …). `steps` and `input`
    hold for all of them; `tasks` are really carried out where `steps` says nothing. With `restart_every`, the server dies after
    every so many commits, and nothing may come out differently. Raises AssertionError with what was not as expected, BatonError
    if the scenarios cannot be read."""
    played = _play(definition, scenarios, steps, input, program, restart_every, tasks)
    wrong = [f"{one.name}: {message}" for one in played for message in one.failures]
    if wrong:
        raise AssertionError("\n".join(wrong))
    return played


def _play(definition: Definition, scenarios: Mapping[str, Mapping[str, Any]], steps: Optional[Mapping[str, Any]],
          input: Optional[Mapping[str, Any]], program: Optional[str], restart_every: Optional[int],  # noqa: A002
          tasks: Sequence[Function]) -> List[Played]:
    whole: Dict[str, Any] = {"workflow": "workflow.yaml", "scenarios": {name: dict(one) for name, one in scenarios.items()}}
    if steps is not None:
        whole["steps"] = dict(steps)
    if input is not None:
        whole["input"] = dict(input)
    functions: Dict[str, Task[Any]] = {}
    for task in map(as_task, tasks):
        if functions.setdefault(task.name, task).function is not task.function:
            raise ValueError(f"two functions are called {task.name!r}; give one of them another name")
    folder = tempfile.mkdtemp(prefix="baton-testing-")
    try:
        with open(os.path.join(folder, "workflow.yaml"), "w", encoding="utf-8") as file:
            file.write(definition_text(definition))
        with open(os.path.join(folder, "workflow.test.yaml"), "wb") as file_of_bytes:
            file_of_bytes.write(encode(whole, "the scenario"))
        words = [find_program(program), "test", "workflow.test.yaml", "--verbose", "--output", "json",
                 "--data", os.path.join(folder, "data")]
        if restart_every is not None:
            words += ["--restart-every", str(restart_every)]
        code, out, err = _carry_out(words, folder, functions)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if code not in (0, 1) or not out.strip():
        raise BatonError(err.strip() or f"baton test has ended with {code}")
    return [_played(one) for one in json.loads(out)["scenarios"]]


def _played(one: Mapping[str, Any]) -> Played:
    return Played(one["name"], one["status"], one["duration"], [failure["message"] for failure in one["failures"]],
                  Run.read(one["run"]) if one["run"] else None, [TaskRow.read(task) for task in one["tasks"]],
                  list(one["history"]), dict(one["definition"] or {}))


def _carry_out(words: List[str], folder: str, functions: Dict[str, "Task[Any]"]) -> "tuple[int, str, str]":
    """The exit code of `baton test`, and what it has said; meanwhile its questions are answered, on this thread."""
    path = os.path.join(folder, "functions.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door, \
            open(os.path.join(folder, "out"), "w+b") as out, open(os.path.join(folder, "err"), "w+b") as err:
        if functions:
            door.bind(path)
            door.listen(1)
            words = [*words, "--functions", path]
        process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            # It connects once it has read the scenarios; if they are wrong it just ends.
            if functions and (line := _accept(door, process)) is not None:
                with line, line.makefile("rb") as questions:
                    for question in questions:
                        line.sendall(_answer(json.loads(question), functions) + b"\n")
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        return code, _text(out), _text(err)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def _accept(door: socket.socket, process: "subprocess.Popen[bytes]") -> Optional[socket.socket]:
    door.settimeout(0.05)
    while True:
        try:
            line, _ = door.accept()
        except socket.timeout:
            if process.poll() is not None:
                return None
        else:
            line.settimeout(None)
            return line


# ---- Functions


class _TestContext(Context):
    """Of an attempt on virtual time: `sleep` lets that pass, and what would be told the server is written down."""

    def __init__(self, attempt: Mapping[str, Any], task: "Task[Any]") -> None:
        request = Request(attempt["task"], attempt["token"], attempt["run"], attempt["step"], attempt["attempt"], task.name,
                          attempt["queued_at"])
        super().__init__(request, Endpoint(), None, attempt["spec"].get("with"))
        limits = attempt.get("timeout") or {}
        self._begun = instant(attempt["now"]) or datetime.datetime.now(datetime.timezone.utc)
        self._soft: Optional[float] = limits.get("soft")
        self._own = task.soft_time_limit or task.time_limit
        self._gap_begun = 0.0
        self.passed = 0.0  # seconds
        self.longest_gap: Optional[float] = None  # between signs of life
        self.over: Optional[str] = None  # why it was asked to end
        self.resources: List[str] = []
        self.adds: List[Dict[str, Any]] = []

    @property
    def deadline(self) -> Optional[datetime.datetime]:
        left = self.time_left()
        return None if left is None else self._begun + datetime.timedelta(seconds=self.passed + left)

    def time_left(self) -> Optional[float]:
        return None if self._soft is None else max(0.0, self._soft - self.passed)

    def sleep(self, seconds: float) -> None:
        self.check_cancelled()
        ends = [(limit, reason) for limit, reason in ((self._soft, "cancelled"), (self._own, "timeout")) if limit is not None]
        limit, reason = min(ends, default=(float("inf"), ""))
        if self.passed + seconds < limit:
            self.passed += max(0.0, seconds)
            return
        self.passed, self.over = limit, reason
        self.stop(reason)
        raise cancelled(reason)()

    def sign_of_life(self) -> None:
        gap = self.passed - self._gap_begun
        self.longest_gap = max(gap, self.longest_gap or 0.0)
        self._gap_begun = self.passed

    def flush(self, last: bool = False) -> bool:
        return True

    def print(self, *values: object, sep: str = " ", end: str = "\n") -> None:
        print(*values, sep=sep, end=end)

    def start_run(self, *_: Any, **__: Any) -> str:
        raise BatonError("a test on virtual time has no other runs that functions start; let a step of kind `workflow` do it, "
                         "or say in `steps` what this one does")

    def _tell(self, what: str, body: Dict[str, Any]) -> Any:
        self.check_cancelled()
        if what == "progress":
            self.sign_of_life()
            return {}
        if what == "tasks":
            added = json.loads(body["steps"])["steps"]
            self.adds.append({"steps": added, "detach": body["detach"]})
            return {"items": [{"id": f"{self.request.step}/{name}"} for name in added]}
        name = body["name"] if what == "resources" else what.split("/")[1]
        known = name in self.resources
        if what == "resources" and not known:
            self.resources.append(name)
        elif what != "resources" and known:
            self.resources.remove(name)
        return {"existing": known, "existed": known}


def _answer(attempt: Mapping[str, Any], functions: Mapping[str, "Task[Any]"]) -> bytes:
    """What an attempt does, in the words of scenarios."""
    name = attempt["spec"]["function"]
    task = functions.get(name)
    if task is None:
        return encode({"error": {"type": "no_function", "never": True, "message": f"the test has no function {name!r} in tasks=; "
                                 f"it has {', '.join(sorted(functions))}. What step {attempt['step']} does can be said in steps="}})
    context = _TestContext(attempt, task)
    report = _report(task, context)
    if isinstance(report.error, KeyboardInterrupt):  # that is for the test
        raise report.error
    outcome = _outcome(report)
    does: Dict[str, Any] = {}
    if context.resources:
        does["resources"] = context.resources
    if context.adds:
        does["adds"] = context.adds
    if context.longest_gap is not None:
        context.sign_of_life()  # nothing is missing behind the last one
        does["beats"] = _seconds(max(context.longest_gap, 0.001))
    if context.over == "cancelled":  # by the engine, which is about to ask
        does.update(takes="forever", on_stop={"takes": "0s", **outcome})
    else:
        does.update(takes=_seconds(context.passed), **outcome)
    return encode(does)


def _report(task: "Task[Any]", context: _TestContext) -> Report:
    if not task.is_async or not _loop_runs():
        return invoke(task, context.value, context)
    reports: List[Report] = []  # a loop cannot run within another one's thread
    thread = threading.Thread(target=lambda: reports.append(invoke(task, context.value, context)), name="baton-testing")
    thread.start()
    thread.join()
    return reports[0] if reports else raised(TimeLimit())


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _outcome(report: Report) -> Dict[str, Any]:
    said = json.loads(b"{" + report.body + b"}")
    if report.status == "completed":
        return {"result": said.get("result")}
    error = said.get("error") or {"type": "interrupted", "message": "the worker ended"}
    words = {"type": error["type"], "message": error["message"]}
    if error.get("retry") is False:
        words["never"] = True
    if "retry_after" in error:
        words["retry_after"] = _seconds(error["retry_after"])
    return {"error": words, **({"result": said["result"]} if "result" in said else {})}


def _seconds(length: float) -> str:
    return f"{length:.6f}".rstrip("0").rstrip(".") + "s"

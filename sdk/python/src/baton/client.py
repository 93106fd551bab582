"""Asks a server: make runs, look at them, steer them. The calls are those of docs/reference/api.md.

A `Client` may be shared by threads. `AsyncClient` is the same for asyncio.
"""

from __future__ import annotations

import json
import os
import time
import urllib.parse
import uuid
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Protocol, Sequence, Union

from .encoding import encode
from .errors import Invalid, RunFailed, Unavailable, WaitTimeout
from .models import Applied, Event, Run, TaskRow
from .operations import Operations, given, quoted
from .tasks import NAME, Signature, Task
from .transport import Endpoint, Transport, backoff
from .workflow import single

_LONGEST_WAIT = 300  # of one request, in seconds


class HasDefinition(Protocol):
    """What stands for a workflow: anything with its definition as a dict."""

    def to_dict(self) -> Dict[str, Any]: ...


Callee = Union[str, "Task[Any]"]
Definition = Union[str, Mapping[str, Any], HasDefinition, Signature]


def definition_text(definition: Definition) -> str:
    """The text of a definition: YAML or JSON as it is, all else as JSON."""
    if isinstance(definition, str):
        return definition
    if isinstance(definition, Signature):
        definition = single(definition)
    if not isinstance(definition, Mapping):
        definition = definition.to_dict()
    return encode(definition, "the definition").decode()


class Client(Operations):
    """Talks to one server.

    `target` is a URL, a socket or a data directory, as in `Endpoint.find`. For `patience` seconds, calls that may be repeated
    are repeated while nobody answers, as while a server restarts; then they raise Unavailable. Other errors are ApiError.
    """

    def __init__(self, target: Optional[Union[str, "os.PathLike[str]", Endpoint]] = None, *, key: Optional[str] = None,
                 ca_file: Optional[str] = None, timeout: float = 60.0, patience: float = 10.0) -> None:
        endpoint = target if isinstance(target, Endpoint) else Endpoint.find(target, key, ca_file)
        self.endpoint = endpoint
        self._transport = Transport(endpoint, timeout)
        self._patience = patience

    def close(self) -> None:
        """Ends its connections; calls of other threads raise Unavailable."""
        self._transport.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- Making runs

    def submit(self, definition: Definition, input: Optional[Mapping[str, Any]] = None, *,  # noqa: A002
               job_id: Optional[str] = None, metadata: Optional[Mapping[str, Any]] = None,
               priority: Optional[int] = None, idempotency_key: Optional[str] = None, workdir: Optional[str] = None,
               env: Optional[Mapping[str, str]] = None) -> Run:
        """Makes a run of a definition (a text, a dict, a `Workflow`, or a `task.s(…)` alone). When it returns, the run is durable.

        With the same `idempotency_key` the same request gives the same run again; without one, a key of its own makes
        sure that a lost answer makes no second run.
        """
        body: Dict[str, Any] = {"definition": definition_text(definition)}
        return self._make(body, input, job_id, metadata, priority, idempotency_key, workdir, env)

    def start(self, workflow: str, input: Optional[Mapping[str, Any]] = None, *,  # noqa: A002
              version: Optional[int] = None, job_id: Optional[str] = None,
              metadata: Optional[Mapping[str, Any]] = None, priority: Optional[int] = None,
              idempotency_key: Optional[str] = None, workdir: Optional[str] = None,
              env: Optional[Mapping[str, str]] = None) -> Run:
        """Makes a run of a workflow that was applied, of the version that counts or of `version`."""
        body: Dict[str, Any] = {"workflow": workflow}
        if version is not None:
            body["version"] = version
        return self._make(body, input, job_id, metadata, priority, idempotency_key, workdir, env)

    def apply(self, definition: Definition, *, note: Optional[str] = None, expect: Optional[int] = None,
              dry_run: bool = False) -> Applied:
        """Stores a workflow and makes it the version that counts; with `expect`, only if that version counts now (0: none)."""
        body: Dict[str, Any] = {"definition": definition_text(definition)}
        if note is not None:
            body["note"] = note
        if dry_run:
            body["dry_run"] = True
        headers = {"If-Match": f'"{expect}"'} if expect is not None else {}
        headers["Idempotency-Key"] = uuid.uuid4().hex  # with `expect`, a repetition would meet its own first try
        return Applied.read(self._transport.request("POST", "/api/v1/workflows", body, headers=headers,
                                                    patience=self._patience)[1])

    def call(self, task: Callee, *args: Any, **kwargs: Any) -> Run:
        """Makes a run of one step that calls a function with these arguments: a task, whose policies hold, or the name of one
        (then by place or by name, not both). With other policies, or what belongs to a run: `submit(task.s(…).set(…), priority=…)`."""
        if isinstance(task, str):
            if args and kwargs:
                raise TypeError("arguments of a function that is only known by name stand by place or by name, not both")
            if not NAME.match(task):
                raise ValueError(f"{task!r} is no name of a function: letters, digits, . _ -, at most 128, the first a letter or digit")
            value = list(args) or kwargs or None
            step = {"task": task, **given(**{"with": value})}
            return self.submit({"name": task, "steps": {task.rpartition(".")[2] or task: step}})
        return self.submit(single(task.s(*args, **kwargs)))

    def submit_many(self, definition: Definition, inputs: Sequence[Optional[Mapping[str, Any]]], *,
                    idempotency_key: Optional[str] = None) -> List[str]:
        """Makes a run for each input, up to 1,000, by one request; an applied workflow is named by `{"workflow": NAME}`. Returns
        their ids in that order, once all are durable. Raises Invalid if one is refused (those before and after it are made:
        the same call with the same key makes no run twice)."""
        body: Dict[str, Any] = {"runs": [given(input=input) for input in inputs]}
        named = isinstance(definition, Mapping) and set(definition) <= {"workflow", "version"}
        body.update(definition if named and isinstance(definition, Mapping) else {"definition": definition_text(definition)})
        made = self._act("POST", "/api/v1/runs/batch", body, idempotency_key)["runs"]
        for place, one in enumerate(made):
            if "error" in one:
                raise Invalid(422, {**one["error"], "detail": f"run {place} of {len(made)}: {one['error'].get('message', 'refused')}",
                                    "pointer": f"/runs/{place}"})
        return [str(one["id"]) for one in made]

    # ---- Looking at runs

    def get(self, run: str) -> Run:
        """One run, by its id."""
        return Run.read(self._get(f"/api/v1/runs/{quoted(run)}"))

    def list(self, *, status: Optional[str] = None, state: Optional[str] = None, workflow: Optional[str] = None,  # noqa: A003
             job_id: Optional[str] = None, where: Optional[str] = None, limit: Optional[int] = None) -> Iterator[Run]:
        """Runs, the newest first, at most `limit`; pages are fetched as they are needed."""
        query = {"status": status, "state": state, "workflow": workflow, "job_id": job_id, "where": where}
        return (Run.read(item) for item in self._pages("/api/v1/runs", query, limit))

    def tasks(self, run: str, *, limit: Optional[int] = None) -> Iterator[TaskRow]:
        """The tasks of a run in the order of its steps."""
        return (TaskRow.read(item) for item in self._pages("/api/v1/tasks", {"run": run}, limit))

    def task(self, task: str) -> TaskRow:
        """One task; `raw["attempt_list"]` has its attempts."""
        return TaskRow.read(self._get(f"/api/v1/tasks/{quoted(task)}"))

    def progress(self, run: str) -> Dict[str, Any]:
        """How far a run is, step by step."""
        return dict(self._get(f"/api/v1/runs/{quoted(run)}/progress"))

    def explain(self, run: str) -> List[str]:
        """Why a run, or what of it, is not running: sentences, the nearest reason first."""
        return [reason["message"] for reason in self._get(f"/api/v1/runs/{quoted(run)}/explain")["reasons"]]

    def wait(self, run: str, timeout: Optional[float] = None) -> Run:
        """The run as soon as it has ended, however it did. Raises WaitTimeout after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _LONGEST_WAIT if end is None else max(0.0, min(_LONGEST_WAIT, end - time.monotonic()))
            path = f"/api/v1/runs/{quoted(run)}/wait"
            found = Run.read(self._get(path, {"timeout": int(left + 0.999)}, wait=left + 1))
            if found.ended:
                return found
            if end is not None and time.monotonic() >= end:
                raise WaitTimeout(f"run {run} is {found.status} after {timeout:g} s")

    def result(self, run: str, timeout: Optional[float] = None) -> Any:
        """Waits for a run and returns what it came to: the result of its last step, or a dict of the results of its last
        steps (those that no other step needs) by name. A mapped step's result is the list of its items'. Raises RunFailed."""
        ended = self.wait(run, timeout)
        if ended.status != "completed":
            raise RunFailed(ended)
        results = self.results(run)
        last = last_steps(self._get(f"/api/v1/runs/{quoted(run)}/definition"))
        return results.get(last[0]) if len(last) == 1 else {step: results.get(step) for step in last}

    def results(self, run: str) -> Dict[str, Any]:
        """The results of a run's steps by name; of a mapped step a list in the order of its items."""
        return results_of(self.tasks(run))

    def events(self, run: str, after: Optional[str] = None) -> Iterator[Event]:
        """What happens to a run, from its start or behind the event `after`, until it has ended. Goes on by itself over a
        restart of the server, for `patience` seconds without an answer."""
        end = time.monotonic() + self._patience
        for pause in backoff():
            try:
                headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
                for event in _events(self._transport.stream(f"/api/v1/runs/{quoted(run)}/events", headers)):
                    after = event.id or after
                    end = time.monotonic() + self._patience
                    yield event
                    if event.type == "run.ended":
                        return
            except Unavailable:
                if time.monotonic() + pause > end:
                    raise
            else:
                if self.get(run).ended:
                    return
            time.sleep(pause)

    def all_events(self, after: Optional[str] = None, *, workflow: Optional[str] = None,
                   types: Sequence[str] = ()) -> Iterator[Event]:
        """What happens to all runs, from now on or behind the event `after`, only of a workflow or of some types ("run.ended", or
        "task" for all that begin so). Does not end by itself; over a restart of the server it goes on, for `patience` seconds without an
        answer. An event "reset" says that there were more behind `after` than the server has kept."""
        query = urllib.parse.urlencode(given(workflow=workflow, type=",".join(types) or None))
        path = "/api/v1/events" + (f"?{query}" if query else "")
        end = time.monotonic() + self._patience
        while True:
            for pause in backoff():
                try:
                    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
                    for event in _events(self._transport.stream(path, headers)):
                        after = event.id or after
                        yield event
                        end = time.monotonic() + self._patience
                    break
                except Unavailable:
                    if time.monotonic() + pause > end:
                        raise
                time.sleep(pause)

    def logs(self, task: str, *, attempt: Optional[int] = None) -> str:
        """What an attempt printed (default: the last one); of functions, what they told `ctx.log` and `ctx.print`."""
        return str(self._get(f"/api/v1/tasks/{quoted(task)}/logs", {"attempt": attempt}))

    # ---- Steering runs

    def cancel(self, run: str, *, terminate: bool = False, reason: Optional[str] = None) -> Run:
        """Asks a run to end; `terminate` at once. Of a run that has ended it is a Conflict."""
        return self._steer(run, "cancel", {"terminate": terminate or None, "reason": reason})

    def pause(self, run: str, *, step: Optional[str] = None, reason: Optional[str] = None) -> Run:
        """Starts nothing more of a run, or of a step of it, until it is resumed."""
        return self._steer(run, "pause", {"step": step, "reason": reason})

    def resume(self, run: str, *, step: Optional[str] = None) -> Run:
        """Lets a paused run or step go on."""
        return self._steer(run, "resume", {"step": step})

    def recover(self, run: str, *, from_step: Optional[Union[str, int]] = None, keep: Optional[List[str]] = None,
                failed_only: bool = False, force: bool = False, reason: Optional[str] = None) -> Run:
        """Makes a failed or cancelled run go on, from a step (by name, or by its place from 0) or from what failed."""
        return self._steer(run, "recover", {"from": from_step, "keep": keep, "failed_only": failed_only or None,
                                            "force": force or None, "reason": reason})

    def retry(self, run: str, *, force: bool = False, reason: Optional[str] = None) -> Run:
        """Tries again what failed in a run, and what was not done because of it."""
        return self._steer(run, "retry", {"force": force or None, "reason": reason})

    def replay(self, run: str, *, input: Optional[Mapping[str, Any]] = None, version: Optional[int] = None,  # noqa: A002
               job_id: Optional[str] = None, priority: Optional[int] = None,
               idempotency_key: Optional[str] = None) -> Run:
        """A new run with the same input but for `input`."""
        body = {"input": input, "version": version, "job_id": job_id, "priority": priority}
        return self._steer(run, "replay", body, key=idempotency_key or uuid.uuid4().hex)

    def signal(self, run: str, name: str, data: Any = None, *, idempotency_key: Optional[str] = None) -> int:
        """Tells a run that something has happened; returns the number of the signal."""
        path = f"/api/v1/runs/{quoted(run)}/signals/{quoted(name)}"
        return int(self._act("POST", path, {"data": data}, idempotency_key)["number"])

    def change(self, run: str, *, priority: Optional[int] = None, metadata: Optional[Mapping[str, Any]] = None,
               labels: Optional[Mapping[str, Optional[str]]] = None) -> Run:
        """Changes a run that has not ended. Metadata and labels are merged; None takes a member away. A new priority also
        moves what waits."""
        return Run.read(self._act("PATCH", f"/api/v1/runs/{quoted(run)}", given(priority=priority, metadata=metadata, labels=labels)))

    # ---- Everything else

    def request(self, method: str, path: str, body: Optional[Mapping[str, Any]] = None,
                query: Optional[Mapping[str, Any]] = None) -> Any:
        """Any call of the API that has no method here; returns its JSON, or its text."""
        return self._transport.request(method, path, body, query=query)[1]

    def _make(self, body: Dict[str, Any], input: Optional[Mapping[str, Any]], job_id: Optional[str],  # noqa: A002
              metadata: Optional[Mapping[str, Any]], priority: Optional[int], key: Optional[str],
              workdir: Optional[str], env: Optional[Mapping[str, str]]) -> Run:
        body.update(given(input=input, job_id=job_id, metadata=metadata, priority=priority,
                          context=given(workdir=workdir, env=env) or None))
        return Run.read(self._act("POST", "/api/v1/runs", body, key))

    def _steer(self, run: str, verb: str, body: Mapping[str, Any], key: Optional[str] = None) -> Run:
        return Run.read(self._act("POST", f"/api/v1/runs/{quoted(run)}/{verb}", given(**body), key))


def results_of(tasks: Iterable[TaskRow]) -> Dict[str, Any]:
    """The results of steps by name; of a mapped step a list in the order of its items."""
    found: Dict[str, Any] = {}
    items: Dict[str, List[Any]] = {}
    for task in tasks:
        if task.raw["role"] != "main":
            continue
        if task.index is None:
            found.setdefault(task.step, task.result)
        else:
            found[task.step] = items.setdefault(task.step, [])
            items[task.step].append(task.result)
    return found


def last_steps(definition: Mapping[str, Any]) -> List[str]:
    """The steps of a definition that no other one needs."""
    steps: Mapping[str, Any] = definition["steps"]
    needed = {name for step in steps.values() for name in step.get("needs") or []}
    return [name for name in steps if name not in needed]


def _events(lines: Iterator[bytes]) -> Iterator[Event]:
    """The events of a stream of lines (the HTML standard's "server-sent events")."""
    name, place = "message", None
    data: List[str] = []
    for raw in lines:
        line = raw.decode("utf-8").rstrip("\r\n")
        if not line:
            if data:
                yield Event(place, name, json.loads("\n".join(data)))
            name, data = "message", []
        elif not line.startswith(":"):
            key, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if key == "event":
                name = value
            elif key == "id":
                place = value
            elif key == "data":
                data.append(value)

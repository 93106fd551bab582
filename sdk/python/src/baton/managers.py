"""`TaskManager` and `WorkflowManager`: single functions and small workflows of functions of this process.

For programs that are written around such managers. Everything that they do is a run of the server; all else is better said
with `@task`, `Workflow` and `Client`.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Optional, Tuple

from .adhoc import Functions
from .client import Client
from .errors import BatonError, RunFailed
from .models import Run
from .tasks import arguments
from .workflow import Workflow, name_of

_WORDS = {"completed": "success", "failed": "failure", "cancelled": "canceled", "cancelling": "running", "paused": "running",
          "recovering": "running"}


def status_word(run: Run) -> str:
    """A run's status in these words: pending, running, success, failure, timeout, canceled."""
    if run.status == "failed" and run.error is not None and run.error.type == "timeout":
        return "timeout"
    return _WORDS.get(run.status, run.status)


def _policies(timeout: Optional[float], max_retries: int, retry_delay_seconds: Optional[float]) -> Dict[str, Any]:
    policies: Dict[str, Any] = {}
    if timeout is not None:
        policies["timeout"] = timeout
    if max_retries:
        policies["retry"] = {"max_retries": max_retries}
        if retry_delay_seconds is not None:
            policies["retry"]["initial"] = retry_delay_seconds
    return policies


def _delay(flow: Workflow, delay: Optional[float], at: Optional[datetime], interval: Optional[float]) -> Tuple[str, ...]:
    """The step that waits, for what is to begin later."""
    if interval is not None:
        raise BatonError("what repeats by time is not in this version of Baton; call it from cron, or use delay= or at=")
    if (delay is None) == (at is None):
        raise ValueError("say when: one of delay= (seconds) and at= (an aware datetime)")
    if at is not None:
        if at.tzinfo is None:
            raise ValueError("at= needs a time zone, such as datetime.now(timezone.utc)")
        flow.step("wait", wait={"until": at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")})
    else:
        flow.step("wait", wait={"for": delay})
    return ("wait",)


class TaskManager:
    """Runs single functions; ids are run ids."""

    def __init__(self, client: Optional[Client] = None) -> None:
        self._functions = Functions(client)
        self._name = f"call-{uuid.uuid4().hex}"  # one function for all calls: a worker has at most 1,000
        self._lock = threading.Lock()  # guards what follows
        self._calls: Dict[str, Callable[..., Any]] = {}

    def queue_task(self, func: Callable[..., Any], *, args: Any = None, timeout: Optional[float] = None, max_retries: int = 0,
                   retry_delay_seconds: Optional[float] = None, priority: Optional[int] = None,
                   metadata: Optional[Dict[str, Any]] = None) -> str:
        """Has a function carried out; returns the task's id once that is durable. `args` is a dict, or a list of arguments;
        `timeout` and `retry_delay_seconds` (doubled each time) are seconds; priority 9 comes first."""
        flow = Workflow("task")
        self._add_step(flow, func, args, _policies(timeout, max_retries, retry_delay_seconds), ())
        return self._functions.client.submit(flow, priority=priority, metadata=metadata).id

    def schedule_task(self, func: Callable[..., Any], *, delay: Optional[float] = None, at: Optional[datetime] = None,
                      interval: Optional[float] = None, args: Any = None, timeout: Optional[float] = None,
                      max_retries: int = 0) -> str:
        """The same, later: after `delay` seconds, or at an instant. The waiting is durable; the function is carried out if this
        process, or another one that has it, is there then. `interval` is not in this version."""
        flow = Workflow("task")
        after = _delay(flow, delay, at, interval)
        self._add_step(flow, func, args, _policies(timeout, max_retries, None), after)
        return self._functions.client.submit(flow).id

    def cancel_task(self, task_id: str) -> bool:
        """Asks a task to end; False if it had ended already."""
        client = self._functions.client
        if client.get(task_id).ended:
            return False
        client.cancel(task_id)
        return True

    def get_task_metadata(self, task_id: str) -> Dict[str, Any]:
        """What is known of a task: status (pending, running, success, failure, timeout, canceled), result, error, attempts,
        instants, and what was given as metadata."""
        client = self._functions.client
        run = client.get(task_id)
        task = next((entry for entry in client.tasks(task_id) if entry.step != "wait"))
        return {"task_id": run.id, "status": status_word(run), "result": task.result, "attempts": task.attempts,
                "error": task.error.message if task.error else None, "created_at": run.created_at,
                "started_at": task.started_at, "ended_at": run.ended_at, "metadata": run.metadata}

    def wait(self, task_id: str, timeout: Optional[float] = None) -> Any:
        """The function's result, once there is one. Raises RunFailed or WaitTimeout."""
        return self._functions.client.result(task_id, timeout)

    def close(self) -> None:
        """Ends what it has started."""
        self._functions.close()

    def __enter__(self) -> "TaskManager":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add_step(self, flow: Workflow, func: Callable[..., Any], args: Any, policies: Dict[str, Any],
                  needs: Tuple[str, ...]) -> None:
        with self._lock:
            if not self._calls:
                self._functions.add(self._name, self._carry_out)
            key = str(id(func))  # unique, since the function is kept
            self._calls[key] = func
        flow.step("call", task=self._name, with_={"call": key, "args": args}, needs=list(needs) or None, **policies)

    def _carry_out(self, call: str, args: Any = None) -> Any:
        with self._lock:
            func = self._calls[call]
        by_place, by_name = arguments(args)
        result = func(*by_place, **by_name)
        return asyncio.run(result) if asyncio.iscoroutine(result) else result


@dataclass
class Task:
    """A function in a workflow; `dependencies` are ids of other tasks of it."""

    task_id: str
    func: Callable[..., Any]
    dependencies: List[str] = field(default_factory=list)
    args: Any = None
    timeout: Optional[float] = None
    max_retries: int = 0
    retry_delay_seconds: Optional[float] = None
    priority: Optional[int] = None


class WorkflowManager:
    """Registers workflows and runs them; each change is a new version, and runs keep theirs."""

    def __init__(self, client: Optional[Client] = None) -> None:
        self._functions = Functions(client)
        self._workflows: Dict[str, Tuple[Dict[str, Any], List[Task]]] = {}

    def register_workflow(self, name: str, description: Optional[str] = None) -> str:
        """Stores a workflow without tasks; returns its id, which is its name in lower case."""
        workflow_id = name_of(name)
        known = self._workflows.get(workflow_id)
        if known is not None and known[0]["title"] != name:
            workflow_id = name_of(name, self._workflows)
        self._workflows[workflow_id] = ({"title": name, "description": description}, [])
        self._functions.client.apply(self._definition(workflow_id))
        return workflow_id

    def add_task_to_workflow(self, workflow_id: str, task: Task) -> None:
        """Adds a task; those that it depends on must be there already. Raises KeyError for an unknown workflow."""
        _, tasks = self._workflows[workflow_id]
        known = [entry.task_id for entry in tasks]
        if task.task_id in known:
            raise ValueError(f"the workflow has a task {task.task_id!r} already")
        for name in task.dependencies:
            if name not in known:
                raise ValueError(f"task {task.task_id!r} depends on {name!r}; there are: {', '.join(known) or 'none yet'}")
        self._functions.add(f"{workflow_id}.{task.task_id}", task.func)
        tasks.append(task)
        try:
            self._functions.client.apply(self._definition(workflow_id))
        except BaseException:
            tasks.pop()
            raise

    def run_workflow(self, workflow_id: str, timeout: Optional[float] = None) -> Dict[str, Any]:
        """Runs it and waits: the results of all tasks by id. Raises RunFailed or WaitTimeout."""
        client = self._functions.client
        run = client.wait(client.start(workflow_id).id, timeout)
        if run.status != "completed":
            raise RunFailed(run)
        return client.results(run.id)

    def schedule_workflow(self, workflow_id: str, *, delay: Optional[float] = None, at: Optional[datetime] = None,
                          interval: Optional[float] = None) -> str:
        """Runs it once, later; returns the id of the run that waits. `interval` is not in this version."""
        flow = Workflow(f"{workflow_id}.later")
        after = _delay(flow, delay, at, interval)
        flow.step("run", workflow=workflow_id, needs=list(after))
        return self._functions.client.submit(flow).id

    def close(self) -> None:
        """Ends what it has started."""
        self._functions.close()

    def __enter__(self) -> "WorkflowManager":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _definition(self, workflow_id: str) -> Workflow:
        about, tasks = self._workflows[workflow_id]
        flow = Workflow(workflow_id, title=about["title"], description=about["description"])
        for task in tasks:
            flow.step(task.task_id, task=f"{workflow_id}.{task.task_id}", with_=task.args, needs=task.dependencies or None,
                      priority=task.priority, **_policies(task.timeout, task.max_retries, task.retry_delay_seconds))
        return flow

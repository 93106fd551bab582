"""Workflows of handlers with an orchestrator: `JobOrchestrator` and its twelve methods.

For programs that are written around an orchestrator object; the handlers are functions of this process, and everything
about their runs is durable in the server. All else is better said with `Workflow` and `Client`.
"""

from __future__ import annotations

import asyncio
import functools
import uuid
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, TypeVar, Union

from .adhoc import Functions
from .client import Client
from .errors import RunFailed
from .models import Run
from .workflow import Workflow, name_of

T = TypeVar("T")


@dataclass
class WorkflowStep:
    """One step. `dependencies` are places of other steps in the list, `timeout` and `estimated_duration` are seconds; a failed
    handler is tried again up to `max_retries` times, after 1, 2, 4 … seconds."""

    name: str
    task_type: str
    handler: Callable[..., Any]
    max_retries: int = 0
    dependencies: List[int] = field(default_factory=list)
    estimated_duration: Optional[float] = None
    timeout: Optional[float] = None


@dataclass
class WorkflowDefinition:
    """A workflow; names may be titles, with blanks and capitals."""

    name: str
    steps: Sequence[WorkflowStep]
    max_recovery_attempts: int = 3

    def to_workflow(self) -> Workflow:
        """The same as a `Workflow`, whose functions are called WORKFLOW.STEP. Raises ValueError for a dependency on no step."""
        flow = Workflow(name_of(self.name), title=self.name, max_recovery_attempts=self.max_recovery_attempts)
        names: List[str] = []
        for step in self.steps:
            names.append(name_of(step.name, names))
        for place, (name, step) in enumerate(zip(names, self.steps)):
            wrong = [number for number in step.dependencies if not 0 <= number < len(names) or number == place]
            if wrong:
                raise ValueError(f"step {step.name!r} depends on {wrong[0]}; steps are numbered 0 to {len(names) - 1}")
            flow.step(name, title=step.name, type=step.task_type, needs=[names[number] for number in step.dependencies] or None,
                      task=f"{flow.name}.{name}", estimate=step.estimated_duration, timeout=step.timeout,
                      retry={"max_retries": step.max_retries} if step.max_retries else None)
        return flow

    def handlers(self) -> Dict[str, Callable[..., Any]]:
        """The functions by the names that the steps call."""
        flow = self.to_workflow()
        return {entry.fields["task"]: step.handler for entry, step in zip(flow.steps.values(), self.steps)}


class JobOrchestrator:
    """Makes and steers runs of workflow definitions. Ids are run ids; workflows are `baton.Run`s.

    Handlers run in this process, as long as the orchestrator is open. `client` says which server has the runs; without one a
    server is started as a child, with temporary data. (Repositories, which other orchestrators take here, are not needed:
    what is not a client is ignored.)
    """

    def __init__(self, *repositories: object, client: Optional[Client] = None) -> None:
        given = next((one for one in repositories if isinstance(one, Client)), None)
        self._functions = Functions(client or given)

    async def create_workflow(self, job_id: Union[int, str], workflow_def: WorkflowDefinition,
                              metadata: Optional[Mapping[str, Any]] = None) -> Run:
        """Stores a run that does not start yet: its steps wait in a queue of its own, which is paused."""
        def create() -> Run:
            client = self._functions.client
            flow = workflow_def.to_workflow()
            queue = f"start-{uuid.uuid4().hex}"
            flow.fields["defaults"] = {"queue": queue}
            self._register(workflow_def)
            client.request("POST", f"/api/v1/queues/{queue}/pause", {"reason": "its workflow was created and is not started"})
            return client.submit(flow, job_id=str(job_id), metadata=metadata)
        return await _in_thread(create)

    async def get_workflow(self, workflow_id: str) -> Run:
        """A workflow by its id; NotFound if there is none."""
        return await _in_thread(self._functions.client.get, str(workflow_id))

    async def get_workflow_by_job(self, job_id: Union[int, str]) -> Optional[Run]:
        """The newest workflow of a job, or None."""
        return await _in_thread(lambda: next(self._functions.client.list(job_id=str(job_id), limit=1), None))

    async def start_workflow(self, workflow_id: str) -> Run:
        """Lets a workflow that was created begin, or a paused one go on."""
        return await _in_thread(self._start, str(workflow_id))

    async def execute_workflow(self, workflow_id: str, workflow_def: Optional[WorkflowDefinition] = None) -> Run:
        """Starts a workflow and waits until it has ended. Raises RunFailed if it has not completed."""
        if workflow_def is not None:
            await _in_thread(self._register, workflow_def)
        await self.start_workflow(workflow_id)
        run = await _in_thread(self._functions.client.wait, str(workflow_id))
        if run.status != "completed":
            raise RunFailed(run)
        return run

    async def pause_workflow(self, workflow_id: str) -> Run:
        """Starts nothing more of it; what runs ends normally."""
        return await _in_thread(self._functions.client.pause, str(workflow_id))

    async def cancel_workflow(self, workflow_id: str) -> Run:
        """Asks it to end. Of one that has ended it is a Conflict."""
        return await _in_thread(self._functions.client.cancel, str(workflow_id))

    async def recover_workflow(self, workflow_id: str, from_step: Optional[Union[int, str]] = None) -> Run:
        """A failed or cancelled one does `from_step` (its place from 0, or its name) and all that follow again; a paused one
        goes on where it is."""
        def recover() -> Run:
            client = self._functions.client
            if client.get(str(workflow_id)).status == "paused":
                return client.resume(str(workflow_id))
            return client.recover(str(workflow_id), from_step=from_step)
        return await _in_thread(recover)

    async def get_workflow_progress(self, workflow_id: str) -> Dict[str, Any]:
        """How far it is: status, progress in percent, current_step of total_steps, tasks by state, and each task."""
        return await _in_thread(self._functions.client.progress, str(workflow_id))

    async def get_active_workflows(self) -> List[Run]:
        """All that have not ended."""
        return await self._list("active")

    async def get_failed_workflows(self) -> List[Run]:
        """All that have failed."""
        return await self._list("failed")

    async def get_recoverable_workflows(self) -> List[Run]:
        """All that have failed and were recovered less often than they may."""
        return await self._list("recoverable")

    async def close(self) -> None:
        """Ends what it has started."""
        await _in_thread(self._functions.close)

    async def __aenter__(self) -> "JobOrchestrator":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _register(self, workflow_def: WorkflowDefinition) -> None:
        for name, handler in workflow_def.handlers().items():
            self._functions.add(name, handler)

    def _start(self, workflow_id: str) -> Run:
        client = self._functions.client
        run = client.get(workflow_id)
        if run.status == "paused":
            client.resume(workflow_id)
        definition = client.request("GET", f"/api/v1/runs/{workflow_id}/definition")
        queues = {step.get("queue") for step in definition["steps"].values()}
        queues.add(definition.get("defaults", {}).get("queue"))
        for queue in sorted(name for name in queues if name and name.startswith("start-")):
            client.request("POST", f"/api/v1/queues/{queue}/resume", {})
        return client.get(workflow_id)

    async def _list(self, state: str) -> List[Run]:
        return await _in_thread(lambda: [*self._functions.client.list(state=state)])


async def _in_thread(function: Callable[..., T], *args: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, functools.partial(function, *args))

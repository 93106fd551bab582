"""Baton from Python: functions as tasks, workers that carry them out, a client, a builder of workflows.

    import baton

    @baton.task
    def double(n: int) -> int:
        return 2 * n

    with baton.local(double) as client:
        print(client.result(client.call(double, 21).id))

Start with docs/guide/python.md.
"""

from .aio import AsyncClient
from .canvas import chain, chord, chunks, group, map, starmap  # noqa: A004
from .client import Client
from .context import Context, Request, current
from .errors import (ApiError, BatonError, Cancelled, Conflict, Invalid, NotAllowed, NotFound, Overloaded, RemoteError, Retry,
                     RunFailed, Shutdown, StaleToken, TaskFailed, TimeLimit, Unavailable, WaitTimeout, WorkerLost)
from .local import Local, local
from .models import Applied, Event, Failure, Run, TaskRow
from .tasks import Signature, Task, task
from .transport import Endpoint
from .worker import Middleware, Worker
from .workflow import INDEX, ITEM, Expr, Step, Workflow, expr

__version__ = "0.1.0"

__all__ = [
    "INDEX", "ITEM", "ApiError", "Applied", "AsyncClient", "BatonError", "Cancelled", "Client", "Conflict", "Context", "Endpoint",
    "Event", "Expr", "Failure", "Invalid", "Local", "Middleware", "NotAllowed", "NotFound", "Overloaded", "RemoteError",
    "Request", "Retry", "Run", "RunFailed", "Shutdown", "Signature", "StaleToken", "Step", "Task", "TaskFailed", "TaskRow",
    "TimeLimit", "Unavailable", "WaitTimeout", "Worker", "WorkerLost", "Workflow", "chain", "chord", "chunks", "current",
    "expr", "group", "local", "map", "starmap", "task",
]

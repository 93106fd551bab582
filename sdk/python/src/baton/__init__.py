"""Baton from Python: functions as tasks, workers that carry them out, a client, a builder of workflows.

    import baton

    @baton.task
    def double(n: int) -> int:
        return 2 * n

    with baton.local(double) as client:
        print(client.result(client.call(double, 21).id))

Start with docs/guide/python.md.
"""

from .client import Client
from .context import Context, Request, current
from .errors import (ApiError, BatonError, Cancelled, Conflict, Invalid, NotAllowed, NotFound, Overloaded, RemoteError, Retry,
                     RunFailed, Shutdown, StaleToken, TaskFailed, TimeLimit, Unavailable, WaitTimeout, WorkerLost)
from .models import Applied, Event, Failure, Run, TaskRow
from .tasks import Signature, Task, task
from .transport import Endpoint
from .worker import Middleware, Worker

__version__ = "0.1.0"

__all__ = [
    "ApiError", "Applied", "BatonError", "Cancelled", "Client", "Conflict", "Context", "Endpoint", "Event", "Failure", "Invalid",
    "Middleware", "NotAllowed", "NotFound", "Overloaded", "RemoteError", "Request", "Retry", "Run", "RunFailed", "Shutdown",
    "Signature", "StaleToken", "Task", "TaskFailed", "TaskRow", "TimeLimit", "Unavailable", "WaitTimeout", "Worker",
    "WorkerLost", "current", "task",
]

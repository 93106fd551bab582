"""Baton from Python: functions as tasks, workers that carry them out, a client, a builder of workflows.

    import baton

    @baton.task
    def double(n: int) -> int:
        return 2 * n

    with baton.local(double) as client:
        print(client.result(client.call(double, 21).id))

Start with docs/guide/python.md.
"""

from typing import TYPE_CHECKING, Any, List

from .context import Context, Request, current
from .errors import (ApiError, BatonError, Cancelled, Conflict, Invalid, NotAllowed, NotFound, Overloaded, RemoteError, Retry,
                     RunFailed, Shutdown, StaleToken, Stopped, TaskFailed, TimeLimit, Unavailable, WaitTimeout, WorkerLost)
from .tasks import Signature, Task, task
from .transport import Endpoint

if TYPE_CHECKING:
    from .aio import AsyncClient
    from .canvas import chain, chord, chunks, group, map, starmap  # noqa: A004
    from .client import Client
    from .embedded import Local, local
    from .models import Applied, Event, Failure, Run, TaskRow
    from .worker.middleware import Middleware
    from .worker.worker import Worker
    from .workflow import INDEX, ITEM, Expr, Step, Workflow, expr

__version__ = "0.1.0"

__all__ = [
    "INDEX", "ITEM", "ApiError", "Applied", "AsyncClient", "BatonError", "Cancelled", "Client", "Conflict", "Context", "Endpoint",
    "Event", "Expr", "Failure", "Invalid", "Local", "Middleware", "NotAllowed", "NotFound", "Overloaded", "RemoteError",
    "Request", "Retry", "Run", "RunFailed", "Shutdown", "Signature", "StaleToken", "Step", "Stopped", "Task", "TaskFailed", "TaskRow",
    "TimeLimit", "Unavailable", "WaitTimeout", "Worker", "WorkerLost", "Workflow", "chain", "chord", "chunks", "current",
    "expr", "group", "local", "map", "starmap", "task",
]

# Loaded when they are first asked for. A process of a pool needs none of them, and is started anew after each crash.
_MODULES = {
    "aio": ("AsyncClient",),
    "canvas": ("chain", "chord", "chunks", "group", "map", "starmap"),
    "client": ("Client",),
    "embedded": ("Local", "local"),
    "models": ("Applied", "Event", "Failure", "Run", "TaskRow"),
    "worker.middleware": ("Middleware",),
    "worker.worker": ("Worker",),
    "workflow": ("INDEX", "ITEM", "Expr", "Step", "Workflow", "expr"),
}
_LATER = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module("." + _LATER[name], __name__), name)
    return value


def __dir__() -> List[str]:
    return sorted({*globals(), *_LATER})

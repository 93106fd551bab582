"""What is done around every task, in the worker's own process."""

from __future__ import annotations

from typing import Any

from ..context import Request
from ..tasks import Task


class Middleware:
    """Override what you need. `args` is the step's `with`. Called by the thread that carries the task out, or hands it to
    a process of its own; so it must be quick, and may be called by several threads at once. Of several, each is around those
    behind it: the first one's `before` comes first, its `after` or `on_failure` last."""

    def before(self, task: "Task[Any]", args: Any, request: Request) -> None:
        """Before each attempt. What it raises is how the attempt ends."""

    def after(self, task: "Task[Any]", args: Any, result: Any, request: Request) -> None:
        """After an attempt that returned, with what it returned."""

    def on_failure(self, task: "Task[Any]", args: Any, error: BaseException, traceback: str, request: Request) -> None:
        """After an attempt that failed. `error` is what was raised: of a process of its own a RemoteError, or WorkerLost if
        the process died. Whether it is tried again is the definition's business."""

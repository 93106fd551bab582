"""What carries attempts out. A pool is started, gets jobs and says of each exactly once how it ended."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable, Coroutine, List, Optional, Protocol, Sequence

from ..context import Context, enter, leave
from ..errors import Cancelled
from ..results import Report, completed, failed, raised, released
from ..tasks import Task, arguments
from .middleware import Middleware

log = logging.getLogger("baton.worker")

LATEST_BEGIN = 10  # a job begins within a tenth of its time, or is given back


class Job:
    """One attempt in this process. `end` is called once, by whoever comes first: the handler, or who ends it."""

    __slots__ = ("context", "task", "value", "_taken", "_begun", "_starting", "_ended", "_pool_done")

    def __init__(self, context: Context, task: "Task[Any]", value: Any, done: Callable[["Job", Report], None]) -> None:
        self.context = context
        self.task = task
        self.value = value
        self._taken = time.monotonic()
        self._begun = False
        self._starting = threading.Lock()  # guards _begun, and with it who decides about a job that has not begun
        self._ended = threading.Lock()
        self._pool_done = done

    @property
    def token(self) -> str:
        return self.context.request.token

    @property
    def is_open(self) -> bool:
        return not self._ended.locked()

    def begin(self) -> bool:
        """From here on it is the caller's. False: it was given back, or has begun."""
        with self._starting:
            if self._begun or not self.is_open:
                return False
            self._begun = True
            return True

    def withdraw(self) -> bool:
        """Gives it back, if it has not begun."""
        with self._starting:
            return not self._begun and self.end(released())

    @property
    def is_late(self) -> bool:
        """Whether too much of its time has passed while it waited here: it would be ended before it could have been done."""
        ends = self.context.request.soft_end
        return ends is not None and (time.monotonic() - self._taken) * LATEST_BEGIN > ends - self._taken

    def end(self, report: Report) -> bool:
        """Returns whether it was open until now."""
        if not self._ended.acquire(blocking=False):
            return False
        self._pool_done(self, report)
        return True


class Pool(Protocol):
    """Jobs may be handed in before `start`. No method waits for a handler."""

    def start(self) -> None: ...

    def submit(self, job: Job) -> None: ...

    def stop(self, job: Job, reason: str) -> None:
        """Asks the handler to end."""

    def kill(self, job: Job, report: Report) -> None:
        """Ends the job with this report, and the handler if that can be done."""

    def take_back(self) -> List[Job]:
        """The jobs that were not begun; they are the caller's again and are not ended."""

    def close(self) -> None:
        """No job comes any more; what runs is left alone or killed."""


class Hooks:
    """The middleware and the limits around each attempt, for all pools."""

    def __init__(self, middleware: Sequence[Middleware], begun: Optional[Callable[[Job], None]] = None) -> None:
        self._all = list(middleware)
        self._begun = begun

    def before(self, job: Job) -> Optional[Report]:
        """Of a job that is about to begin: None, or how it has ended already."""
        if job.is_late or not job.begin():
            return released()
        if job.context.cancelled:
            return raised(_error_of(job.context))
        if self._begun is not None and (job.task.soft_time_limit or job.task.time_limit):
            self._begun(job)
        try:
            for middleware in self._all:
                middleware.before(job.task, job.value, job.context.request)
        except Exception as error:
            return raised(error)
        return None

    def after(self, job: Job, report: Report, result: Callable[[], Any]) -> None:
        """Of a job that has ended; errors of middleware are logged and change nothing."""
        if report.status in ("interrupted", "released"):
            return
        for middleware in reversed(self._all):
            try:
                if report.status == "completed":
                    middleware.after(job.task, job.value, result(), job.context.request)
                else:
                    error = report.error or RuntimeError("failed")
                    middleware.on_failure(job.task, job.value, error, report.trace, job.context.request)
            except Exception:
                log.exception("%s of %s", type(middleware).__name__, job.task.name)


def _error_of(context: Context) -> Cancelled:
    """What says why an attempt was to end."""
    try:
        context.check_cancelled()
    except Cancelled as error:
        return error
    return Cancelled()


def invoke(task: "Task[Any]", value: Any, context: Context) -> Report:
    """Calls a plain function, or a coroutine function in a loop of its own. Whatever it does ends in a report; only what is
    raised into the thread from outside may still come out."""
    args, kwargs = arguments(value)
    before = enter(context)
    try:
        result = task.function(context, *args, **kwargs) if task.wants_context else task.function(*args, **kwargs)
        if task.is_async:
            result = _run_coroutine(result, context)
    except TypeError as error:
        return wrong_arguments(task, value) or raised(error, depth=1)
    except BaseException as error:
        ended = context.cancelled and type(error).__name__ == "CancelledError"  # asyncio's
        return raised(_error_of(context) if ended else error, depth=1)
    finally:
        leave(before)
    return completed(result)


def _run_coroutine(coroutine: Coroutine[Any, Any, Any], context: Context) -> Any:
    """In a loop of its own. To be asked to end is asyncio's CancelledError for it, as it is in a loop that it shares."""
    import asyncio  # only where it is needed: it costs a third of the start of a child

    async def run() -> Any:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        context.interrupt = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            return await coroutine
        finally:
            context.interrupt = None

    return asyncio.run(run())


def wrong_arguments(task: "Task[Any]", value: Any) -> Optional[Report]:
    """The report of an attempt whose arguments do not fit the function; None if they do."""
    args, kwargs = arguments(value)
    problem = task.check(args, kwargs)
    return None if problem is None else failed("validation", problem, retry=False, error=TypeError(problem))

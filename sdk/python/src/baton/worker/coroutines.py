"""Coroutine functions on one event loop, in a thread of its own."""

from __future__ import annotations

import asyncio
import collections
import threading
from typing import Any, Deque, Dict, List, Optional, Set

from ..context import enter
from ..errors import cancelled
from ..results import Report, completed, raised
from ..tasks import arguments
from .pool import Hooks, Job, wrong_arguments


class CoroutinePool:
    """At most `count` coroutines at a time. Stopping cancels them: the handler sees asyncio.CancelledError at its next
    await. A handler that does not await blocks all others; what is killed is left alone, and another one takes its place."""

    def __init__(self, count: int, hooks: Hooks) -> None:
        self._count = count
        self._hooks = hooks
        self._waiting: Deque[Job] = collections.deque()
        self._running: Dict[Job, "asyncio.Task[None]"] = {}  # only in the loop's thread
        self._abandoned: Set["asyncio.Task[None]"] = set()  # the same; killed, and still there
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._woken = False  # a call of _begin_some is on its way

    def start(self) -> None:
        ready = threading.Event()
        threading.Thread(target=self._run_loop, args=(ready,), name="baton-loop", daemon=True).start()
        ready.wait()

    def submit(self, job: Job) -> None:
        self._waiting.append(job)
        if not self._woken:
            self._woken = True
            self._soon(self._begin_some)

    def stop(self, job: Job, reason: str) -> None:
        job.context.stop(reason)
        self._soon(self._cancel, job)

    def kill(self, job: Job, report: Report) -> None:
        job.context.stop("cancelled")
        job.end(report)
        self._soon(self._abandon, job)

    def take_back(self) -> List[Job]:
        jobs: List[Job] = []
        while True:
            try:
                jobs.append(self._waiting.popleft())
            except IndexError:
                return jobs

    def close(self) -> None:
        if self._loop is not None:
            self._soon(self._loop.stop)

    def _run_loop(self, ready: threading.Event) -> None:
        loop = self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            if not self._running and not self._abandoned:  # else their handlers would be warned about; the process ends anyway
                loop.close()

    def _soon(self, function: Any, *args: Any) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(function, *args)

    def _cancel(self, job: Job) -> None:
        task = self._running.get(job)
        if task is not None:
            task.cancel()

    def _abandon(self, job: Job) -> None:
        task = self._running.pop(job, None)
        if task is not None:
            task.cancel()
            self._abandoned.add(task)  # a loop does not keep its tasks
            task.add_done_callback(self._abandoned.discard)
            self._begin_some()

    def _begin_some(self) -> None:
        self._woken = False
        while self._waiting and len(self._running) < self._count:
            try:
                job = self._waiting.popleft()
            except IndexError:
                return
            if job.is_open:
                self._running[job] = asyncio.get_running_loop().create_task(self._carry_out(job))

    async def _carry_out(self, job: Job) -> None:
        report = self._hooks.before(job)
        try:
            if report is None:
                enter(job.context)  # of this asyncio task, and ends with it
                report = await self._invoke(job)
        finally:
            self._running.pop(job, None)
            self._begin_some()
        if job.is_open:
            self._hooks.after(job, report, lambda: report.result)
        job.end(report)

    @staticmethod
    async def _invoke(job: Job) -> Report:
        args, kwargs = arguments(job.value)
        task, context = job.task, job.context
        try:
            called = task.function(context, *args, **kwargs) if task.wants_context else task.function(*args, **kwargs)
            return completed(await called)
        except TypeError as error:
            return wrong_arguments(task, job.value) or raised(error, depth=1)
        except asyncio.CancelledError as error:
            return raised(cancelled(context.reason)() if context.cancelled else error, depth=1)
        except BaseException as error:
            return raised(error, depth=1)

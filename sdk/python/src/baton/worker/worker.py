"""What to claim, what to report, what to stop; and how to end."""

from __future__ import annotations

import contextlib
import heapq
import logging
import math
import os
import re
import secrets
import signal
import socket
import threading
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from ..context import Context, Request, current_or_none
from ..errors import ApiError, BatonError, Stopped, Unavailable
from ..output import capture
from ..results import Report, failed, interrupted
from ..tasks import NAME, Task, as_task
from ..transport import Endpoint, backoff
from .link import MOST, MOST_BYTES, About, GivenUp, Link, Offer, Told
from .loading import refuse_while_loading
from .middleware import Middleware
from .pool import Hooks, Job, Pool
from .processes import ProcessPool
from .threads import ThreadPool
from .usage import UsageMeter

log = logging.getLogger("baton.worker")

FLUSH = 0.5  # seconds between looks at what attempts have said
POLL = 30  # seconds that a claim waits
LAST_REPORTS = 5.0  # seconds at most that the last reports wait for a server that is away
BEAT = 1.0  # seconds between heartbeats while something runs: so late does it hear of a cancel
POOLS = ("thread", "process", "async")


def default_name() -> str:
    """A name that no other process has."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:64].lstrip("._-") or "worker"
    return f"{host}-{os.getpid()}-{secrets.token_hex(3)}"


class Worker:
    """Takes the tasks of some functions and carries out `concurrency` of them at a time.

    `pool`: `thread` (plain functions on threads, coroutine functions on an event loop), `process` (everything in processes
    of their own, which end after `max_tasks_per_child` tasks) or `async` (coroutine functions only). `prefetch` more tasks
    are taken than run, so that short ones do not wait for the network; they are given back when the worker ends.

    `tags` are words that people see beside it (`baton workers list --tag`); nothing is decided by them.

    With `capture_output`, what tasks print goes to their logs on the server as well; threads that a task starts are not seen.

    `start` returns, `run` ends when the worker has, and heeds SIGINT and SIGTERM. `stop` ends it in good order: no more claims, what was not begun goes
    back, what runs has `grace` seconds, is asked to end, and is then reported as interrupted: it will be done again and no try
    is used up. A server that is away, or restarts, is waited for; what runs goes on. When a person lets the worker drain
    (`baton workers drain`), it ends in the same order, but what runs has all the time that it needs.
    """

    def __init__(self, tasks: Sequence[Union["Task[Any]", Callable[..., Any]]],
                 target: Optional[Union[str, "os.PathLike[str]", Endpoint]] = None, *, key: Optional[str] = None,
                 ca_file: Optional[str] = None, name: Optional[str] = None, queues: Sequence[str] = (),
                 concurrency: Optional[int] = None, prefetch: Optional[int] = None, pool: str = "thread",
                 max_tasks_per_child: Optional[int] = None, middleware: Sequence[Middleware] = (),
                 grace: float = 30.0, capture_output: bool = False, tags: Sequence[str] = ()) -> None:
        if pool not in POOLS:
            raise ValueError(f"there is no pool {pool!r}; there are {', '.join(POOLS)}")
        if max_tasks_per_child is not None and pool != "process":
            raise ValueError("max_tasks_per_child needs pool='process': threads have no child")
        self.endpoint = target if isinstance(target, Endpoint) else Endpoint.find(target, key, ca_file)
        self.name = name or default_name()
        for what, word in (("a worker", self.name), *(("a queue", queue) for queue in queues), *(("a tag", tag) for tag in tags)):
            if not NAME.match(word) or (what, word) == ("a worker", "local"):
                raise ValueError(f"{word!r} is no name of {what}: letters, digits, . _ -, at most 128, the first a letter or digit")
        self._queues = tuple(queues)
        self._concurrency = concurrency or {"async": 100}.get(pool, 2 * (os.cpu_count() or 1))
        if self._concurrency < 1 or (prefetch or 0) < 0:
            raise ValueError("concurrency must be at least 1, prefetch at least 0")
        self._capacity = self._concurrency + (3 * self._concurrency if prefetch is None else prefetch)
        self._grace = grace
        self._about = About(tuple(tags), self._concurrency)
        self._kind = pool
        self._capture = capture_output
        self._hooks = Hooks(middleware, self._begun)
        self._link = Link(self.endpoint, self.name, self._too_late)
        self._changed = threading.Condition()  # guards what follows
        self._tasks: Dict[str, Task[Any]] = {}
        self._held: Dict[str, Job] = {}  # by token: everything that a heartbeat must name
        self._done: Deque[Tuple[Job, Report]] = deque()
        self._unended = 0  # jobs of _held that have not ended
        self._polling = 0  # tasks that the claim which waits may bring
        self._claiming = False  # with reports; one of both at a time, so that a repeated claim can name all that is held
        self._version = 0  # of _tasks
        self._offered = 0  # the version that the claim which waits has told
        self._registered = False
        self._draining = False
        self._patient = False  # it drains because the server wants it: what runs has all the time it needs
        self._give_up_at: Optional[float] = None
        self._error: Optional[BaseException] = None
        self._ended = threading.Event()
        self._busy = threading.Event()  # something was claimed since the last heartbeat
        self._limits = _Limits(self._over_limit)
        self._processes: Optional[ProcessPool] = None
        if pool == "process":
            self._processes = ProcessPool(self._concurrency, self._hooks, self.endpoint, self._finish, max_tasks_per_child,
                                          capture_output)
        self._pools: Dict[str, Pool] = {}
        for task in tasks:
            self.add(task)

    # ---- Life

    def start(self) -> None:
        """Begins to work. Returns when the server knows of it, which is waited for; raises what stands against that, Stopped if
        `stop` was called meanwhile."""
        refuse_while_loading("a worker is started")
        if not self._tasks:
            raise ValueError("a worker needs at least one function")
        for task in self._tasks.values():
            self._pool_of(task)
        if self._capture:
            capture(current_or_none)
        try:
            lease = self._link.register(self._offer(), self._about)
        except GivenUp as error:
            self._finish(None)
            raise Stopped(f"the worker was stopped before the server answered: {error.__cause__}") from None
        self._registered = True
        threading.Thread(target=self._guarded(self._beat), args=(lease,), name="baton-heartbeat", daemon=True).start()
        threading.Thread(target=self._guarded(self._poll), name="baton-claim", daemon=True).start()
        threading.Thread(target=self._guarded(self._exchange), name="baton-report", daemon=True).start()
        if self._kind != "process":  # children send their own
            threading.Thread(target=self._guarded(self._send_output), name="baton-output", daemon=True).start()

    def run(self, signals: bool = True) -> None:
        """Works until `stop` or, in the main thread and unless `signals` is False, SIGINT or SIGTERM, a second of which ends the waiting
        for what runs. Raises what went wrong; to be stopped before a server has answered is no error."""
        with self._stopped_by_signals(signals):
            try:
                self.start()
            except Stopped as error:
                log.info("%s", error)
                return
            log.info("worker %s of %s: %s", self.name, self.endpoint, ", ".join(self._tasks))
            while not self.join(3600.0):
                pass

    @contextlib.contextmanager
    def _stopped_by_signals(self, signals: bool) -> Iterator[None]:
        if not signals or threading.current_thread() is not threading.main_thread():
            yield
            return

        def on_signal(*_: object) -> None:
            # On a thread of its own: the one that is interrupted may hold the lock.
            threading.Thread(target=self.stop, daemon=True).start()

        before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)  # None: it was not set from Python

    def join(self, timeout: Optional[float] = None) -> bool:
        """Waits until the worker has ended; returns whether it has. Raises what ended it, if that was an error."""
        ended = self._ended.wait(timeout)
        if self._error is not None:
            raise self._error
        return ended

    def stop(self, now: bool = False) -> None:
        """Begins the end and returns; a second time, or with `now`, without waiting for what runs. Safe in signal handlers
        when it is called on a thread of its own."""
        with self._changed:
            again = self._draining and not self._patient
            self._begin_drain()
            self._patient = False
            if again or now:
                self._give_up_at = time.monotonic()
            self._changed.notify_all()

    def _begin_drain(self) -> None:
        """Under the lock."""
        if not self._draining:
            self._draining = True
            threading.Thread(target=self._guarded(self._drain), name="baton-drain", daemon=True).start()
            self._changed.notify_all()

    def _heed(self, answer: Dict[str, Any], paused: bool) -> bool:
        """What a person has said of this worker. Returns whether it is paused."""
        now_paused = bool(answer.get("paused"))
        if now_paused != paused:
            log.info("paused: the server hands out nothing more to this worker" if now_paused else "not paused any more")
        if answer.get("drain"):
            with self._changed:
                if not self._draining:
                    log.info("the server wants this worker to end: it takes nothing more, and what runs goes on")
                    self._patient = True
                    self._begin_drain()
        return now_paused

    def __enter__(self) -> "Worker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.join()

    def add(self, function: Union["Task[Any]", Callable[..., Any]], replace: bool = False) -> "Task[Any]":
        """One more function, also while it works; with `replace`, instead of one of the same name."""
        task = as_task(function)
        with self._changed:
            known = self._tasks.get(task.name)
            if known is not None and known.function is not task.function and not replace:
                raise ValueError(f"two functions are called {task.name!r}; give one of them another name")
            if len(self._tasks) >= MOST and known is None:
                raise ValueError(f"a worker has at most {MOST} functions")
            if self._kind == "async" and not task.is_async:
                raise ValueError(f"{task.name} is no coroutine function; pool='thread' takes both")
            if self._processes is not None:
                self._processes.add(task)
            self._tasks[task.name] = task
            self._version += 1
            version = self._version
        self._send_home(version)  # the next claim names it
        return task

    # ---- The threads

    def _poll(self) -> None:
        """Asks for work whenever there is room for it and the reports do not bring enough."""
        while True:
            with self._changed:
                while not (self._draining or self._room() > 0 and not self._claiming):
                    self._changed.wait()
                if self._draining:
                    return
                most = self._polling = min(MOST, self._room())
                self._offered = self._version
                offer = self._offer()
                held = list(self._held)
            self._take(self._link.claim(offer, most, POLL, held), polled=True)

    def _send_home(self, version: int) -> None:
        """Has the claim that waits answered if it knows less than this version of the functions. It may just be on its way to
        the server, and then come after the one that is to take its place: so until it is back."""
        while True:
            with self._changed:
                if not self._polling or self._offered >= version or self._ended.is_set():
                    return
            self._link.claim(self._offer(), 0)
            with self._changed:
                if self._polling and self._offered < version:
                    self._changed.wait(0.05)

    def _exchange(self) -> None:
        """Reports what has ended, as much as there is at a time, and claims with the same call if nobody else does."""
        while True:
            with self._changed:
                while not self._done and not (self._draining and not self._held):
                    self._changed.wait()
                if not self._done:
                    return
                batch = self._next_batch()
                most = 0 if self._draining or self._polling else max(0, min(MOST, self._room()))
                self._claiming = most > 0
                held = list(self._held) if most else []
            for job, _ in batch:  # the output first: an attempt that was reported takes no more
                if self._kind != "process":
                    self._flush_last(job)
            tasks = self._link.exchange([Told(job.context.request.task, job.token, report) for job, report in batch],
                                        self._offer(), most, held)
            with self._changed:
                for job, _ in batch:
                    self._held.pop(job.token, None)
            self._take(tasks)

    def _flush_last(self, job: Job) -> None:
        for pause in backoff():
            if job.context.flush(last=True) or self._too_late():
                return
            time.sleep(min(2.0, pause))

    def _send_output(self) -> None:
        """What the attempts of this process have said so far."""
        while not self._ended.wait(FLUSH):
            with self._changed:
                jobs = list(self._held.values())
            for job in jobs:
                if job.is_open:
                    job.context.flush()

    def _beat(self, lease: float) -> None:
        """Renews the lease and hears what is to be stopped."""
        meter = UsageMeter()
        paused = False
        while True:
            with self._changed:
                tokens = list(self._held)
            try:
                answer = self._link.heartbeat(tokens, self._about, meter.look())
                paused = self._heed(answer, paused)
            except Unavailable:
                answer = {"lease": lease, "stop": []}
            except ApiError as error:
                if error.status < 500 and error.status != 429:
                    raise
                answer = {"lease": lease, "stop": []}
            lease = float(answer["lease"])
            for entry in answer["stop"]:
                with self._changed:
                    job = self._held.get(entry["token"])
                # The server knows why one that has not begun is to end: what was cancelled is not queued again.
                if job is not None and job.is_open and not job.withdraw():
                    self._end(job, entry["mode"])
            if not tokens:
                self._busy.wait(lease / 3)
            if self._ended.wait(min(lease / 3, BEAT)):
                return
            self._busy.clear()

    def _drain(self) -> None:
        """The end, in good order."""
        self._send_home(self._version + 1)
        self._give_back([job for pool in self._pools.values() for job in pool.take_back() if job.begin()])
        self._wait_for_end_until(lambda: math.inf if self._patient else 0.0)
        grace_ends = time.monotonic() + self._grace
        self._wait_for_end_until(lambda: min(grace_ends, self._give_up_at or grace_ends))
        if self._open_jobs():
            for job in self._open_jobs():
                self._pool_of(job.task).stop(job, "shutdown")
            asked = time.monotonic() + min(LAST_REPORTS, self._grace)
            self._wait_for_end_until(lambda: asked)
            for job in self._open_jobs():
                self._pool_of(job.task).kill(job, interrupted())
        # What was let run to its end has its report's time, too.
        self._give_up_at = time.monotonic() + (LAST_REPORTS if self._patient else min(LAST_REPORTS, self._grace))
        with self._changed:
            self._changed.notify_all()
            while self._held and not self._too_late():
                self._changed.wait(0.1)
        self._link.farewell()
        self._finish(None)

    def _guarded(self, function: Callable[..., None]) -> Callable[..., None]:
        """What goes wrong in a thread ends the worker, and `join` raises it."""
        def guarded(*args: Any) -> None:
            try:
                function(*args)
            except GivenUp as error:
                self._finish(BatonError(f"the worker has ended without the server, which does not answer: {error.__cause__}"))
            except BaseException as error:
                self._finish(error)
        return guarded

    # ---- Jobs

    def _take(self, claimed: Sequence[Dict[str, Any]], polled: bool = False) -> None:
        jobs = []
        with self._changed:
            if polled:
                self._polling = 0
            else:
                self._claiming = False
            for entry in claimed:
                if entry["token"] not in self._held:
                    job = self._job(entry)
                    self._held[job.token] = job
                    jobs.append(job)
            self._unended += len(jobs)
            draining = self._draining
            self._changed.notify_all()
        if jobs:
            self._busy.set()
        if draining:
            self._give_back(jobs)
        else:
            for job in jobs:
                self._pool_of(job.task).submit(job)

    def _job(self, entry: Dict[str, Any]) -> Job:
        spec = entry["spec"]
        name = spec["function"]
        request = Request(entry["task"], entry["token"], entry["run"], entry["step"], entry["attempt"], name,
                          entry["queued_at"], *_ends(entry))
        context = Context(request, self.endpoint, self._link.transport, spec.get("with"))
        return Job(context, self._tasks[name], context.value, self._job_ended)

    def _job_ended(self, job: Job, report: Report) -> None:
        with self._changed:
            self._unended -= 1
            self._done.append((job, report))
            self._changed.notify_all()

    def _next_batch(self) -> List[Tuple[Job, Report]]:
        batch: List[Tuple[Job, Report]] = []
        size = 0
        while self._done and len(batch) < MOST and size < MOST_BYTES:
            batch.append(self._done.popleft())
            size += len(batch[-1][1].body)
        return batch

    def _give_back(self, jobs: Sequence[Job]) -> None:
        self._link.release([(job.context.request.task, job.token) for job in jobs])
        with self._changed:
            self._unended -= len(jobs)
            for job in jobs:
                self._held.pop(job.token, None)
            self._changed.notify_all()

    def _end(self, job: Job, mode: str, reason: str = "cancelled") -> None:
        pool = self._pool_of(job.task)
        if mode == "soft":
            pool.stop(job, reason)
        else:
            text = "went on after its time limit" if reason == "timeout" else "ended by the server"
            pool.kill(job, failed(reason, text))

    def _begun(self, job: Job) -> None:
        self._limits.add(job, job.task.soft_time_limit, job.task.time_limit)

    def _over_limit(self, job: Job, mode: str) -> None:
        if job.is_open:
            self._end(job, mode, "timeout")

    def _pool_of(self, task: "Task[Any]") -> Pool:
        kind = self._kind if self._kind != "thread" or not task.is_async else "async"
        with self._changed:
            pool = self._pools.get(kind)
            if pool is None:
                pool = self._pools[kind] = self._processes or self._made(kind)
                pool.start()
            return pool

    def _made(self, kind: str) -> Pool:
        if kind == "thread":
            return ThreadPool(self._concurrency, self._hooks)
        from .coroutines import CoroutinePool  # only where there are coroutines: asyncio is slow to import
        return CoroutinePool(self._concurrency, self._hooks)

    # ---- Small things

    def _offer(self) -> Offer:
        with self._changed:
            return Offer(tuple(self._tasks), self._queues)

    def _room(self) -> int:
        return self._capacity - self._unended - self._polling

    def _open_jobs(self) -> List[Job]:
        with self._changed:
            return [job for job in self._held.values() if job.is_open]

    def _wait_for_end_until(self, when: Callable[[], float]) -> None:
        with self._changed:
            while self._unended and time.monotonic() < when():
                self._changed.wait(max(0.0, min(1.0, when() - time.monotonic())))

    def _too_late(self) -> bool:
        if not self._registered:  # there is nothing that could be lost
            return self._draining
        return self._give_up_at is not None and time.monotonic() >= self._give_up_at

    def _finish(self, error: Optional[BaseException]) -> None:
        with self._changed:
            if self._ended.is_set():
                return
            self._error = error
            self._draining = True
            self._give_up_at = self._give_up_at or time.monotonic()
            self._changed.notify_all()
        self._limits.close()
        for pool in list(self._pools.values()):
            pool.close()
        self._ended.set()
        self._busy.set()
        self._link.transport.close()


def _ends(entry: Dict[str, Any]) -> Tuple[Optional[float], Optional[float]]:
    """When the server will ask an attempt to end, and end it: on time.monotonic()."""
    limits = entry.get("timeout")
    if limits is None:
        return None, None
    now = time.monotonic()
    return now + float(limits["soft"]), now + float(limits["hard"])


class _Limits:
    """Ends attempts when the time of their function is over. Has a thread only once there is a limit."""

    def __init__(self, over: Callable[[Job, str], None]) -> None:
        self._over = over
        self._changed = threading.Condition()  # guards what follows
        self._due: List[Tuple[float, int, Job, str]] = []
        self._count = 0
        self._thread: Optional[threading.Thread] = None
        self._closed = False

    def add(self, job: Job, soft: Optional[float], hard: Optional[float]) -> None:
        now = time.monotonic()
        with self._changed:
            for limit, mode in ((soft, "soft"), (hard, "hard")):
                if limit is not None:
                    self._count += 1
                    heapq.heappush(self._due, (now + limit, self._count, job, mode))
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="baton-limits", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._due or self._due[0][0] > time.monotonic()):
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._closed:
                    return
                _, _, job, mode = heapq.heappop(self._due)
            self._over(job, mode)

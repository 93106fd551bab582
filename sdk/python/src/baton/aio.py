"""The client for asyncio: the methods of `Client`, as coroutines."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Coroutine, Iterable, Iterator, List, Optional, Sequence, TypeVar, Union

from .client import Client
from .models import Event
from .transport import Endpoint

T = TypeVar("T")
if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")
    # What methods of AsyncClient are: those of Client with its parameters, awaited.
    Waiting = Callable[Concatenate["AsyncClient", P], Coroutine[Any, Any, T]]


def _waiting(method: "Callable[Concatenate[Client, P], T]") -> "Waiting[P, T]":
    """A method of `Client` as a coroutine."""
    @functools.wraps(method)
    async def call(self: "AsyncClient", /, *args: "P.args", **kwargs: "P.kwargs") -> T:
        return await self._call(functools.partial(method, self.sync, *args, **kwargs))

    return call


def _listing(method: "Callable[Concatenate[Client, P], Iterable[T]]") -> "Waiting[P, List[T]]":
    """One that gives one thing after the other: all at once."""
    @functools.wraps(method)
    async def call(self: "AsyncClient", /, *args: "P.args", **kwargs: "P.kwargs") -> List[T]:
        return await self._call(lambda: [*method(self.sync, *args, **kwargs)])

    return call


class AsyncClient:
    """Talks to one server. Each call waits on one of `threads` threads, so that many calls may wait at a time without the
    loop noticing; more than that queue up. A call that is cancelled goes on in its thread. Lists come all at once."""

    def __init__(self, target: Optional[Union[str, "os.PathLike[str]", Endpoint]] = None, *, key: Optional[str] = None,
                 ca_file: Optional[str] = None, timeout: float = 60.0, patience: float = 10.0, threads: int = 32) -> None:
        from concurrent.futures import ThreadPoolExecutor  # here, as asyncio below: half of the time to import the package
        self.sync = Client(target, key=key, ca_file=ca_file, timeout=timeout, patience=patience)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="baton-client")

    async def close(self) -> None:
        """Ends its connections."""
        self.sync.close()
        self._threads.shutdown(wait=False)

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _call(self, function: Callable[[], T]) -> T:
        import asyncio
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    submit = _waiting(Client.submit)
    submit_many = _waiting(Client.submit_many)
    start = _waiting(Client.start)
    call = _waiting(Client.call)
    apply = _waiting(Client.apply)

    get = _waiting(Client.get)
    list = _listing(Client.list)  # noqa: A003
    tasks = _listing(Client.tasks)
    task = _waiting(Client.task)
    progress = _waiting(Client.progress)
    explain = _waiting(Client.explain)
    wait = _waiting(Client.wait)
    result = _waiting(Client.result)
    results = _waiting(Client.results)
    logs = _waiting(Client.logs)

    async def events(self, run: str, after: Optional[str] = None) -> AsyncIterator[Event]:
        """As `Client.events`."""
        async for event in self._streamed(self.sync.events(run, after)):
            yield event

    async def all_events(self, after: Optional[str] = None, *, workflow: Optional[str] = None,
                         types: Sequence[str] = ()) -> AsyncIterator[Event]:
        """As `Client.all_events`. It has a thread until it is closed and the next event has come."""
        async for event in self._streamed(self.sync.all_events(after, workflow=workflow, types=types)):
            yield event

    async def _streamed(self, events: Iterator[Event]) -> AsyncIterator[Event]:
        while True:
            event = await self._call(functools.partial(next, events, None))
            if event is None:
                return
            yield event

    cancel = _waiting(Client.cancel)
    pause = _waiting(Client.pause)
    resume = _waiting(Client.resume)
    recover = _waiting(Client.recover)
    retry = _waiting(Client.retry)
    replay = _waiting(Client.replay)
    signal = _waiting(Client.signal)
    change = _waiting(Client.change)
    request = _waiting(Client.request)

    workflows = _listing(Client.workflows)
    workflow = _waiting(Client.workflow)
    versions = _listing(Client.versions)
    retry_task = _waiting(Client.retry_task)
    skip_task = _waiting(Client.skip_task)
    complete_task = _waiting(Client.complete_task)
    fail_task = _waiting(Client.fail_task)
    approvals = _listing(Client.approvals)
    approve = _waiting(Client.approve)
    reject = _waiting(Client.reject)
    dead_letters = _listing(Client.dead_letters)
    dead_letter = _waiting(Client.dead_letter)
    replay_dead_letter = _waiting(Client.replay_dead_letter)
    discard_dead_letters = _waiting(Client.discard_dead_letters)
    queues = _waiting(Client.queues)
    pause_queue = _waiting(Client.pause_queue)
    resume_queue = _waiting(Client.resume_queue)
    set_route = _waiting(Client.set_route)
    delete_route = _waiting(Client.delete_route)
    routes = _waiting(Client.routes)
    workers = _waiting(Client.workers)
    pause_worker = _waiting(Client.pause_worker)
    resume_worker = _waiting(Client.resume_worker)
    drain_worker = _waiting(Client.drain_worker)
    secrets = _waiting(Client.secrets)
    set_secret = _waiting(Client.set_secret)
    delete_secret = _waiting(Client.delete_secret)

"""The client for asyncio: the methods of `Client`, as coroutines."""

from __future__ import annotations

import asyncio
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, AsyncIterator, Callable, Dict, List, Mapping, Optional, TypeVar, Union

from .client import Callee, Client, Definition
from .models import Applied, Event, Run, TaskRow
from .transport import Endpoint

T = TypeVar("T")


class AsyncClient:
    """Talks to one server. Each call waits on one of `threads` threads, so that many calls may wait at a time without the
    loop noticing; more than that queue up. A call that is cancelled goes on in its thread."""

    def __init__(self, target: Optional[Union[str, "os.PathLike[str]", Endpoint]] = None, *, key: Optional[str] = None,
                 ca_file: Optional[str] = None, timeout: float = 60.0, patience: float = 10.0, threads: int = 32) -> None:
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

    async def _call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(function, *args, **kwargs))

    async def submit(self, definition: Definition, input: Optional[Mapping[str, Any]] = None,  # noqa: A002
                     **options: Any) -> Run:
        """As `Client.submit`."""
        return await self._call(self.sync.submit, definition, input, **options)

    async def start(self, workflow: str, input: Optional[Mapping[str, Any]] = None, **options: Any) -> Run:  # noqa: A002
        """As `Client.start`."""
        return await self._call(self.sync.start, workflow, input, **options)

    async def call(self, task: Callee, *args: Any, **kwargs: Any) -> Run:
        """As `Client.call`."""
        return await self._call(self.sync.call, task, *args, **kwargs)

    async def apply(self, definition: Definition, **options: Any) -> Applied:
        """As `Client.apply`."""
        return await self._call(self.sync.apply, definition, **options)

    async def get(self, run: str) -> Run:
        """As `Client.get`."""
        return await self._call(self.sync.get, run)

    async def list(self, **query: Any) -> List[Run]:  # noqa: A003
        """As `Client.list`, all at once."""
        return await self._call(lambda: [*self.sync.list(**query)])

    async def tasks(self, run: str) -> List[TaskRow]:
        """As `Client.tasks`, all at once."""
        return await self._call(lambda: [*self.sync.tasks(run)])

    async def task(self, task: str) -> TaskRow:
        """As `Client.task`."""
        return await self._call(self.sync.task, task)

    async def progress(self, run: str) -> Dict[str, Any]:
        """As `Client.progress`."""
        return await self._call(self.sync.progress, run)

    async def wait(self, run: str, timeout: Optional[float] = None) -> Run:
        """As `Client.wait`."""
        return await self._call(self.sync.wait, run, timeout)

    async def result(self, run: str, timeout: Optional[float] = None) -> Any:
        """As `Client.result`."""
        return await self._call(self.sync.result, run, timeout)

    async def results(self, run: str) -> Dict[str, Any]:
        """As `Client.results`."""
        return await self._call(self.sync.results, run)

    async def explain(self, run: str) -> List[str]:
        """As `Client.explain`."""
        return await self._call(self.sync.explain, run)

    async def logs(self, task: str, *, attempt: Optional[int] = None) -> str:
        """As `Client.logs`."""
        return await self._call(self.sync.logs, task, attempt=attempt)

    async def cancel(self, run: str, **options: Any) -> Run:
        """As `Client.cancel`."""
        return await self._call(self.sync.cancel, run, **options)

    async def pause(self, run: str, **options: Any) -> Run:
        """As `Client.pause`."""
        return await self._call(self.sync.pause, run, **options)

    async def resume(self, run: str, **options: Any) -> Run:
        """As `Client.resume`."""
        return await self._call(self.sync.resume, run, **options)

    async def recover(self, run: str, **options: Any) -> Run:
        """As `Client.recover`."""
        return await self._call(self.sync.recover, run, **options)

    async def retry(self, run: str, **options: Any) -> Run:
        """As `Client.retry`."""
        return await self._call(self.sync.retry, run, **options)

    async def replay(self, run: str, **options: Any) -> Run:
        """As `Client.replay`."""
        return await self._call(self.sync.replay, run, **options)

    async def signal(self, run: str, name: str, data: Any = None, **options: Any) -> int:
        """As `Client.signal`."""
        return await self._call(self.sync.signal, run, name, data, **options)

    async def request(self, method: str, path: str, body: Optional[Mapping[str, Any]] = None,
                      query: Optional[Mapping[str, Any]] = None) -> Any:
        """As `Client.request`."""
        return await self._call(self.sync.request, method, path, body, query)

    async def events(self, run: str, after: Optional[str] = None) -> AsyncIterator[Event]:
        """As `Client.events`."""
        events = self.sync.events(run, after)
        while True:
            event = await self._call(next, events, None)
            if event is None:
                return
            yield event

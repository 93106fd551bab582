"""Functions of this process for runs that are made on the spot: who has a client but no worker gets one."""

from __future__ import annotations

import threading
from typing import Any, Callable, Optional, Union

from .client import Client
from .embedded import Local, local
from .tasks import Task
from .worker.worker import Worker


class Functions:
    """Carries functions out in this process for the runs of a client: by a worker beside it or, without a client, by a server of
    its own (`baton.local`), which goes with it."""

    def __init__(self, client: Optional[Client] = None) -> None:
        self._lock = threading.Lock()  # guards what follows
        self._client = client
        self._own: Optional[Local] = None
        self._worker: Optional[Worker] = None

    @property
    def client(self) -> Client:
        """The client; a server is started if there is none."""
        with self._lock:
            if self._client is None:
                self._client = self._own = local()
            return self._client

    def add(self, name: str, function: Callable[..., Any]) -> str:
        """Has the worker carry out `function` as `name`, instead of what was called so before. Returns the name."""
        target: Union[Local, Client] = self.client
        task: Task[Any] = Task(getattr(function, "function", function), name)
        with self._lock:
            worker = target.worker if isinstance(target, Local) else self._worker
            if worker is not None:
                worker.add(task, replace=True)
            elif isinstance(target, Local):
                target.add(task)
            else:
                self._worker = Worker([task], target.endpoint, grace=5.0)
                self._worker.start()
        return name

    def close(self) -> None:
        """Ends what it has started; a client that it was given stays."""
        with self._lock:
            worker, own = self._worker, self._own
            self._worker = self._own = None
        if worker is not None:
            worker.stop()
            worker.join()
        if own is not None:
            own.close()

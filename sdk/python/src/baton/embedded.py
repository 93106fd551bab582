"""A server of one's own, as a child process, with a worker in this process: to try things, for scripts, for tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from typing import Any, Callable, Optional, Sequence, Union

from .client import Client
from .errors import Unavailable
from .tasks import Task
from .worker.loading import refuse_while_loading
from .worker.middleware import Middleware
from .worker.worker import Worker

# The server ends, and its directory goes, when this program does, however that is: then the pipe to the shell ends.
_KEEPER = """
exec 3>&1 >/dev/null
trap '' INT TERM
"$1" server --data "$2" --listen 127.0.0.1:0 --output json --quiet >&3 3>&- &
exec 3>&-
read -r _
kill -TERM $! 2>/dev/null
wait $!
[ "$3" = keep ] || rm -rf "$2"
"""


def find_program(program: Optional[str] = None) -> str:
    """The `baton` binary: the one named, `BATON_BIN`, or that of the PATH. Raises FileNotFoundError."""
    wanted = program or os.environ.get("BATON_BIN") or "baton"
    found = shutil.which(wanted)
    if found is None:
        raise FileNotFoundError(f"the program {wanted!r} is not there; install it, or say where it is with BATON_BIN")
    return os.path.abspath(found)


class Local(Client):
    """A client whose server, and a worker for it, live as long as it does. Made by `local`."""

    def __init__(self, tasks: Sequence[Union["Task[Any]", Callable[..., Any]]], data: Optional[str],
                 program: Optional[str], options: Any) -> None:
        refuse_while_loading("a server is started")
        found = find_program(program)
        self._temporary = data is None
        self.data = os.path.abspath(data) if data is not None else tempfile.mkdtemp(prefix="baton-local-")
        self._options = options
        self._worker: Optional[Worker] = None
        self._keeper = subprocess.Popen(["/bin/sh", "-c", _KEEPER, "baton-local", found, self.data,
                                         "remove" if self._temporary else "keep"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={"BATON_LOG_LEVEL": "error", **os.environ})
        assert self._keeper.stdout is not None
        if not self._keeper.stdout.readline():
            self._end_keeper()
            raise Unavailable(f"{found} server does not start; it has said why")
        super().__init__(os.path.join(self.data, "baton.sock"))
        try:
            self.add(*tasks)
        except BaseException:
            self.close()
            raise

    @property
    def worker(self) -> Optional[Worker]:
        """The worker in this process, once there is a task."""
        return self._worker

    def add(self, *tasks: Union["Task[Any]", Callable[..., Any]]) -> None:
        """More functions for the worker. A second one of a name takes the place of nothing: it is refused."""
        if self._worker is not None:
            for task in tasks:
                self._worker.add(task)
        elif tasks:
            worker = Worker(tasks, self.endpoint, **{"grace": 5.0, **self._options})
            worker.start()
            self._worker = worker

    def close(self) -> None:
        """Ends worker and server; data that are not temporary stay. Twice is fine."""
        try:
            if self._worker is not None:
                self._worker.stop()
                self._worker.join()
        finally:
            self._worker = None
            super().close()
            self._end_keeper()

    def _end_keeper(self) -> None:
        for pipe in (self._keeper.stdin, self._keeper.stdout):
            if pipe is not None:
                pipe.close()
        self._keeper.wait()

    def __enter__(self) -> "Local":
        return self


def local(*tasks: Union["Task[Any]", Callable[..., Any]], data: Optional[str] = None, program: Optional[str] = None,
          pool: str = "thread", concurrency: Optional[int] = None, prefetch: Optional[int] = None,
          middleware: Sequence[Middleware] = (), max_tasks_per_child: Optional[int] = None) -> Local:
    """Starts a server as a child of this program and carries its tasks out here.

    Its data are temporary, or stay in the directory `data`: opened again, it goes on with what is there. `program` as for
    `find_program`; the others as for `Worker`. Close it, or use it by `with`.
    """
    options = {"pool": pool, "concurrency": concurrency, "prefetch": prefetch, "middleware": middleware,
               "max_tasks_per_child": max_tasks_per_child}
    return Local(tasks, data, program, options)

"""`python -m baton worker MODULE…`: a worker of the tasks that modules define."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
import threading
from typing import List, Optional

from .errors import BatonError
from .tasks import Task, tasks_of
from .worker.middleware import Middleware
from .worker.worker import Worker
from .worker.worker import POOLS


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    top = argparse.ArgumentParser(prog="python -m baton", description="Baton from Python")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    worker = commands.add_parser("worker", help="carry out the tasks that modules define",
                                 description="Carries out the tasks that modules define until SIGTERM or Ctrl-C; a second one "
                                 "ends it at once.")
    worker.add_argument("modules", nargs="+", metavar="MODULE", help="a module with @task functions")
    worker.add_argument("--target", help="URL, socket or data directory of the server (else BATON_URL, BATON_SOCKET, "
                        "BATON_DATA); the key is BATON_API_KEY")
    worker.add_argument("--ca-file", help="certificates to trust instead of the system's (PEM)")
    worker.add_argument("--name", help="its name, which no other worker has")
    worker.add_argument("--queues", "-Q", default="", help="only tasks of these queues, with commas between")
    worker.add_argument("--tags", default="", help="words that are shown with it, with commas between")
    worker.add_argument("--concurrency", "-c", type=int, help="tasks at a time (default: 2 per core)")
    worker.add_argument("--prefetch", type=int, help="tasks taken beyond that (default: 3 times as many)")
    worker.add_argument("--pool", choices=POOLS, default="thread", help="what carries them out (default: thread)")
    worker.add_argument("--max-tasks-per-child", type=int, help="tasks after which a process is replaced")
    worker.add_argument("--middleware", action="append", default=[], metavar="MODULE:CLASS", help="may be repeated")
    worker.add_argument("--grace", type=float, default=30.0, help="seconds that what runs has at the end (default: 30)")
    worker.add_argument("--capture-output", action="store_true", help="what tasks print goes to their logs on the server, too")
    worker.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    return top


def _middleware(text: str) -> Middleware:
    module, _, name = text.partition(":")
    made = getattr(importlib.import_module(module), name)()
    if not isinstance(made, Middleware):
        raise TypeError(f"{text} is no baton.Middleware")
    return made


def _words(text: str) -> List[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def main(arguments: Optional[List[str]] = None) -> int:
    """The exit code: 0 ended in good order, 1 failed, 2 wrong usage."""
    words = parser().parse_args(arguments)
    logging.basicConfig(level=words.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.path.insert(0, os.getcwd())
    tasks: List[Task] = []  # type: ignore[type-arg]
    try:
        for name in words.modules:
            found = tasks_of(importlib.import_module(name))
            if not found:
                raise ValueError(f"module {name} has no task; decorate its functions with @baton.task")
            tasks += [task for task in found if task not in tasks]
        worker = Worker(tasks, words.target, ca_file=words.ca_file, name=words.name, concurrency=words.concurrency,
                        queues=_words(words.queues), tags=_words(words.tags),
                        prefetch=words.prefetch, pool=words.pool, max_tasks_per_child=words.max_tasks_per_child,
                        middleware=[_middleware(text) for text in words.middleware], grace=words.grace,
                        capture_output=words.capture_output)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2

    def on_signal(*_: object) -> None:
        # On a thread of its own: the one that is interrupted may hold the worker's lock.
        threading.Thread(target=worker.stop, daemon=True).start()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        worker.start()
        logging.getLogger("baton.worker").info("worker %s of %s: %s", worker.name, worker.endpoint,
                                               ", ".join(task.name for task in tasks))
        while not worker.join(3600.0):
            pass
    except BatonError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m baton worker MODULE…`: a worker of the tasks that modules define."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import traceback
from types import ModuleType, TracebackType
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


class _Unusable(Exception):
    """A module, or what it should have, in words for people."""


def _module(name: str) -> ModuleType:
    if name.endswith(".py") or "/" in name:
        plain = name[:-3] if name.endswith(".py") else name
        raise _Unusable(f"{name!r} is a file; modules are named as for import: {plain.strip('./').replace('/', '.')}")
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        top = name.partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and error.name is not None and (error.name == top or error.name == name):
            raise _Unusable(f"there is no module {error.name!r} in {os.getcwd()} or on Python's path (PYTHONPATH)") from None
        trace = "".join(traceback.format_exception(type(error), error, _without_import(error.__traceback__)))
        raise _Unusable(f"module {name!r} cannot be imported: {type(error).__name__}: {error}\n{trace.rstrip()}") from None


def _without_import(trace: Optional[TracebackType]) -> Optional[TracebackType]:
    """From the module's own first line on."""
    own = trace
    while own is not None and ("importlib" in own.tb_frame.f_code.co_filename or own.tb_frame.f_code.co_filename == __file__):
        own = own.tb_next
    return own


def _middleware(text: str) -> Middleware:
    place, _, name = text.partition(":")
    module = _module(place)
    kind = getattr(module, name, None) if name else None
    if not isinstance(kind, type) or not issubclass(kind, Middleware):
        there = [key for key, value in vars(module).items() if isinstance(value, type) and issubclass(value, Middleware)
                 and value is not Middleware]
        raise _Unusable(f"--middleware {text}: name a class of baton.Middleware as MODULE:CLASS; {place} has "
                        + (", ".join(there) or "none"))
    return kind()


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
            found = tasks_of(_module(name))
            if not found:
                raise ValueError(f"module {name} has no task; decorate its functions with @baton.task")
            tasks += [task for task in found if task not in tasks]
        worker = Worker(tasks, words.target, ca_file=words.ca_file, name=words.name, concurrency=words.concurrency,
                        queues=_words(words.queues), tags=_words(words.tags),
                        prefetch=words.prefetch, pool=words.pool, max_tasks_per_child=words.max_tasks_per_child,
                        middleware=[_middleware(text) for text in words.middleware], grace=words.grace,
                        capture_output=words.capture_output)
    except (_Unusable, OSError, TypeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2

    try:
        worker.run()
    except BatonError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

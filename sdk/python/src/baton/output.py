"""What an attempt says on its way to its log on the server, and what can be caught for it."""

from __future__ import annotations

import contextvars
import logging
import sys
import threading
from typing import Any, Callable, Dict, List, Optional, TextIO, cast

from .errors import ApiError, StaleToken, Unavailable

MOST_WAITING = 8 << 20  # characters that wait for a server that is away; what comes then is dropped and counted
MOST_AT_ONCE = 1 << 20

Send = Callable[[Dict[str, Any]], Any]  # a call of POST /api/v1/tasks/{id}/logs; raises as Transport.request


# What handlers of the worker's own logging write to a caught stream was sent already.
_logging: "contextvars.ContextVar[bool]" = contextvars.ContextVar("baton-logging", default=False)


class Output:
    """Of one attempt. Any thread; one at a time sends."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sending = threading.Lock()
        self._offset = 0  # bytes that the server has
        self._piece: Optional[List[Dict[str, str]]] = None  # that is being sent, perhaps again
        self._lock = threading.Lock()  # guards what follows
        self._entries: List[Dict[str, str]] = []
        self._size = 0
        self._dropped = 0

    def add(self, text: str, stream: str = "stdout") -> None:
        """Whole lines; a line end is added where it is missing."""
        if not text.endswith("\n"):
            text += "\n"
        text = text.encode("utf-8", "replace").decode()  # half a surrogate pair could not be sent
        with self._lock:
            if self._dropped or self._size + len(text) > MOST_WAITING:
                self._dropped += len(text)
                return
            self._size += len(text)
            if self._entries and self._entries[-1]["stream"] == stream and len(self._entries[-1]["text"]) < MOST_AT_ONCE:
                self._entries[-1]["text"] += text
            else:
                self._entries.append({"stream": stream, "text": text})

    @property
    def is_empty(self) -> bool:
        """Whether everything was sent; for most attempts there is nothing to say at all."""
        return not self._entries and self._piece is None and not self._dropped

    def flush(self) -> bool:
        """Sends what there is. False: the server does not answer, and it is kept for another time."""
        with self._sending:
            while True:
                piece = self._piece = self._piece or self._next()
                if not piece:
                    return True
                try:
                    self._offset = self._send({"offset": self._offset, "entries": piece})["offset"]
                except Unavailable:
                    return False
                except StaleToken:
                    pass  # the attempt does not count any more, and its log has ended
                except ApiError as error:
                    if error.status >= 500 or error.status == 429:
                        return False
                    logging.getLogger("baton.worker").warning("output of a task is lost: %s", error)
                self._piece = None

    def _next(self) -> Optional[List[Dict[str, str]]]:
        with self._lock:
            if self._dropped and not self._entries:
                self._entries = [{"stream": "stderr", "text": f"{self._dropped} characters of output were dropped on the worker\n"}]
                self._dropped = 0
            if not self._entries:
                return None
            taken = [self._entries.pop(0)]
            self._size -= min(self._size, len(taken[0]["text"]))
            return taken


class TaskLog(logging.LoggerAdapter):  # type: ignore[type-arg]
    """A logger whose records from INFO on go to the attempt's log, whatever the worker's own logging does with them."""

    _formatter = logging.Formatter("%(levelname)s %(message)s")

    def __init__(self, logger: logging.Logger, extra: Dict[str, Any], write: Callable[[str, str], None]) -> None:
        super().__init__(logger, extra)
        self._write = write

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        if level >= logging.INFO:
            self._write(self._text(level, msg, args, kwargs.get("exc_info")), "stderr")
        # Before 3.11, logging counted one of its own frames as well.
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + (1 if sys.version_info >= (3, 11) else 2)
        logging_now = _logging.set(True)
        try:
            super().log(level, msg, *args, **kwargs)
        finally:
            _logging.reset(logging_now)

    def _text(self, level: int, msg: object, args: Any, exc_info: Any) -> str:
        if isinstance(exc_info, BaseException):
            exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
        elif exc_info and not isinstance(exc_info, tuple):
            exc_info = sys.exc_info()
        record = logging.LogRecord(self.logger.name, level, "", 0, msg, args, exc_info or None)
        return self._formatter.format(record)


class Capture:
    """Stands for sys.stdout or sys.stderr: what a task writes goes to its log as well, line by line. `current`: the log of
    the attempt that is running here, None outside of one."""

    def __init__(self, real: TextIO, stream: str, current: Callable[[], Optional[Any]]) -> None:
        self._real = real
        self._stream = stream
        self._current = current

    def write(self, text: str) -> int:
        context = self._current()
        if context is not None and not _logging.get():
            context.catch(text, self._stream)
        return self._real.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def capture(current: Callable[[], Optional[Any]]) -> None:
    """From here on, for this process. Twice is fine."""
    if not isinstance(sys.stdout, Capture):
        sys.stdout = cast(TextIO, Capture(sys.stdout, "stdout", current))
    if not isinstance(sys.stderr, Capture):
        sys.stderr = cast(TextIO, Capture(sys.stderr, "stderr", current))

"""How an attempt ended, as the worker protocol says it. A report is made here, in bytes, where the handler ran: what cannot
be sent becomes a failure of that attempt and of no other."""

from __future__ import annotations

import json
import traceback
from typing import Any, Dict, NamedTuple, Optional

from . import encoding
from .errors import Cancelled, TaskFailed

RESULT_LIMIT = 2 << 20  # bytes; docs/reference/limits.md
DEPTH_LIMIT = 64  # levels
MESSAGE_LIMIT = 4096  # bytes of a message that the server keeps


class Report(NamedTuple):
    """The members of a report but for task and token, and what middleware wants to know."""

    status: str  # completed, failed, interrupted, released
    body: bytes  # `"status":…` and what belongs to it, JSON without the braces
    error: Optional[BaseException] = None
    trace: str = ""
    result: Any = None


def encode(value: Any) -> bytes:
    """A result as JSON in UTF-8. Raises ValueError with a reason if it cannot be one."""
    data = encoding.encode(value, "the result")
    if len(data) > RESULT_LIMIT:
        raise ValueError(f"the result has {len(data)} bytes; 2 MiB is the most (store it elsewhere and return where)")
    if data.count(b"[") + data.count(b"{") > DEPTH_LIMIT and _depth(data.decode("utf-8")) > DEPTH_LIMIT:
        raise ValueError(f"the result has more than {DEPTH_LIMIT} levels")
    return data


def _depth(text: str) -> int:
    deepest = level = 0
    quoted = escaped = False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in "[{":
            level += 1
            deepest = max(deepest, level)
        elif character in "]}":
            level -= 1
    return deepest


_NOTHING = b'"status":"completed"'


def completed(value: Any) -> Report:
    """A report of success; of failure if the value cannot be a result."""
    if value is None:
        return Report("completed", _NOTHING)
    try:
        return Report("completed", b'"status":"completed","result":' + encode(value), result=value)
    except ValueError as error:
        return failed("validation", str(error), retry=False)


def failed(type: str, message: str, *, retry: bool = True, retry_after: Optional[float] = None,  # noqa: A002
           partial: Any = None, error: Optional[BaseException] = None, trace: str = "") -> Report:
    """A report of failure in the words of the protocol."""
    words: Dict[str, Any] = {"type": _printable(type)[:128] or "error", "message": _printable(message)}
    if not retry:
        words["retry"] = False
    if retry_after is not None and retry_after >= 0:
        words["retry_after"] = float(min(retry_after, 3600.0))
    body = b'"status":"failed","error":' + json.dumps(words).encode()
    if partial is not None:
        try:
            body += b',"result":' + encode(partial)
        except ValueError as problem:
            return failed(type, f"{message}\n(the partial result is left out: {problem})", retry=retry,
                          retry_after=retry_after, error=error, trace=trace)
    return Report("failed", body, error, trace)


def interrupted() -> Report:
    """The worker ended under the attempt: it is done again and uses up no try."""
    return Report("interrupted", b'"status":"interrupted"')


def released() -> Report:
    """The attempt was not begun: its task is queued again, and nothing counts."""
    return Report("released", b'"status":"released"')


def raised(error: BaseException, depth: int = 0) -> Report:
    """What an exception of a handler says. `depth`: frames at its top that are this package's own."""
    frames = error.__traceback__
    for _ in range(depth):
        frames = frames.tb_next if frames is not None and frames.tb_next is not None else frames
    trace = "".join(traceback.format_exception(error.__class__, error, frames))
    if isinstance(error, Cancelled):
        if error.reason == "shutdown":
            return interrupted()
        kind = "timeout" if error.reason == "timeout" else "cancelled"
        return failed(kind, f"ended by request ({error.reason})", error=error, trace=trace)
    if isinstance(error, TaskFailed):
        after, retry, partial = error.retry_after, error.retry, error.partial
        return failed(error.type, _with_trace(str(error), trace), retry=retry, retry_after=after, partial=partial,
                      error=error, trace=trace)
    return failed(type(error).__name__, _with_trace(str(error) or repr(error), trace), error=error, trace=trace)


def _with_trace(message: str, trace: str) -> str:
    """The message, then as many of the last lines of the traceback as the server keeps."""
    room = MESSAGE_LIMIT - len(message.encode("utf-8", "replace")) - 2
    lines: list[str] = []
    for line in reversed(trace.rstrip().split("\n")):
        room -= len(line.encode("utf-8", "replace")) + 1
        if room < 0:
            break
        lines.append(line)
    return message + ("\n\n" + "\n".join(reversed(lines)) if len(lines) > 1 else "")


def _printable(text: str) -> str:
    """Without what is no Unicode (half surrogates) and without NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")

"""Everything that this package raises on purpose.

Two families: what goes wrong between a program and the server (`BatonError`), and what a handler raises to say how its
attempt ended (`TaskFailed`, `Cancelled`).
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Type


class BatonError(Exception):
    """The base of all errors of client and worker."""


class Unavailable(BatonError):
    """Nobody answered: no server there, or it went away in the middle. What was asked may have happened."""


class ApiError(BatonError):
    """The server said no. `code` is one of docs/errors, `status` that of HTTP, `pointer` the wrong member of the body."""

    def __init__(self, status: int, problem: Dict[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "internal"))
        self.detail = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.pointer: Optional[str] = problem.get("pointer")
        #: Of an invalid definition: {file, line, column, message, suggestion} of every mistake.
        self.errors: List[Dict[str, Any]] = list(problem.get("errors") or [])
        #: Seconds after which it is worth trying again; only of 429 and 503.
        self.retry_after: Optional[float] = problem.get("retry_after")
        super().__init__(self._text())

    def _text(self) -> str:
        lines = [f"{self.detail.rstrip()} ({self.code})"]
        for error in self.errors:
            if str(error.get("message", "")) in self.detail:
                continue
            place = ":".join(str(error[key]) for key in ("file", "line", "column") if error.get(key) is not None)
            hint = error.get("suggestion")
            message = str(error.get("message", ""))
            lines.append(f"  {place}: {message}" + (f" (did you mean {hint}?)" if hint and hint not in message else ""))
        return "\n".join(lines)

    def __reduce__(self) -> Any:
        problem = {"code": self.code, "detail": self.detail, "pointer": self.pointer, "errors": self.errors}
        return type(self), (self.status, problem)


class NotAllowed(ApiError):
    """Who asks may not do that, or is not known (401, 403)."""


class NotFound(ApiError):
    """There is no such thing (404)."""


class Conflict(ApiError):
    """The state of the thing does not allow it (409), or is not the expected one any more (412)."""


class StaleToken(Conflict):
    """Another attempt holds the task: whatever this one does does not count any more."""


class Invalid(ApiError):
    """The request, its input or its definition is wrong (400, 413, 422)."""


class Overloaded(ApiError):
    """Not now (429, 503); `retry_after` says when to try again."""


def api_error(status: int, problem: Dict[str, Any]) -> ApiError:
    """The error of an answer, as the nearest type."""
    kinds: Dict[int, Type[ApiError]] = {400: Invalid, 401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict,
                                        412: Conflict, 413: Invalid, 415: Invalid, 422: Invalid, 429: Overloaded, 503: Overloaded}
    kind = StaleToken if problem.get("code") == "stale_token" else kinds.get(status, ApiError)
    return kind(status, problem)


class Stopped(BatonError):
    """A worker was stopped before it had begun."""


class WaitTimeout(BatonError):
    """The run had not ended when the time to wait was over. It goes on."""


class RunFailed(BatonError):
    """A run whose result was asked for has failed or was cancelled; `run` is that run."""

    def __init__(self, run: Any) -> None:
        self.run = run
        error = run.error
        super().__init__(f"run {run.id} of {run.workflow}: {run.status}"
                         + (f" ({error.type}): {error.message}" if error else ""))


# ---- What handlers raise


class TaskFailed(Exception):
    """Raised by a handler: this attempt has failed, in words that the definition's rules can match.

    `type` is what `on_error` matches (default: the name of the class), `retry=False` says that another try cannot help,
    `retry_after` is the least delay of the next attempt in seconds, `partial` what there is of a result: cleanup and
    fallback see it as `self.result`.
    """

    def __init__(self, message: str = "", *, type: Optional[str] = None, retry: bool = True,  # noqa: A002
                 retry_after: Optional[float] = None, partial: Any = None) -> None:
        super().__init__(message)
        self.type = type or self.__class__.__name__
        self.retry = retry
        self.retry_after = retry_after
        self.partial = partial


class Retry(TaskFailed):
    """Raised by a handler: try again later, in `after` seconds at the earliest if the step's retries allow it."""

    def __init__(self, message: str = "try again later", *, after: Optional[float] = None) -> None:
        super().__init__(message, type="Retry", retry_after=after)


class Cancelled(BaseException):
    """Raised *in* a handler: the attempt is to end, because its run was cancelled or its time is over.

    Not an `Exception`, so that `except Exception` does not swallow it. A handler may catch it to tidy up; what it raises
    or returns then is reported. In coroutines it is asyncio's own CancelledError instead.
    """

    reason = "cancelled"


class TimeLimit(Cancelled):
    """Raised in a handler: the function's own `soft_time_limit` is over."""

    reason = "timeout"


class Shutdown(Cancelled):
    """Raised in a handler: the worker ends. The attempt is repeated elsewhere and uses up no try."""

    reason = "shutdown"


def cancelled(reason: str) -> Type[Cancelled]:
    """The exception for a reason."""
    return next((kind for kind in (TimeLimit, Shutdown) if kind.reason == reason), Cancelled)


class WorkerLost(Exception):
    """Given to middleware: the process that carried out the attempt died under it."""


class RemoteError(Exception):
    """Given to middleware: what a handler in a process of its own raised, which stays there; `type` is its name."""

    def __init__(self, type: str, message: str) -> None:  # noqa: A002
        super().__init__(message)
        self.type = type

"""Functions that a worker carries out, and how they are called."""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, Generic, List, Mapping, Optional, Tuple, TypeVar, Union, overload

from .fields import check_policies

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .fields import Policies

F = TypeVar("F", bound=Callable[..., Any])
G = TypeVar("G", bound=Callable[..., Any], covariant=True)  # a list of tasks is one of Task[Callable[..., Any]]

#: Names of functions, workers, queues and tags.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")


def module_name(module: str) -> str:
    """A module's name; of the program itself that of its file, so that it is the same in every process."""
    if module not in ("__main__", "__mp_main__"):
        return module
    path = getattr(sys.modules.get(module), "__file__", None)
    return os.path.splitext(os.path.basename(path))[0] if path else "main"


def _anything(*args: Any, **kwargs: Any) -> Any:
    """What a function takes that does not say."""


class Task(Generic[G]):
    """A function with the name that definitions call it by. It can be called as before.

    A step's `with` becomes its arguments: a map by name, a list by place, anything else as the only one, null as none. What
    it returns is the step's result and must be JSON. A first parameter called `ctx` gets the attempt's `Context` and is no
    argument. Plain functions and coroutine functions are both fine. `policies` are fields of every step that is built of it
    (`Workflow.step`, `chain`, `Client.call` …) and does not say otherwise.
    """

    def __init__(self, function: G, name: Optional[str] = None, soft_time_limit: Optional[float] = None,
                 time_limit: Optional[float] = None, policies: Optional[Mapping[str, Any]] = None) -> None:
        if not callable(function):
            raise TypeError(f"{function!r} is no function; a name is given so: @task(name=\"images.label\")")
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{function.__qualname__} is a generator; a task returns its result at once: return a list instead, or "
                            "let it add tasks (ctx.add_tasks) for what it finds")
        check_policies(policies or {})
        if name is None:
            name = f"{module_name(function.__module__)}.{function.__qualname__}".replace("<locals>.", "")
            name = re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip("._-")
        if not NAME.match(name):
            raise ValueError(f"{name!r} is no name of a function: letters, digits, . _ -, at most 128, "
                             "the first a letter or digit; pass another one as name=")
        for what, limit in (("soft_time_limit", soft_time_limit), ("time_limit", time_limit)):
            if limit is not None and not limit > 0:
                raise ValueError(f"{what} must be more than 0 seconds, not {limit!r}")
        functools.update_wrapper(self, function)
        self.function: G = function
        self.name = name
        self.soft_time_limit = soft_time_limit
        self.time_limit = time_limit
        self.policies: Dict[str, Any] = dict(policies or {})
        self.is_async = inspect.iscoroutinefunction(function)
        try:
            self.signature = inspect.signature(function)
        except ValueError:  # some functions written in C do not say what they take
            self.signature = inspect.signature(_anything)
        parameters = list(self.signature.parameters.values())
        self.wants_context = bool(parameters) and parameters[0].name == "ctx"

    if TYPE_CHECKING:
        @property
        def __call__(self) -> G: ...
    else:
        def __call__(self, *args, **kwargs):
            return self.function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in ("delay", "apply_async", "submit", "send", "map", "remote"):
            raise AttributeError(f"a task has no {name!r}; a client makes runs of it: client.call({self.function.__name__}, …), or a "
                                 "workflow has it as a step")
        raise AttributeError(f"a task has no {name!r}")

    def __repr__(self) -> str:
        return f"<task {self.name}>"

    def s(self, *args: Any, **kwargs: Any) -> "Signature":
        """This task with arguments, to be put into a chain, group, chord or step."""
        return Signature(self, args, kwargs)

    def parameters(self) -> List[inspect.Parameter]:
        """What it takes, without `ctx`."""
        return list(self.signature.parameters.values())[1 if self.wants_context else 0:]

    def check(self, args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Optional[str]:
        """Why it cannot be called so, or None."""
        try:
            self.signature.bind(*((None,) if self.wants_context else ()), *args, **kwargs)
        except TypeError as error:
            return f"{self.name}: {error}"
        return None


class Signature:
    """A task and arguments for it, some of which may still be missing."""

    def __init__(self, task: "Task[Any]", args: Tuple[Any, ...], kwargs: Mapping[str, Any],
                 policies: Optional[Mapping[str, Any]] = None) -> None:
        self.task = task
        self.args = args
        self.kwargs = dict(kwargs)
        self.policies: Dict[str, Any] = {**task.policies, **(policies or {})}

    def with_first(self, *first: Any) -> "Signature":
        """The same with other arguments before its own, as Celery hands on a result."""
        return Signature(self.task, (*first, *self.args), self.kwargs, self.policies)

    def set(self, **policies: "Unpack[Policies]") -> "Signature":
        """The same with other policies than the task's: `label.s("a.png").set(queue="gpu", retry=None)`."""
        check_policies(policies)
        return Signature(self.task, self.args, self.kwargs, {**self.policies, **policies})

    def value(self) -> Any:
        """What stands in the step's `with`: arguments by name where the function has names for them."""
        problem = self.task.check(self.args, self.kwargs)
        if problem:
            raise TypeError(problem)
        named: Dict[str, Any] = {}
        free = list(self.args)
        for parameter in self.task.parameters():
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and free:
                named[parameter.name] = free.pop(0)
            elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL) and free:
                if self.kwargs:
                    raise TypeError(f"{self.task.name}: its arguments have no names and cannot be mixed with "
                                    f"{', '.join(self.kwargs)}=")
                return list(self.args)
        return {**named, **self.kwargs}


def arguments(value: Any) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
    """The arguments that a step's `with` stands for, by place and by name."""
    if value is None:
        return (), {}
    if isinstance(value, dict):
        return (), value
    if isinstance(value, list):
        return tuple(value), {}
    return (value,), {}


@overload
def task(function: F) -> Task[F]: ...
@overload
def task(*, name: Optional[str] = None, soft_time_limit: Optional[float] = None, time_limit: Optional[float] = None,
         **policies: "Unpack[Policies]") -> Callable[[F], Task[F]]: ...


def task(function: Optional[F] = None, *, name: Optional[str] = None, soft_time_limit: Optional[float] = None,
         time_limit: Optional[float] = None, **policies: Any) -> Union[Task[F], Callable[[F], Task[F]]]:
    """Makes a function a task: `@task`, or `@task(name="images.label")`. Its name is `module.function` unless given.

    Retries, timeouts and queues stand in the definition; as `policies` (`retry={"max_retries": 3}`, `timeout="10m"`, `queue="gpu"`)
    they are written into those that are built of this task. `soft_time_limit` and `time_limit` (seconds) are the function's
    own limits besides the step's: after the first `Cancelled` is raised in it, after the second the attempt has failed and
    its process, if it has one of its own, is killed.
    """
    def make(wrapped: F) -> Task[F]:
        return Task(wrapped, name, soft_time_limit, time_limit, policies)

    return make(function) if function is not None else make


def tasks_of(module: Any) -> List["Task[Any]"]:
    """The tasks that a module (or anything with attributes) has, each once."""
    found = {id(value): value for value in vars(module).values() if isinstance(value, Task)}
    return list(found.values())


def as_task(value: Union["Task[Any]", Callable[..., Any]]) -> "Task[Any]":
    """A task, also of a plain function."""
    return value if isinstance(value, Task) else Task(value)


Tasks = Mapping[str, "Task[Any]"]

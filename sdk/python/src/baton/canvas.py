"""Celery's canvas as workflows: `chain`, `group`, `chord`, `starmap` and friends put signatures (`task.s(…)`) together.

Each returns a `Workflow`, to be looked at (`to_yaml`), submitted, or applied. As in Celery, a result becomes the next one's
first argument; unlike there, everything is durable and a join is one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, List, Mapping, Optional, Sequence, Union

from .tasks import Signature, Task
from .workflow import ITEM, Expr, Step, Workflow

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .fields import StepFields

Part = Union[Signature, "Task[Any]"]


def signature(part: Part) -> Signature:
    """A task without arguments, or one that has some already."""
    return part if isinstance(part, Signature) else part.s()


def _add(flow: Workflow, part: Signature, **policies: Any) -> Step:
    short = part.task.name.rpartition(".")[2] or part.task.name
    name, number = short, 2
    while name in flow.steps:
        name, number = f"{short}-{number}", number + 1
    return flow.step(name, task=part, **policies)


def _name(name: Optional[str], kind: str, parts: Sequence[Signature]) -> str:
    return name or f"{kind}-{parts[0].task.name.rpartition('.')[2]}"


def _some(parts: Iterable[Part], kind: str) -> List[Signature]:
    found = [signature(part) for part in parts]
    if not found:
        raise ValueError(f"a {kind} needs at least one task")
    return found


def chain(*parts: Part, name: Optional[str] = None, **policies: "Unpack[StepFields]") -> Workflow:
    """One after the other; each gets the result of the one before as its first argument."""
    found = _some(parts, "chain")
    flow = Workflow(_name(name, "chain", found))
    before: Optional[Step] = None
    for part in found:
        before = _add(flow, part if before is None else part.with_first(before.result), **policies)
    return flow


def group(*parts: Part, name: Optional[str] = None, **policies: "Unpack[StepFields]") -> Workflow:
    """Side by side. The result is a dict by step."""
    found = _some(parts, "group")
    flow = Workflow(_name(name, "group", found))
    for part in found:
        _add(flow, part, **policies)
    return flow


def chord(header: Iterable[Part], callback: Part, name: Optional[str] = None, **policies: "Unpack[StepFields]") -> Workflow:
    """Side by side, then one that gets the list of their results as its first argument."""
    found = _some(header, "chord")
    flow = Workflow(_name(name, "chord", found))
    steps = [_add(flow, part, **policies) for part in found]
    results = Expr("[" + ", ".join(step.result.text for step in steps) + "]")
    _add(flow, signature(callback).with_first(results), **policies)
    return flow


def map(part: Part, items: Union[Iterable[Any], Expr], then: Optional[Part] = None,  # noqa: A001
        name: Optional[str] = None, **policies: "Unpack[StepFields]") -> Workflow:
    """Once for each item, which is the first argument; `then` gets the list of results. `items` may be an expression."""
    return _mapped("map", part, items, [ITEM], then, name, policies)


def starmap(part: Part, items: Union[Iterable[Sequence[Any]], Expr], then: Optional[Part] = None,
            name: Optional[str] = None, width: Optional[int] = None, **policies: "Unpack[StepFields]") -> Workflow:
    """Once for each item, a list of arguments. `width`: how many there are; needed if `items` is an expression."""
    if not isinstance(items, Expr):
        items = [list(item) for item in items]
        widths = {len(item) for item in items}
        if len(widths) > 1:
            raise ValueError("all items of a starmap must have as many arguments as the first")
        width = widths.pop() if widths else 0
    if width is None:
        raise ValueError("a starmap over an expression needs width=, the number of arguments")
    return _mapped("starmap", part, items, [ITEM[place] for place in range(width)], then, name, policies)


def chunks(part: Part, items: Iterable[Any], size: int, then: Optional[Part] = None, name: Optional[str] = None,
           **policies: "Unpack[StepFields]") -> Workflow:
    """Once for each `size` items, which come as a list."""
    every = list(items)
    pieces = [every[start:start + size] for start in range(0, len(every), size)]
    return _mapped("chunks", part, pieces, [ITEM], then, name, policies)


def _mapped(kind: str, part: Part, items: Union[Iterable[Any], Expr], first: Sequence[Expr], then: Optional[Part],
            name: Optional[str], policies: Mapping[str, Any]) -> Workflow:
    found = signature(part)
    flow = Workflow(_name(name, kind, [found]))
    step = _add(flow, found.with_first(*first), for_each=items if isinstance(items, Expr) else list(items), **policies)
    if then is not None:
        _add(flow, signature(then).with_first(step.result))
    return flow

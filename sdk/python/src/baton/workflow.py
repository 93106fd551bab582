"""Workflows written in Python: the same fields as in YAML (docs/reference/definition.md), and nothing else.

    build = Workflow("build", inputs={"source": {"type": "string"}})
    fetch = build.step("fetch", run="./fetch.sh", env={"SOURCE": build.input("source")})
    build.step("label", task=label, with_={"paths": fetch.result["paths"]}, retry={"max_attempts": 4})

A step that uses another one's result needs it; `needs` says so where nothing is used. What a step's fields mean, and whether
they are right, is the server's business.
"""

from __future__ import annotations

import enum
import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Mapping, Optional, Set, Union

from .encoding import plain
from .tasks import Signature, Task, as_task

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .fields import StepFields, WorkflowFields

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
#: What reads, in expressions, as something else than a member's name.
_RESERVED = frozenset(("true false null in as break const continue else for function if import let loop package namespace "
                       "return var void while").split())


def name_of(title: str, taken: Iterable[str] = ()) -> str:
    """A name for something that has a title: lower case, `-` for what is no letter or digit, a number if it is taken."""
    ascii_text = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9._]+", "-", ascii_text).strip("-._")[:120] or "step"
    name, number, used = base, 2, set(taken)
    while name in used:
        name, number = f"{base}-{number}", number + 1
    return name


class Expr:
    """An expression (CEL) that the server evaluates. Its members are expressions as well: `fetch.result["paths"][0]`. In a text
    (an f-string) it stands for its value: `f"n is {fetch.result}"`."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __getitem__(self, key: Union[str, int]) -> "Expr":
        if isinstance(key, str) and _WORD.match(key) and key not in _RESERVED:
            return Expr(f"{self.text}.{key}")
        return Expr(f"{self.text}[{json.dumps(key)}]")

    def __iter__(self) -> Any:
        raise TypeError(f"{self.text} is known only when the workflow runs; use for_each to go over it")

    def __bool__(self) -> bool:
        raise TypeError(f"{self.text} is known only when the workflow runs; use when= to decide by it")

    def __str__(self) -> str:
        return "${{ " + self.text + " }}"

    def __repr__(self) -> str:
        return f"Expr({self.text!r})"


#: In a step with for_each: the item, and its place from 0.
ITEM = Expr("item")
INDEX = Expr("index")


def expr(text: str) -> Expr:
    """Any expression, such as `steps.fetch.result.count > 3`. Who uses it needs the steps that it reads."""
    return Expr(text)


def member(base: str, name: str) -> str:
    """`base.name`, or `base["name"]` where the name is no word of the language."""
    return f"{base}.{name}" if _WORD.match(name) and name not in _RESERVED else f"{base}[{json.dumps(name)}]"


class Step:
    """One step of a workflow."""

    def __init__(self, name: str, fields: Dict[str, Any]) -> None:
        self.name = name
        self.fields = fields

    @property
    def result(self) -> Expr:
        """What it returned; of a mapped step the list of its items' results."""
        return Expr(member("steps", self.name) + ".result")

    @property
    def error(self) -> Expr:
        """How it failed: `type` and `message`."""
        return Expr(member("steps", self.name) + ".error")

    @property
    def status(self) -> Expr:
        """How it ended."""
        return Expr(member("steps", self.name) + ".status")

    def to_dict(self) -> Dict[str, Any]:
        """Its fields as in a definition."""
        return dict(self.fields)


def _fields(given: Mapping[str, Any]) -> Dict[str, Any]:
    """A step's fields from arguments: `with_` is `with`, a task stands for its name, steps in `needs` for theirs, expressions
    for their text."""
    task = given.get("task")
    if isinstance(task, (Task, Signature)):
        given = {**{key: value for key, value in task.policies.items() if key not in given}, **given}
    given = {key: value for key, value in given.items() if value is not None}
    needs = given.get("needs")
    if isinstance(needs, (Step, str)):
        given["needs"] = [needs]
    return _map(given, "")


def _map(value: Mapping[str, Any], inside: str) -> Dict[str, Any]:
    made: Dict[str, Any] = {}
    for key, entry in value.items():
        key = "with" if key == "with_" else str(key)
        if key == "needs" and isinstance(entry, (list, tuple)):
            made[key] = [step.name if isinstance(step, Step) else step for step in entry]
        elif key == "task" and isinstance(entry, Signature):
            made["task"] = entry.task.name
            made["with"] = _plain(entry.value())
        elif key == "task" and callable(entry):
            made[key] = as_task(entry).name
        elif isinstance(entry, Expr) and (key == "when" or key == "until" and (inside == "repeat" or "poll" in value)):
            made[key] = entry.text  # a condition is an expression already
        else:
            made[key] = _plain(entry, key)
    return made


def _plain(value: Any, inside: str = "") -> Any:
    if isinstance(value, Expr):
        return str(value)
    if isinstance(value, Step):
        raise TypeError(f"step {value.name} itself is no value; did you mean its result?")
    if isinstance(value, Task):
        return value.name
    if isinstance(value, Mapping):
        return _map(value, inside)
    if isinstance(value, (list, tuple)):
        return [_plain(entry, inside) for entry in value]
    if value is None or isinstance(value, (str, int, float)) and not isinstance(value, enum.Enum):
        return value
    return _plain(plain(value), inside)


# ---- What steps read of each other

#: A text, or `steps.NAME`, `steps["NAME"]`, `steps['NAME']`.
_READ = re.compile(r'''"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?<![\w.])steps(?:\.(\w+)|\[(?:"([^"]*)"|'([^']*)')\])''')


def _read_by(expression: str) -> Iterator[str]:
    for found in _READ.finditer(expression):
        name = found[1] or found[2] or found[3]
        if name:
            yield name


def _read_in(value: Any) -> Iterator[str]:
    """The steps that stand in the `${{ … }}` of a value's texts, and in its conditions."""
    if isinstance(value, str):
        for piece in value.split("${{")[1:]:
            yield from _read_by(piece.partition("}}")[0])
    elif isinstance(value, dict):
        for key, entry in value.items():
            if key in ("when", "until") and isinstance(entry, str) and "${{" not in entry:
                yield from _read_by(entry)
            elif key != "needs":
                yield from _read_in(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _read_in(entry)


def with_needs(steps: Mapping[str, Dict[str, Any]]) -> Dict[str, Dict[str, Any]]:
    """Steps with the needs that follow from what they read of each other, unless they follow already. What steps under `finally`
    read of others they may read anyway."""
    made: Dict[str, Dict[str, Any]] = {}
    before: Dict[str, Set[str]] = {}  # a step to all that are over when it begins, as far as is known
    for name, fields in steps.items():
        needs = list(fields.get("needs") or [])
        known = before[name] = set()
        for other in needs:
            known |= {other} | before.get(other, set())
        reads = set(_read_in(fields))
        for other in steps:
            if other in reads and other not in known and other != name:
                needs.append(other)
                known |= {other} | before.get(other, set())
        made[name] = {**fields, "needs": needs} if needs else dict(fields)
    return made


class Workflow:
    """A definition under construction. `fields` are the workflow's other fields (defaults, deadline, on_error, …)."""

    def __init__(self, name: str, *, title: Optional[str] = None, inputs: Optional[Mapping[str, Any]] = None,
                 **fields: "Unpack[WorkflowFields]") -> None:
        self.name = name if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", name) else name_of(name)
        self.title = title if title is not None else (name if self.name != name else None)
        self.inputs = dict(inputs or {})
        self.fields = _map({key: value for key, value in fields.items() if value is not None}, "")
        self.steps: Dict[str, Step] = {}
        self.last_steps: Dict[str, Step] = {}

    def input(self, name: str) -> Expr:  # noqa: A003
        """The value of an input. Raises KeyError if the workflow declares none of this name."""
        if name not in self.inputs:
            raise KeyError(f"the workflow has no input {name!r}; there are: {', '.join(self.inputs) or 'none'}")
        return Expr(member("inputs", name))

    def step(self, name: str, **fields: "Unpack[StepFields]") -> Step:
        """Adds a step: its kind (`run=`, `exec=`, `http=`, `task=`, `workflow=`, `wait=`, `set=`, `switch=`) and its policies,
        named as in YAML (`with_` for `with`; lengths of time also as timedelta). `task` may be a task, whose own policies hold
        where none are given here, a `task.s(…)` with its arguments, or a name. `retry=None` takes a task's policy away."""
        return self._add(self.steps, name, fields)

    def last(self, name: str, **fields: "Unpack[StepFields]") -> Step:
        """Adds a step under `finally`: it runs when all others are over, however that was."""
        return self._add(self.last_steps, name, fields)

    def _add(self, steps: Dict[str, Step], name: str, fields: Mapping[str, Any]) -> Step:
        plain = name if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", name) else name_of(name, steps)
        if plain in steps:
            raise ValueError(f"there is a step {plain!r} already")
        ready = _fields(fields)
        if plain != name:
            ready = {"title": name, **ready}
        step = steps[plain] = Step(plain, ready)
        return step

    def to_dict(self) -> Dict[str, Any]:
        """The definition as a dict, in the order of YAML definitions."""
        whole: Dict[str, Any] = {"name": self.name}
        if self.title is not None:
            whole["title"] = self.title
        if self.inputs:
            whole["inputs"] = self.inputs
        whole.update(self.fields)
        whole["steps"] = with_needs({name: step.to_dict() for name, step in self.steps.items()})
        if self.last_steps:
            whole["finally"] = with_needs({name: step.to_dict() for name, step in self.last_steps.items()})
        return whole

    def to_json(self) -> str:
        """The definition as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)

    def to_yaml(self) -> str:
        """The definition as YAML, to be kept with the code and applied by `baton apply`."""
        return to_yaml(self.to_dict())


def single(signature: Signature) -> Workflow:
    """A workflow of one step, for a task with its arguments."""
    name = signature.task.name
    flow = Workflow(name)
    step = flow.step(name.rpartition(".")[2] or name, task=signature)
    if step.fields["with"] in ({}, []):
        del step.fields["with"]
    return flow


def to_yaml(value: Mapping[str, Any]) -> str:
    """A dict as YAML: maps in lines of their own, all else as JSON, which YAML contains."""
    return "".join(_lines(value, 0))


def _lines(value: Mapping[str, Any], depth: int) -> List[str]:
    lines: List[str] = []
    for key, entry in value.items():
        name = key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9._-]*", key) and key not in ("null", "true", "false") else json.dumps(key)
        head = "  " * depth + name + ":"
        if isinstance(entry, Mapping) and entry:
            lines += [head + "\n", *_lines(entry, depth + 1)]
        else:
            lines.append(f"{head} {json.dumps(entry, ensure_ascii=False, allow_nan=False)}\n")
    return lines

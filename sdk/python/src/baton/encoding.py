"""Values of a program as JSON: arguments, inputs, results, everything that goes to a server is made here.

What JSON has stays what it is; tuples are lists. Dataclasses and models (anything with `model_dump`, as pydantic's) are maps,
dates and times ISO 8601, lengths of time seconds, paths, UUIDs and enums their text or value, NumPy's numbers and arrays
(anything with `dtype` and `tolist`) numbers and lists. All else is refused, since it would come back as something else.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import pathlib
import sys
from typing import Any, Optional

_LOOKED_AT = 100  # levels, when the place of what is wrong is looked for


def plain(value: Any) -> Any:
    """What is no JSON by itself, but has one obvious form. Raises TypeError if it has none."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    if isinstance(value, pathlib.PurePath) or _is_uuid(value):
        return str(value)
    if isinstance(value, enum.Enum):
        return value.value
    if not isinstance(value, type):
        made = None
        if callable(getattr(value, "model_dump", None)):
            made = value.model_dump(mode="json")
        elif hasattr(value, "dtype") and callable(getattr(value, "tolist", None)):
            made = value.tolist()
        if isinstance(made, (dict, list, str, int, float)):  # a mock gives mocks for ever
            return made
    raise TypeError(_advice(value))


def _is_uuid(value: Any) -> bool:
    uuid = sys.modules.get("uuid")  # who has one has loaded it; it is slow to load
    return uuid is not None and isinstance(value, uuid.UUID)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=plain)


def encode(value: Any, what: str = "the value") -> bytes:
    """A value as JSON in UTF-8. Raises ValueError: what in `what` is not JSON, where, and what to do about it."""
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not JSON: {_trouble(value, '', 0) or error}") from None
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"{what} has half a surrogate pair, which is no Unicode text") from None


def _advice(value: Any) -> str:
    name = type(value).__name__
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{name} have no form in JSON; decode() them if they are text, else base64.b64encode(…).decode(), or store them " \
               "and return where"
    if isinstance(value, (set, frozenset)):
        return f"a {name} has no order; sorted(…) or list(…) makes it a list"
    if name == "Decimal":
        return "a Decimal may be meant as a text or as a number; say str(…) or float(…)"
    if hasattr(value, "__await__"):
        return f"a {name} was not awaited"
    if hasattr(value, "__next__") or hasattr(value, "__anext__"):
        return f"a {name} is gone over once; list(…) makes it a list"
    if callable(value):
        return f"a {name} is code; call it, or return its name"
    return f"a {name} has no form in JSON; return a dict, a list, or a dataclass"


def _trouble(value: Any, place: str, level: int) -> Optional[str]:
    """Where in a value the first thing is that is no JSON, and what it is."""
    at = f"at {place}: " if place else ""
    if value is None or isinstance(value, (bool, int, str)):
        return None
    if isinstance(value, float):
        fine = value == value and value not in (float("inf"), float("-inf"))
        return None if fine else f"{at}{value} is no number in JSON; return None or a text instead"
    if level > _LOOKED_AT:
        return f"it has more than {_LOOKED_AT} levels, or contains itself"
    if isinstance(value, dict):
        for key, entry in value.items():
            if key is not None and not isinstance(key, (str, int, float, bool)):
                return f"{at}a key is a {type(key).__name__}; keys are texts"
            found = _trouble(entry, f"{place}/{key}", level + 1)
            if found:
                return found
        return None
    if isinstance(value, (list, tuple)):
        places = (_trouble(entry, f"{place}/{index}", level + 1) for index, entry in enumerate(value))
        return next((found for found in places if found), None)
    try:
        return _trouble(plain(value), place, level + 1)
    except (TypeError, ValueError) as error:
        return f"{at}{error}"

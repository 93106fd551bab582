"""Tries workflows out on virtual time, with steps that pretend: `baton test` (docs/guide/testing.md) from Python.

A day passes in a millisecond, and nothing is started. Functions themselves are plain functions: tests call them.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from .client import Definition, definition_text
from .errors import BatonError
from .local import find_program


@dataclass(frozen=True)
class Played:
    """What became of one scenario."""

    name: str
    status: str  #: passed, failed or skipped
    duration: float  #: seconds of virtual time
    failures: List[str]


def play(definition: Definition, scenarios: Mapping[str, Mapping[str, Any]], *, steps: Optional[Mapping[str, Any]] = None,
         input: Optional[Mapping[str, Any]] = None, program: Optional[str] = None,  # noqa: A002
         restart_every: Optional[int] = None) -> List[Played]:
    """Plays scenarios: a map of names to what docs/reference/scenarios.md has (`steps`, `do`, `expect`, …). `steps` and `input`
    hold for all of them. With `restart_every`, the server dies after every so many commits, and nothing may come out differently.
    Raises AssertionError with what was not as expected, BatonError if the scenarios cannot be read."""
    whole: Dict[str, Any] = {"workflow": "workflow.yaml", "scenarios": {name: dict(one) for name, one in scenarios.items()}}
    if steps is not None:
        whole["steps"] = dict(steps)
    if input is not None:
        whole["input"] = dict(input)
    with tempfile.TemporaryDirectory(prefix="baton-testing-") as folder:
        with open(os.path.join(folder, "workflow.yaml"), "w", encoding="utf-8") as file:
            file.write(definition_text(definition))
        with open(os.path.join(folder, "workflow.test.yaml"), "w", encoding="utf-8") as file:
            json.dump(whole, file)
        words = [find_program(program), "test", "workflow.test.yaml", "--output", "json", "--data", os.path.join(folder, "data")]
        if restart_every is not None:
            words += ["--restart-every", str(restart_every)]
        done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise BatonError(done.stderr.decode("utf-8", "replace").strip() or f"baton test has ended with {done.returncode}")
    played = [Played(one["name"], one["status"], one["duration"], [failure["message"] for failure in one["failures"]])
              for one in json.loads(done.stdout)["scenarios"]]
    wrong = [f"{one.name}: {message}" for one in played for message in one.failures]
    if wrong:
        raise AssertionError("\n".join(wrong))
    return played

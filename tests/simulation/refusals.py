#!/usr/bin/env python3
"""Every way in which the engine refuses a command, found in its sources: what a long simulation has to go through.

    python3 -B tests/simulation/refusals.py FILE     writes the list; the build does

A refusal is known by the longer words of its message, each on a line behind the source that says it.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Failures of expressions are failures of tasks, and damaged rows are no business of commands.
NOT_OF_COMMANDS = {"expression", "internal", "corrupt"}
REFUSAL = re.compile(r"ErrorCode::(\w+)|\b(?:conflict|refuse)\(")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
SHORTEST = 12


def sources():
    for path in sorted((ROOT / "src/engine").rglob("*.cpp")):
        if "testing" not in path.parts and not path.name.endswith("_test.cpp"):
            yield path


def phrases(text):
    """The words of the refusals in one source."""
    text = re.sub(r"//[^\n]*", "", text)
    for found in REFUSAL.finditer(text):
        if found.group(1) in NOT_OF_COMMANDS:
            continue
        statement = text[found.start() : text.find(";\n", found.start())]
        # The definition of a helper, not a refusal.
        if "{\n" in statement.split("(", 1)[-1] and "Error{" not in statement and not found.group(1):
            continue
        # Neighbours are one literal.
        statement = re.sub(r'"\s*\n\s*"', "", statement)
        for literal in LITERAL.findall(statement):
            words = literal.replace('\\"', '"').strip()
            if len(words) >= SHORTEST:
                yield words


def found():
    lines = set()
    for path in sources():
        name = path.relative_to(ROOT / "src/engine").as_posix()
        lines.update(f"{name}: {words}" for words in phrases(path.read_text()))
    return sorted(lines)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[1]).write_text("".join(line + "\n" for line in found()))

"""The functions: what words do documents have? They stay plain functions, which tests call; policies say what is done when they fail."""

import os
import pathlib
import re
import tempfile
from collections import Counter
from typing import Dict, List, Tuple

import baton


@baton.task(name="documents.find")
def find(folder: str) -> List[str]:
    """The documents of a folder, in a fixed order."""
    return sorted(str(path) for path in pathlib.Path(folder).resolve().glob("*.txt"))


@baton.task(name="documents.count", retry={"max_retries": 2}, timeout="1m")
def count(ctx: baton.Context, path: str) -> Dict[str, int]:
    """How often each word stands in a document."""
    words: "Counter[str]" = Counter()
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        ctx.check_cancelled()
        words.update(re.findall(r"[a-z]+", line.lower()))
    ctx.log.info("%s: %d lines", os.path.basename(path), len(lines))
    return dict(words)


@baton.task(name="documents.merge")
def merge(counts: List[Dict[str, int]], top: int) -> List[Tuple[str, int]]:
    """The most frequent words of all documents."""
    words: "Counter[str]" = Counter()
    for one in counts:
        words.update(one)
    return sorted(words.items(), key=lambda entry: (-entry[1], entry[0]))[:top]


@baton.task(name="documents.publish", retry={"max_attempts": 20, "initial": "10s"}, queue="publishing")
def publish(ctx: baton.Context, words: List[Tuple[str, int]], to: str) -> Dict[str, object]:
    """Writes the list, as a whole and never while there is an embargo. Doing it twice does no harm."""
    if os.path.exists(to + ".embargo"):
        raise baton.Retry("under embargo", after=600)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=os.path.dirname(to) or ".", delete=False) as file:
        file.writelines(f"{count} {word}\n" for word, count in words)
    os.replace(file.name, to)
    return {"path": to, "words": len(words)}

#!/usr/bin/python3
"""check.py INSTANCE FOLDER RUN_JSON: did the run do what the instance says? Shares no code with the converter.

Each task ran once it could, after all its parents; every file is there, made by its task from the right inputs; nothing
else is in the folder.
"""

import hashlib
import json
import re
import sys
from datetime import datetime
from pathlib import Path


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def main():
    instance, folder, printed = (Path(argument) for argument in sys.argv[1:])
    workflow = json.loads(instance.read_text(encoding="utf-8"))["workflow"]
    wanted = {task["id"]: task for task in workflow.get("specification", workflow)["tasks"]}
    printed = json.loads(printed.read_text(encoding="utf-8"))
    assert printed["run"]["status"] == "completed", printed["run"]
    done = {task["title"]: task for task in printed["tasks"]}
    assert set(done) == set(wanted) | {"stage in"}, set(done) ^ set(wanted)
    assert all(task["status"] == "completed" and task["attempts"] == 1 for task in done.values())

    edges = 0
    for identity, task in wanted.items():
        for parent in task["parents"]:
            edges += 1
            assert done[parent]["ended_at"] <= done[identity]["started_at"], (parent, identity)

    maker = {file: identity for identity, task in wanted.items() for file in task["outputFiles"]}
    content = {}
    pending = [file for task in wanted.values() for file in task["inputFiles"] + task["outputFiles"]]
    files = set(pending)
    while pending:
        file = pending[-1]
        inputs = [] if file not in maker else list(dict.fromkeys(
            f for f in wanted[maker[file]]["inputFiles"] if f not in wanted[maker[file]]["outputFiles"]))
        missing = [f for f in inputs if f not in content]
        if missing:
            pending += missing
            continue
        pending.pop()
        lines = "".join(f"{hashlib.sha256(content[f]).hexdigest()}  -\n" for f in inputs)
        content[file] = f"{file} of {maker.get(file, 'stage in')}\n{lines}".encode()
    assert all(re.fullmatch(r"[\w+=,-][\w.+=,-]*", file) for file in files), "this check takes plain file names only"
    for file in files:
        assert (folder / file).read_bytes() == content[file], file
    assert {path.name for path in folder.iterdir()} == files

    started = min(instant(task["started_at"]) for task in done.values())
    ended = max(instant(task["ended_at"]) for task in done.values())
    print(f"{len(wanted)} tasks, {edges} edges in order, {len(files)} files right, {(ended - started).total_seconds():.1f} s")


main()

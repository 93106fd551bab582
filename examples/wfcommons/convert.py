#!/usr/bin/python3
"""Makes a Baton definition of a workflow instance in WfFormat (https://wfcommons.org, schema 1.0 to 1.5).

    convert.py INSTANCE.json [--scale 0.001] > DEFINITION.json

Each task of the instance becomes a step that needs its parents' steps, checks its input files, sleeps its recorded
runtime times SCALE and writes its output files into the folder of the input `folder`. Everything that is wrong with an
instance is reported at once. Exit code 0, or 1 with the problems, or 2 for wrong usage.
"""

import argparse
import json
import math
import os
import re
import sys
import urllib.parse

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "task.sh")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Problems(Exception):
    """What is wrong with the instance; one text each."""


def of_type(problems, where, value, kind, default):
    """The value if it has that type, else the default and a problem."""
    if isinstance(value, kind) and not (kind is not bool and isinstance(value, bool)):
        return value
    words = {dict: "a map", list: "a list", str: "a text", (int, float): "a number"}
    problems.append(f"{where}: {words[kind]} is needed, not {json.dumps(value)[:60]}")
    return default


def strings(problems, where, value):
    return [s for i, s in enumerate(of_type(problems, where, value, list, []))
            if of_type(problems, f"{where}[{i}]", s, str, None) is not None]


def read(path):
    """The tasks of the instance: [{id, program, seconds, parents, inputs, outputs}] in its order, and its name."""
    try:
        with open(path, encoding="utf-8") as file:
            instance = json.load(file)
    except OSError as error:
        raise Problems([f"cannot be read: {error.strerror}"]) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise Problems([f"is not JSON in UTF-8: {error}"]) from error
    except json.JSONDecodeError as error:
        raise Problems([f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"]) from error
    problems = []
    instance = of_type(problems, "the instance", instance, dict, {})
    workflow = of_type(problems, "workflow", instance.get("workflow"), dict, {})
    described = workflow.get("specification", workflow)  # since schema 1.4 apart from the execution
    described = of_type(problems, "workflow.specification", described, dict, {})
    listed = described.get("tasks", workflow.get("jobs"))  # `jobs`: up to schema 1.2
    listed = of_type(problems, "workflow.specification.tasks", listed, list, [])
    if not listed:
        raise Problems(problems or ["has no tasks"])
    measured = {}
    execution = of_type(problems, "workflow.execution", workflow.get("execution", {}), dict, {})
    for entry in of_type(problems, "workflow.execution.tasks", execution.get("tasks", []), list, []):
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            measured[entry["id"]] = entry
    tasks = [task(problems, f"task {number}", entry, measured) for number, entry in enumerate(listed)]
    name = instance.get("name") or os.path.basename(path).removesuffix(".json")
    tasks = [t for t in tasks if t is not None]
    check(problems, tasks)
    if problems:
        raise Problems(problems)
    return of_type(problems, "name", name, str, "instance"), tasks


def task(problems, where, entry, measured):
    entry = of_type(problems, where, entry, dict, None)
    if entry is None:
        return None
    identity = entry.get("id", entry.get("name"))
    if not isinstance(identity, str) or not identity:
        problems.append(f"{where}: has no id")
        return None
    where = f"task {identity!r}"
    execution = measured.get(identity, entry)
    seconds = execution.get("runtimeInSeconds", execution.get("runtime"))
    seconds = of_type(problems, f"{where}: runtimeInSeconds", seconds, (int, float), 0)
    if not 0 <= seconds < math.inf:
        problems.append(f"{where}: runtimeInSeconds is {seconds}; it cannot be negative or without end")
    if "files" in entry:  # up to schema 1.3
        files = [f for f in of_type(problems, f"{where}: files", entry["files"], list, []) if isinstance(f, dict)]
        inputs, outputs = ([f.get("name", f.get("id")) for f in files if f.get("link") == way]
                           for way in ("input", "output"))
    else:
        inputs, outputs = entry.get("inputFiles", []), entry.get("outputFiles", [])
    return {"id": identity, "program": re.sub(r"_?ID\d+$", "", str(entry.get("name", identity))) or identity,
            "seconds": seconds,
            "parents": list(dict.fromkeys(strings(problems, f"{where}: parents", entry.get("parents", [])))),
            "inputs": strings(problems, f"{where}: inputFiles", inputs),
            "outputs": strings(problems, f"{where}: outputFiles", outputs)}


def check(problems, tasks):
    """What holds between tasks: parents exist, no circle, one maker for each file, and it is an ancestor of its readers."""
    by_id = {}
    for t in tasks:
        if by_id.setdefault(t["id"], t) is not t:
            problems.append(f"task {t['id']!r} stands twice")
    for t in tasks:
        for parent in t["parents"]:
            if parent not in by_id:
                problems.append(f"task {t['id']!r}: its parent {parent!r} is not in the instance")
        for file in t["inputs"] + t["outputs"]:
            if len(file_name(file)) > 255 or not file:
                problems.append(f"task {t['id']!r}: the file name {file[:40]!r}… is empty or too long")
    if problems:
        return
    ancestors, open_tasks = {}, list(by_id)
    while open_tasks:  # as often as there are levels
        ready = [i for i in open_tasks if all(p in ancestors for p in by_id[i]["parents"])]
        if not ready:
            circle = ", ".join(repr(i) for i in open_tasks[:5]) + (" …" if len(open_tasks) > 5 else "")
            problems.append(f"{len(open_tasks)} tasks are in a circle or after one, among them {circle}")
            return
        for i in ready:
            ancestors[i] = set(by_id[i]["parents"]).union(*(ancestors[p] for p in by_id[i]["parents"]))
        open_tasks = [i for i in open_tasks if i not in ancestors]
    maker = {}
    for t in tasks:
        for file in t["outputs"]:
            if maker.setdefault(file, t["id"]) != t["id"]:
                problems.append(f"file {file!r} is written by {maker[file]!r} and by {t['id']!r}")
    for t in tasks:
        for file in t["inputs"]:
            if file in maker and maker[file] != t["id"] and maker[file] not in ancestors[t["id"]]:
                problems.append(f"task {t['id']!r} reads {file!r}, but {maker[file]!r}, which makes it, is none of its"
                                " ancestors")


def file_name(identity):
    """A name within one folder: slashes and leading dots are escaped, nothing clashes."""
    name = urllib.parse.quote(identity, safe=" ")
    return "%2E" + name[1:] if name.startswith(".") else name


def step_names(tasks):
    """{id: step name}: the id itself where it is a name, else one made from it."""
    names = {t["id"]: t["id"] for t in tasks if NAME.fullmatch(t["id"])}
    taken = set(names.values())
    for t in tasks:
        if t["id"] in names:
            continue
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", t["id"]).lstrip("._-")[:110] or "task"
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        names[t["id"]] = name
    return names


def definition(name, tasks, scale):
    made = {file for t in tasks for file in t["outputs"]}
    given = sorted({file for t in tasks for file in t["inputs"]} - made)
    names = step_names(tasks)
    stage = "stage-in"
    while stage in names.values():
        stage += "-"
    steps = {stage: {"title": "stage in", "type": "stage-in",
                     "exec": [TASK, "stage in", "0", "--", *map(file_name, given)]}}
    for t in tasks:
        own = {file: None for file in t["inputs"] if file not in t["outputs"]}
        steps[names[t["id"]]] = {
            "title": t["id"], "type": t["program"],
            "needs": [names[p] for p in t["parents"]] or [stage],
            "exec": [TASK, t["id"], f"{t['seconds'] * scale:.6f}", *map(file_name, own), "--",
                     *map(file_name, dict.fromkeys(t["outputs"]))],
            "estimate": round(t["seconds"] * scale, 3)}
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip("._-")[:120] or "instance"
    return {"name": slug, "title": name,
            "description": f"A WfCommons instance of {len(tasks)} tasks, {scale:g} times its recorded runtimes.",
            "inputs": {"folder": {"type": "string", "description": "Where the tasks' files go"}},
            "env": {"FOLDER": "${{ inputs.folder }}"}, "steps": steps}


def main():
    arguments = argparse.ArgumentParser(description="WfCommons instance to Baton definition")
    arguments.add_argument("instance")
    arguments.add_argument("--scale", type=float, default=0.001, help="seconds slept per recorded second (0.001)")
    options = arguments.parse_args()
    if not 0 <= options.scale <= 1:
        arguments.error("--scale: a number from 0 to 1 is needed")
    try:
        name, tasks = read(options.instance)
    except Problems as problems:
        for problem in problems.args[0][:50]:
            print(f"{options.instance}: {problem}", file=sys.stderr)
        if len(problems.args[0]) > 50:
            print(f"{options.instance}: and {len(problems.args[0]) - 50} more problems", file=sys.stderr)
        return 1
    json.dump(definition(name, tasks, options.scale), sys.stdout, indent=1)
    print()
    return 0


sys.exit(main())

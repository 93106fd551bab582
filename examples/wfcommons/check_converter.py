#!/usr/bin/python3
"""check_converter.py INSTANCE: does the converter read older forms of the instance, and name what is wrong with damaged
copies of it?"""

import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CONVERT = Path(__file__).with_name("convert.py")


def damaged(instance):
    """(what the message must contain, the damaged instance or text) for each damage."""
    def change(edit):
        other = copy.deepcopy(instance)
        workflow = other["workflow"]
        edit(workflow["specification"]["tasks"], workflow["execution"]["tasks"], other)
        return other

    first, last = instance["workflow"]["specification"]["tasks"][0], instance["workflow"]["specification"]["tasks"][-1]
    yield "is not JSON: Expecting", json.dumps(instance)[:-3]
    yield "is not JSON in UTF-8", b"\xff\xfe{}"
    yield "is not JSON in UTF-8", "[" * 100_000
    yield "the instance: a map is needed, not [1]", [1]
    yield "workflow: a map is needed, not null", {"name": "x"}
    yield "has no tasks", change(lambda tasks, runs, whole: tasks.clear())
    yield "tasks: a list is needed, not 7", change(lambda t, r, whole: whole["workflow"]["specification"].update(tasks=7))
    yield "task 0: a map is needed", change(lambda tasks, r, w: tasks.__setitem__(0, "split"))
    yield "task 0: has no id", change(lambda tasks, r, w: (tasks[0].pop("id"), tasks[0].pop("name")))
    yield f"task {first['id']!r} stands twice", change(lambda tasks, r, w: tasks.append(first))
    yield "its parent 'nobody' is not in the instance", change(lambda tasks, r, w: tasks[1]["parents"].append("nobody"))
    yield "parents[0]: a text is needed, not 5", change(lambda tasks, r, w: tasks[0].update(parents=[5]))
    yield "parents: a list is needed", change(lambda tasks, r, w: tasks[0].update(parents="split"))
    yield "13 tasks are in a circle", change(lambda tasks, r, w: tasks[0].update(parents=[last["id"]]))
    yield "in a circle or after one, among them", change(lambda tasks, r, w: tasks[2].update(parents=[tasks[2]["id"]]))
    yield "runtimeInSeconds: a number is needed, not null", change(lambda t, runs, w: runs.pop(3))
    yield "runtimeInSeconds: a number is needed, not true", change(lambda t, runs, w: runs[3].update(runtimeInSeconds=True))
    yield "runtimeInSeconds is -1", change(lambda t, runs, w: runs[3].update(runtimeInSeconds=-1))
    yield "runtimeInSeconds is nan", change(lambda t, runs, w: runs[3].update(runtimeInSeconds=float("nan")))
    yield "is written by", change(lambda tasks, r, w: tasks[2]["outputFiles"].append("clean-0.tif"))
    yield "is none of its ancestors", change(lambda tasks, r, w: tasks[1]["inputFiles"].append("mosaic.tif"))
    yield "is empty or too long", change(lambda tasks, r, w: tasks[1]["outputFiles"].append("ä" * 100))
    yield "inputFiles[0]: a text is needed", change(lambda tasks, r, w: tasks[1].update(inputFiles=[None]))


def older(instance, tasks_key, runtime_key):
    """The instance as schema 1.0 to 1.3 had it: runtimes and files in the tasks."""
    workflow = instance["workflow"]
    seconds = {run["id"]: run["runtimeInSeconds"] for run in workflow["execution"]["tasks"]}
    tasks = [{"name": task["id"], "parents": task["parents"], runtime_key: seconds[task["id"]],
              "files": [{"link": "input", "name": name} for name in task["inputFiles"]]
              + [{"link": "output", "name": name} for name in task["outputFiles"]]}
             for task in workflow["specification"]["tasks"]]
    return {"name": instance["name"], "schemaVersion": "1.2", "workflow": {tasks_key: tasks}}


def convert(folder, content):
    path = Path(folder) / "instance.json"
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return subprocess.run([sys.executable, "-B", CONVERT, path], capture_output=True, text=True, check=False)


def main():
    instance = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    checked = 0
    with tempfile.TemporaryDirectory() as folder:
        newest = convert(folder, instance)
        assert newest.returncode == 0, newest.stderr
        for form in (("tasks", "runtimeInSeconds"), ("tasks", "runtime"), ("jobs", "runtime")):
            assert convert(folder, older(instance, *form)).stdout == newest.stdout, form
        for message, content in damaged(instance):
            ended = convert(folder, content)
            assert ended.returncode == 1 and message in ended.stderr and "Traceback" not in ended.stderr, \
                f"wanted: {message}\ngot ({ended.returncode}): {ended.stderr}"
            assert not ended.stdout, "half a definition"
            checked += 1
    print(f"{checked} damaged instances, each named; 3 older forms read")


main()

#!/usr/bin/python3
"""check.py RUN_JSON: is this what `baton run examples/hello/workflow.yaml --input name=Ada` has to print?"""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    printed = json.load(file)
tasks = {task["step"]: task for task in printed["tasks"]}
assert printed["run"]["status"] == "completed", printed["run"]
assert [task["step"] for task in printed["tasks"]] == ["greet", "measure"], printed["tasks"]
assert tasks["greet"]["result"] == {"stdout": "Hello, Ada!", "exit_code": 0}, tasks["greet"]
assert tasks["measure"]["result"] == len("Hello, Ada!"), tasks["measure"]
assert tasks["measure"]["started_at"] >= tasks["greet"]["ended_at"], tasks
print("two steps, in order, with the right results")

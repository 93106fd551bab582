#!/usr/bin/python3
"""check.py RUN_JSON: is this what `baton run examples/fan-out/workflow.yaml` has to print?"""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    printed = json.load(file)
by_step = {}
for task in printed["tasks"]:
    by_step.setdefault(task["step"], []).append(task)
assert printed["run"]["status"] == "completed", printed["run"]
assert by_step["total"][0]["result"] == {"parts": 200, "primes": 148_933}, by_step["total"]  # π(2,000,000)
items = [task for task in by_step["count"] if task["index"] is not None]
assert sorted(task["index"] for task in items) == list(range(200)), [task["index"] for task in items]
assert sum(task["result"] for task in items) == 148_933
assert next(task["result"] for task in items if task["index"] == 0) == 1_229  # π(10,000)
assert by_step["total"][0]["started_at"] >= max(task["ended_at"] for task in items), by_step["total"]
print("200 tasks, 148933 primes, joined once")

#!/usr/bin/python3
"""check.py MODE LOG_FOLDER RUN_JSON…

flaky: were at least 95 % of the runs answered by the agents themselves, although a fifth of all requests failed? Is each
attempt a request in the logs? down: is each run completed, with the stand-in in place of the data agent, whose breaker is
open, so that few requests were wasted on it? up: does the agent answer again, and is the breaker closed?
"""

import json
import sys
from pathlib import Path

SALES = {"coffee": {"north": 120, "south": 340, "east": 95}, "tea": {"north": 210, "south": 80, "east": 160}}
STEPS = {"nlp": ["answer", "understand"], "data": ["rows"], "viz": ["chart"]}


def right(query, response):
    """Is that what the agents answer to this question?"""
    sales = SALES["tea" if "tea" in query else "coffee"]
    if "chart" in query:
        return response.startswith("<svg") and all(f'width="{cups}"' in response for cups in sales.values())
    return response == f"{sum(sales.values())} cups of {'tea' if 'tea' in query else 'coffee'}"


def attempts_of_its_own(task):
    """Without the one of its fallback."""
    return task["attempts"] - (task.get("via") == "fallback")


def main():
    mode, logs, paths = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    assert paths, "there are no runs"
    requests = {name: [json.loads(line) for line in (logs / f"{name}.log").read_text(encoding="utf-8").splitlines()]
                for name in STEPS}
    runs = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    assert all(run["run"]["status"] == "completed" for run in runs), [run["run"] for run in runs]
    attempts, answered = dict.fromkeys(STEPS, 0), 0
    for run in runs:
        tasks = {task["step"]: task for task in run["tasks"]}
        query = run["run"]["input"]["query"]
        way, other = (("understand", "rows", "chart"), ("answer",))[::1 if "chart" in query else -1]
        assert all(tasks[step]["status"] == "completed" for step in way), tasks
        assert all(tasks[step]["status"] == "skipped" and tasks[step]["attempts"] == 0 for step in other), tasks
        stood_in = [step for step in way if tasks[step].get("via") == "fallback"]
        assert bool(stood_in) != right(query, tasks["respond"]["result"]["response"]), (query, stood_in, tasks["respond"])
        answered += not stood_in
        for name, steps in STEPS.items():
            attempts[name] += sum(attempts_of_its_own(tasks[step]) for step in steps)
        if mode == "down":
            assert stood_in == ["rows"], stood_in
    if mode == "down":
        wasted = sum(r["answer"] == 503 and "outage" in r for r in requests["data"])
        breaker = json.loads((logs / "agents-down.breaker.json").read_text(encoding="utf-8"))
        assert breaker["state"] != "closed" and breaker["times_opened"] >= 1, breaker
        assert wasted < 4 * len(runs), f"{wasted} requests to an agent that is down"
        print(f"{len(runs)} runs with the data agent down, {wasted} requests to it: all answered with yesterday's data")
        return
    if mode == "up":
        breaker = json.loads((logs / "agents-up.breaker.json").read_text(encoding="utf-8"))
        assert breaker["state"] == "closed", breaker
        assert answered == len(runs), f"{answered} of {len(runs)}"
        print(f"{answered} runs with the data agent back: its breaker is closed, all answered by it")
        return
    failed = {name: sum(r["answer"] != 200 for r in asked) for name, asked in requests.items()}
    total = sum(len(asked) for asked in requests.values())
    assert attempts == {name: len(asked) for name, asked in requests.items()}, (attempts, total)
    assert sum(failed.values()) >= 0.1 * total, failed
    assert answered >= 0.95 * len(runs), f"{answered} of {len(runs)}"
    print(f"{answered} of {len(runs)} runs answered by the agents, {sum(failed.values())} of {total} requests failed")


main()

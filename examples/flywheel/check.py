#!/usr/bin/python3
"""check.py LOGS CLOUD CLOUD_LOG GPUS RUN_JSON…: are the scores true, was no more deployed than there are GPUs, is nothing
deployed now, and was never more than one model trained at a time?

Computes the scores again from the logs and the models' answers.
"""

import json
import sys
import urllib.request
from pathlib import Path


def f1(wanted, given):
    intents = set(wanted)
    total = 0.0
    for intent in intents:
        both = sum(1 for pair in zip(wanted, given) if pair == (intent, intent))
        precision = both / max(1, given.count(intent))
        recall = both / wanted.count(intent)
        total += 0 if both == 0 else 2 * precision * recall / (precision + recall)
    return total / len(intents)


def held_out(logs):
    usable = []
    for line in Path(logs).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["client_id"] == "shop" and "response" in entry:
            usable.append(entry["response"]["choices"][0]["message"]["content"])
    return usable[::4]


def check_run(path, wanted):
    printed = json.loads(Path(path).read_text(encoding="utf-8"))
    assert printed["run"]["status"] == "completed", printed["run"]
    tasks = {task["step"]: task for task in printed["tasks"] if task["role"] == "main"}
    helpers = {task["role"]: task for task in printed["tasks"] if task["role"] != "main"}
    tasks["shutdown"] = helpers["cleanup"]
    assert tasks["shutdown"]["status"] == "completed", tasks["shutdown"]
    assert printed["run"]["resources"] == [], printed["run"]["resources"]
    scores = []
    for step in ("base_eval", "customization_eval"):
        result = tasks[step]["result"]
        assert abs(f1(wanted, result["given"]) - result["f1"]) < 0.0001, (step, result)
        scores.append(result["f1"])
    assert scores[0] < scores[1] and tasks["finalize"]["result"]["better"] is True, scores
    chain = ["initialize", "create_datasets", "deploy", "ready", "base_eval", "customization_eval", "shutdown", "report"]
    for before, after in zip(chain, chain[1:]):
        assert tasks[before]["ended_at"] <= tasks[after]["started_at"], (tasks[before], tasks[after])
    assert tasks["customize"]["ended_at"] <= tasks["customization_eval"]["started_at"], tasks
    return printed["run"]["id"], (scores, (tasks["customize"]["started_at"], tasks["customize"]["ended_at"]))


def main():
    logs, cloud, cloud_log, gpus = sys.argv[1:5]
    wanted = held_out(logs)
    runs = dict(check_run(path, wanted) for path in sys.argv[5:])
    standing, deployments = set(), 0
    for line in Path(cloud_log).read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["event"] == "deployed":
            assert event["name"] not in standing, event
            standing.add(event["name"])
            deployments += 1
        elif event["event"] == "stopped":
            standing.remove(event["name"])
        assert len(standing) <= int(gpus), event
    assert not standing, standing
    with urllib.request.urlopen(f"{cloud}/deployments", timeout=10) as answer:
        assert json.load(answer) == {"items": []}
    trainings = sorted(training for _, training in runs.values())
    for before, after in zip(trainings, trainings[1:]):
        assert before[1] <= after[0], trainings
    scores, _ = next(iter(runs.values()))
    print(f"{len(runs)} runs, F1 {scores[0]:.2f} → {scores[1]:.2f}, {deployments} deployments, all given back")


main()

#!/usr/bin/python3
"""check.py API LOG WAREHOUSE RUN_JSON: did every order arrive once, although the API failed in every way it can?

Asks the API, which has nothing left to fail with, for the truth.
"""

import collections
import json
import sqlite3
import sys
import urllib.request
from pathlib import Path


def ask(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def main():
    api, log, warehouse, run_json = sys.argv[1:]
    printed = json.loads(Path(run_json).read_text(encoding="utf-8"))
    requests = [json.loads(line) for line in Path(log).read_text(encoding="utf-8").splitlines()]
    assert printed["run"]["status"] == "completed", printed["run"]

    faults = collections.Counter(request["answer"] for request in requests)
    right = faults.pop("right")
    assert set(faults) == {"busy", "broken", "truncated", "slow", "dropped"}, faults
    by_page = collections.defaultdict(list)
    for request in requests:
        by_page[request["path"]].append(request)
    for path, attempts in by_page.items():
        assert [attempt["answer"] == "right" for attempt in attempts].index(True) == len(attempts) - 1, (path, attempts)
        for busy, after in zip(attempts, attempts[1:]):
            if busy["answer"] == "busy":  # Retry-After: 1
                assert after["at"] - busy["at"] >= 1, (path, busy, after)
    items = {task["index"]: task for task in printed["tasks"] if task["step"] == "extract" and task["index"] is not None}
    pages = ask(f"{api}/pages")["pages"]
    for index, page in enumerate(pages):
        assert items[index]["attempts"] == len(by_page[f"/orders?page={page}"]), (items[index], by_page)

    rates = ask(f"{api}/rates")
    wanted, bad = {}, 0
    for page in pages:
        for order in ask(f"{api}/orders?page={page}")["orders"]:
            if order.get("day") and order["amount"] >= 0 and order["currency"] in rates:
                wanted[order["id"]] = (order["day"], order["amount"] * 100 / rates[order["currency"]])
            else:
                bad += 1
    rows = sqlite3.connect(f"file:{warehouse}?mode=ro", uri=True).execute("SELECT id, day, cents FROM orders").fetchall()
    assert {row[0] for row in rows} == set(wanted) and len(rows) == len(wanted), set(wanted) ^ {row[0] for row in rows}
    assert all(wanted[key][0] == day and abs(wanted[key][1] - cents) <= 0.5 for key, day, cents in rows)
    results = {task["step"]: task["result"] for task in printed["tasks"] if task["index"] is None}
    assert len(results["transform"]["rejected"]) == bad > 0
    print(f"{len(rows)} orders, {bad} rejected; {right + sum(faults.values())} requests, {sum(faults.values())} of them failed")


main()

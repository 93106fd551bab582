#!/usr/bin/python3
"""check.py DATABASE DAY OUT RUN_JSON: is the report true, or, for a night that failed, is there none but a line about it?

Counts the orders one by one, without the queries.
"""

import collections
import json
import sqlite3
import sys
from datetime import date, timedelta
from pathlib import Path


def main():
    database, day, out, run_json = sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]
    printed = json.loads(Path(run_json).read_text(encoding="utf-8"))
    run = printed["run"]
    tasks = {task["step"]: task for task in printed["tasks"]}
    nights = [json.loads(line) for line in (out / "nights.jsonl").read_text(encoding="utf-8").splitlines()]
    night = [entry for entry in nights if entry["run"] == run["id"]]
    assert len(night) == 1, nights
    assert (night[0]["status"], night[0]["day"]) == (run["status"], day), night
    assert all(tasks[step]["status"] == "completed" for step in ("log", "tidy")), tasks
    report = out / "outbox" / f"{day}.md"
    orders = list(sqlite3.connect(f"file:{database}?mode=ro", uri=True).execute(
        "SELECT ordered, product, pieces, cents, shipped FROM orders"))
    of_day = [order for order in orders if order[0].startswith(day)]
    if not of_day:
        assert run["status"] == "failed" and not report.exists(), run
        assert night[0]["orders"] == 0 and f"no orders of {day}" in night[0]["problem"], night
        print(f"failed, no report, one line about it: {night[0]['problem'].splitlines()[-1].strip()}")
        return

    assert run["status"] == "completed", run
    cents = sum(order[2] * order[3] for order in of_day)
    before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    change = cents - sum(order[2] * order[3] for order in orders if order[0].startswith(before))
    by_product = collections.Counter()
    for _, product, pieces, price, _ in of_day:
        by_product[product] += pieces * price
    text = report.read_text(encoding="utf-8")
    assert f"{len(of_day)} orders, {cents / 100:,.2f} €" in text, text
    assert f"{'+' if change >= 0 else '−'}{abs(change) / 100:,.2f} €" in text, text
    rows = [line.split(" | ")[0].strip("| ") for line in text.splitlines() if line.startswith("|")][2:]
    assert rows == [product for product, _ in by_product.most_common(5)], (rows, by_product)
    limit = (date.fromisoformat(day) - timedelta(days=2)).isoformat()
    late = [order[0] for order in orders if order[4] is None and order[0][:10] < limit]
    assert f"{len(late)} orders wait" in text and min(late) in text, text
    assert [path.name for path in report.parent.iterdir()] == [report.name], "something is left in the outbox"
    assert night[0]["orders"] == len(of_day), night
    print(f"{len(of_day)} orders of {day} counted again, the report is true, the night is in the log")


main()

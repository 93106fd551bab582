#!/usr/bin/python3
"""check.py LOG RUN_JSON [--timeout]: was the export ordered once, polled until it was ready, and then no more?"""

import json
import sys
from pathlib import Path


def main():
    requests = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    printed = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    tasks = {task["step"]: task for task in printed["tasks"]}
    export = tasks["order"]["result"]["body"]["id"]
    mine = [request for request in requests if request[1].startswith(f"/exports/{export}")]
    polls = [number for number, request in enumerate(mine) if request == ["GET", f"/exports/{export}"]]
    if "--timeout" in sys.argv:
        assert printed["run"]["status"] == "failed", printed["run"]
        assert tasks["ready"]["error"]["type"] == "timeout", tasks["ready"]
        assert tasks["fetch"]["status"] == tasks["report"]["status"] == "skipped", tasks
        assert len(polls) >= 3, mine
        print(f"given up after {len(polls)} polls")
        return
    assert printed["run"]["status"] == "completed", printed["run"]
    assert requests.count(["POST", "/exports"]) == 1, requests
    released = mine.index(["POST", f"/exports/{export}/release"])
    assert mine[-1] == ["GET", f"/exports/{export}/rows"] and polls[-1] == len(mine) - 2 > released, mine
    assert len(polls) >= 5, mine  # 20, 40, 60, 80, 100 %
    assert tasks["ready"]["result"]["body"] == {"state": "ready", "progress": 100}, tasks["ready"]
    visitors = {f"2026-10-{day:02}": day * 37 % 101 for day in range(1, 29)}
    assert tasks["report"]["result"] == {"days": 28, "busy": [day for day, n in visitors.items() if n >= 90]}, tasks["report"]
    print(f"ready after {len(polls)} polls, by one worker that did other work between them")


main()

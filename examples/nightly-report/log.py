"""log.py FOLDER: adds a line about this run to FOLDER/nights.jsonl, unless an earlier attempt did."""

import json
import os
import sys


def main():
    with open(os.environ["BATON_INPUT"], encoding="utf-8") as file:
        night = json.load(file)
    os.makedirs(sys.argv[1], exist_ok=True)
    path = os.path.join(sys.argv[1], "nights.jsonl")
    with open(path, "a+", encoding="utf-8") as file:
        file.seek(0)
        if any(json.loads(line)["run"] == night["run"] for line in file):
            return
        file.write(json.dumps(night, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


main()

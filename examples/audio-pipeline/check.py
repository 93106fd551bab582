#!/usr/bin/python3
"""check.py DATABASE RUN_JSON TEXT: is what was stored what was said? Shares no code with the steps.

TEXT is the file that was read aloud.
"""

import json
import re
import sqlite3
import sys
from pathlib import Path

ENGLISH = {"spanish": {"rain", "coffee", "price", "year"}, "english": set()}  # to be found in the translation


def main():
    database, run_json, spoken_file = sys.argv[1:]
    printed = json.loads(Path(run_json).read_text(encoding="utf-8"))
    spoken = Path(spoken_file).read_text(encoding="utf-8").split()
    language = Path(spoken_file).stem
    tasks = {task["step"]: task for task in printed["tasks"] if task["index"] is None}
    assert printed["run"]["status"] == "completed", printed["run"]

    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT language, transcript, text, analysis FROM recordings WHERE run = ?",
                                  (printed["run"]["id"],)).fetchall()
    assert len(rows) == 1, f"{len(rows)} rows of this run"
    found, transcript, text, analysis = rows[0]
    right = sum(heard == said for heard, said in zip(transcript.split(), spoken))
    assert right >= 0.9 * len(spoken) and len(transcript.split()) == len(spoken), f"heard: {transcript}"
    assert found == language[:2].replace("sp", "es"), found

    if language == "english":
        assert tasks["translate"]["status"] == "skipped", tasks["translate"]
        assert text == transcript, text
    else:
        assert tasks["translate"]["status"] == "completed", tasks["translate"]
        assert ENGLISH[language] <= set(text.lower().split()), text
    analysis = json.loads(analysis)
    words = re.findall(r"[a-z]+", text.lower()) if text.isascii() else re.findall(r"\w+", text.lower())
    assert (analysis["words"], analysis["distinct"]) == (len(words), len(set(words))), analysis
    assert all(words.count(entry["word"]) == entry["count"] for entry in analysis["top"]), analysis

    chain = ["speak", "preprocess", "transcribe", "detect", "analyse", "store"]
    for before, after in zip(chain, chain[1:]):
        assert tasks[before]["ended_at"] <= tasks[after]["started_at"], (tasks[before], tasks[after])
    print(f"{right} of {len(spoken)} words heard right; stored: {text[:48]}…")


main()

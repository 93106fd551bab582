"""A long life with retention (R33): memory, descriptors, threads and the file on the disk stay as they are."""

import json
import os
import pathlib
import statistics
import time

from harness.case import LONG, BatonCase

ROUNDS = 400 if LONG else 12
RUNS = 500 if LONG else 120  # of a round; two rounds are kept


class SoakTest(BatonCase):
    def one_round(self, number):
        definition = self.workflow({
            "work": {"run": "head -c 3000 /dev/urandom | base64 --wrap=0; echo $BATON_RUN_ID >&2"},
            "each": {"needs": ["work"], "for_each": list(range(10)), "set": {"item": "${{ item }}"}},
        }, name=f"round-{number}")
        context = {"workdir": "/", "env": {"PATH": os.environ["PATH"]}}
        for _ in range(RUNS):
            self.api().request("POST", "/api/v1/runs", {"definition": json.dumps(definition), "context": context})
        self.eventually(lambda: not self.api().get("/api/v1/runs", workflow=f"round-{number}", state="active", limit=1)["items"],
                        "the end of the round", 600)
        return definition["name"]

    def remove(self, workflow):
        for _ in range(-(-RUNS // 100)):
            self.api().request("POST", "/api/v1/runs/bulk", {"action": "prune", "filter": {"workflow": workflow}, "limit": 100})
        # Rows and files go in pieces, behind the answer.
        self.eventually(lambda: all(note["files_deleted"] for note in self.json("runs", "removed")["items"]), "the files")

    def measured(self):
        pid = self.api().owner_pid()
        status = pathlib.Path(f"/proc/{pid}/status").read_text("ascii")
        fields = dict(line.split(":", 1) for line in status.splitlines())
        folders = sum(1 for _ in (self.data / "scratch").iterdir()) if (self.data / "scratch").exists() else 0
        return {"memory": int(fields["VmRSS"].split()[0]) << 10, "threads": int(fields["Threads"]),
                "files": len(os.listdir(f"/proc/{pid}/fd")), "folders": folders,
                "database": (self.data / "baton.db").stat().st_size}

    def test_nothing_grows(self):
        self.keep_owner("--concurrency", "8")
        began, figures, names = time.monotonic(), [], []
        for number in range(ROUNDS):
            names.append(self.one_round(number))
            if len(names) > 2:
                self.remove(names.pop(0))
                figures.append(self.measured())
        self.baton("backup", self.dir / "copy.db")  # compact: what is alive
        alive = (self.dir / "copy.db").stat().st_size
        half = len(figures) // 2

        def typical(name, part):
            return statistics.median(figure[name] for figure in part)

        early, late = ({name: typical(name, part) for name in figures[0]} for part in (figures[:half], figures[half:]))
        self.report(f"{ROUNDS * RUNS} runs in {time.monotonic() - began:.0f} s, {late['memory'] >> 20} MiB of memory "
                    f"(first half {early['memory'] >> 20}), {late['files']:.0f} descriptors, {late['threads']:.0f} threads, "
                    f"the file {late['database'] / alive:.2f} × what is alive")
        self.assertLess(late["memory"], early["memory"] * 1.1 + (2 << 20), figures)
        self.assertLessEqual(late["threads"], early["threads"], figures)
        self.assertLessEqual(late["files"], early["files"] + 4, figures)
        self.assertLess(late["database"], 1.5 * alive + (1 << 20), figures)
        self.assertLessEqual(figures[-1]["folders"], 3 * RUNS, "scratch folders of runs that are gone")

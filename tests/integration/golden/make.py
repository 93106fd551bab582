"""Makes the golden database of a program: its file with runs in flight, as kill -9 of the owner leaves it.

    BATON=build/release/baton python3 -B tests/integration/golden/make.py COMMIT

COMMIT is the one that the program was built from. The schema is what the program's new databases have. An existing file
is not replaced: a schema is not changed any more once it was in main. For an older schema, build the last commit that had
it in a clone:

    git log --format=%h -S'kSchema4' -- src/store/sqlite/migrations.cpp | tail -1      # its parent had schema 3
"""

import contextlib
import json
import pathlib
import re
import sqlite3
import sys
import tarfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from golden.flows import FLOWS, QUEUED, QUEUED_FLOW  # noqa: E402
from harness.api import Answer  # noqa: E402
from harness.case import BatonCase  # noqa: E402
from harness.ledger import Ledger  # noqa: E402


class Maker(BatonCase):
    commit = ""

    def runTest(self):
        self.ledger = Ledger(self.data / "ledger")
        self.keep_owner("--concurrency", "20")
        api = self.api()
        runs = {}
        for name, (definition, until, end) in FLOWS.items():
            definition = {"name": name} | definition
            try:
                run = api.submit(definition, f"key-{name}", job_id=f"job-{name}")[1]["id"]
            except Answer as answer:
                print(f"without {name}: {answer.problem['detail'].splitlines()[0]}")
                continue
            self.eventually(lambda r=run, u=until: self.reached(r, u), f"{name}: {until}")
            runs[name] = {"id": run, "end": end, "definition": definition}
        for number in range(QUEUED):
            name = f"queued-{number}"
            definition = {"name": "queued"} | QUEUED_FLOW
            run = api.submit(definition, f"key-{name}", job_id=f"job-{name}")[1]["id"]
            runs[name] = {"id": run, "end": "completed", "definition": definition}
        if "cancelling" in runs:
            self.json("runs", "cancel", runs["cancelling"]["id"])
        if "paused" in runs:
            self.baton("runs", "pause", runs["paused"]["id"], code=None)  # the first programs cannot
        for name, run in runs.items():
            run["status"] = api.run(run["id"])["status"]
            run["counts"] = api.run(run["id"])["counts"]
        runs["keeper"] = {"id": self.keeper, "end": None, "status": "running"}
        self.kill_owner()
        self.assert_no_task_lives()
        with contextlib.closing(sqlite3.connect(f"file:{self.data}/baton.db?mode=ro", uri=True)) as database:
            (schema,) = database.execute("PRAGMA user_version").fetchone()
        file = HERE / "databases" / f"schema-{schema}.tar.xz"
        if file.exists():
            raise FileExistsError(f"{file} is there already")
        about = {"schema": schema, "commit": self.commit, "made": time.strftime("%Y-%m-%d", time.gmtime()), "runs": runs}
        (self.data / "golden.json").write_text(json.dumps(about, indent=1))
        with tarfile.open(file, "w:xz", preset=9) as archive:
            for name in ("golden.json", "ledger", "baton.db", "baton.db-wal"):
                archive.add(self.data / name, arcname=name, filter=self.anonymous)
        print(f"{file}: {file.stat().st_size} bytes, {len(runs)} runs")

    @staticmethod
    def anonymous(member):
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    def reached(self, run, until):
        if isinstance(until, str):
            return self.api().run(run)["status"] == until
        step, status = until
        if isinstance(status, int):
            return self.ledger.count("end", step) >= status
        return any(task["step"] == step and task["status"] == status for task in self.api().tasks(run))


def main():
    if len(sys.argv) != 2 or not re.fullmatch("[0-9a-f]{7,40}", sys.argv[1]):
        sys.exit(__doc__)
    Maker.commit = sys.argv[1]
    Maker.setUpClass()
    result = unittest.TextTestRunner().run(Maker())
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()

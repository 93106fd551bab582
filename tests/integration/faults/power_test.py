"""Loss of power under the whole program (R3): what it wrote and synced is recorded, then cut at many places; of what was
not synced the disk keeps any part, in any order, torn at any sector. Whatever was answered before the cut is there."""

import unittest

from harness.case import LONG, BatonCase
from harness.faults import Faults, Trace
from harness.invariants import TERMINAL, check_database, check_run

RUNS = 40
CUTS = 500 if LONG else 12


class PowerTest(BatonCase):
    def definition(self, number):
        large = "x" * (9_000 if number % 5 == 0 else 10)
        work = {"exec": ["/bin/true"]} if number % 8 == 0 else {"set": {"number": number, "text": large}}
        return {"name": f"n{number % 3}", "steps": {
            "work": work,
            "fan": {"needs": ["work"], "for_each": [1, 2, 3], "set": {"n": "${{ item }}"}},
        }, "finally": {"tidy": {"set": {"done": True}}}}

    def files(self):
        return {str(self.data / name): (self.data / name).read_bytes() for name in ("baton.db", "baton.db-wal")
                if (self.data / name).exists()}

    def put(self, files):
        for name in ("baton.db", "baton.db-wal", "baton.db-shm"):
            (self.data / name).unlink(missing_ok=True)
        for path, content in files.items():
            if not path.endswith("-shm"):  # memory, not disk
                with open(path, "wb") as file:
                    file.write(content)

    def test_what_was_answered_survives_every_cut(self):
        path = self.dir / "trace"
        faults = Faults(self.dir, files=str(self.data / "baton.db"), trace=path)
        self.addCleanup(faults.close)
        self.keep_owner()
        self.kill_owner()
        base = self.files()

        self.keep_owner("--concurrency", "4", env=faults.environment)
        api = self.api()
        runs = {}
        for number in range(RUNS):
            run = api.submit(self.definition(number), f"key-{number}", job_id=f"key-{number}")[1]["id"]
            runs[number] = run
            Trace.note(path, "A", f"key-{number}", run)
            if number % 3 == 2:
                ended = api.wait(runs[number - 2])
                Trace.note(path, "E", ended["id"], ended["status"])
        self.kill_owner()
        trace = Trace(path)
        syncs = [place for place, event in enumerate(trace.events) if event[0] == "S"]
        self.assertGreater(len(syncs), RUNS)

        kept = 0
        for cut in self.cuts(trace, syncs):
            with self.subTest(cut=cut):
                self.put(trace.image(base, cut, self.random))
                notes = trace.notes(cut)
                kept += len(notes)
                self.check(notes)
        self.report(f"{len(trace.events)} changes, {len(syncs)} syncs, cut at {CUTS} places; {kept} answers held")

    def cuts(self, trace, syncs):
        """Anywhere, and right before and after a sync or an answer."""
        interesting = [place + delta for place in syncs for delta in (0, 1, 2)]
        for number in range(CUTS):
            yield self.random.choice(interesting) if number % 2 else self.random.randrange(len(trace.events) + 1)

    def check(self, notes):
        check_database(self, self.data)
        self.keep_owner("--concurrency", "4")
        api = self.api()
        stored = {run["job_id"]: run for run in api.runs() if run["job_id"]}
        for note in notes:
            if note[0] == "A":
                self.assertEqual(stored.get(note[1], {}).get("id"), note[2], "I1: an acknowledged run is missing")
            else:
                self.assertEqual(api.run(note[1])["status"], note[2], "I2: an end that was seen is another one")
        for run in stored.values():
            self.eventually(lambda r=run: api.run(r["id"])["status"] in TERMINAL, "the end")
        for run in stored.values():
            row, _ = check_run(self, api, run["id"])
            self.assertEqual(row["status"], "completed")
        # It can be written to.
        self.assertEqual(api.submit(self.definition(0), "after", job_id="after")[0], 201)
        self.kill_owner()


if __name__ == "__main__":
    unittest.main()

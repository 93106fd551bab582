"""Results that steps keep for later runs."""

import unittest

from harness.case import BatonCase


class CacheTest(BatonCase):
    def test_work_is_done_once_until_the_cache_is_cleared(self):
        flow = {"name": "prices", "inputs": {"day": {"type": "integer", "default": 1}},
                "steps": {"fetch": {"run": "echo x >> \"$OUT\"; echo '{\"n\": 7}' > \"$BATON_RESULT\"",
                                    "env": {"OUT": str((self.dir / "done"))},
                                    "cache": {"key": "${{ inputs.day }}", "ttl": "7d"}},
                          "use": {"needs": ["fetch"], "set": {"n": "${{ steps.fetch.result.n }}"}}}}
        file = self.write(flow, "prices.json")

        def done():
            return len((self.dir / "done").read_text().splitlines())

        self.baton("run", file)
        second = self.baton("run", file)
        self.assertEqual(done(), 1)
        self.assertIn("cached", second.stdout + second.stderr)
        run = self.json("runs", "list")["items"][0]["id"]
        task = self.json("tasks", "list", run)["items"][0]
        self.assertEqual((task["status"], task["via"], task["attempts"], task["result"]),
                         ("completed", "cache", 0, {"n": 7}))
        self.assertIn("task.cached fetch", self.baton("runs", "history", run).stdout)
        self.baton("run", file, "--input", "day=2")
        self.assertEqual(done(), 2)

        self.assertEqual(len(self.json("cache", "list", "--workflow", "prices")["items"]), 2)
        self.baton("cache", "clear", code=2)
        self.assertEqual(self.json("cache", "clear", "--all", "--dry-run"), {"cleared": 2, "dry_run": True})
        self.assertEqual(self.baton("cache", "clear", "--workflow", "prices").stdout, "2 cached results cleared\n")
        self.baton("run", file)
        self.assertEqual(done(), 3)

    def test_failed_runs_are_replayed_by_a_filter(self):
        file = self.write({"name": "bad", "steps": {"a": {"run": "exit 1"}}}, "bad.json")
        for _ in range(3):
            self.baton("run", file, code=3)
        self.baton("runs", "replay", "--where", "workflow == 'bad'", "--input", "n=1", code=2)
        self.assertEqual(len(self.json("runs", "replay", "--where", "workflow == 'bad'", "--dry-run")["items"]), 3)
        items = self.json("runs", "replay", "--where", "workflow == 'bad'")["items"]
        self.assertEqual([item["outcome"] for item in items], ["done"] * 3)
        self.assertEqual(len({item["made"] for item in items}), 3)


if __name__ == "__main__":
    unittest.main()

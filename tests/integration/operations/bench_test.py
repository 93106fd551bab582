"""baton bench in its shortest form: it comes to an end, says everything, and loses nothing when its server is killed."""

import json
import os
import subprocess
import tempfile
import unittest


class Bench(unittest.TestCase):
    def test_measures_everything_and_loses_nothing(self):
        with tempfile.TemporaryDirectory(prefix="baton-bench-test-") as folder:
            done = subprocess.run([os.environ["BATON"], "bench", "--rounds", "1", "--tasks", "1500", "--seed", "500", "--dir", folder,
                                   "--output", "json"], capture_output=True, text=True, timeout=600, env={"HOME": folder})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(folder), [], "what it has made is gone")
        report = json.loads(done.stdout)
        self.assertEqual([floor["name"] for floor in report["floors"]], ["append", "tcp", "spawn"])
        names = ["W1", "W1 CPU", "W2", "W3", "W4 p50", "W4 p99", "W5 memory", "W5 start"]
        self.assertEqual([series["name"] for series in report["results"]], names)
        for series in report["floors"] + report["results"]:
            self.assertGreater(series["lowest"], 0, series)
            self.assertLessEqual(series["lowest"], series["median"])
        kill = report["kill"]
        self.assertEqual((kill["lost"], kill["runs"], kill["acknowledged"]), (0, 1500, 1500))


if __name__ == "__main__":
    unittest.main()

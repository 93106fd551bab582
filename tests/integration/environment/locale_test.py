"""Neither the locale nor the time zone of the caller changes what Baton does or prints as data."""

import os
import shutil
import subprocess
import unittest

from harness.case import BatonCase

LOCALES = ("C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "xx_NOWHERE")
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati", "Asia/Kathmandu", "Antarctica/Troll", "",
         ":", "No/Such_Zone", "<+1345>-13:45", "EST5EDT,M3.2.0,M11.1.0", ":/etc/passwd", "../../../etc/passwd", "A" * 5000)

DEFINITION = """
name: locale
inputs:
  share: {type: number, default: 0.25}
  title: {type: string, default: "TITLE I i ı İ ß"}
steps:
  values:
    set:
      sum: "${{ 1.5 + inputs.share }}"
      text: "${{ string(1234567.5) }}"
      read: "${{ double('2.5') * 2.0 }}"
      interpolated: "${{ 0.1 }} and ${{ 1e21 }}"
      when: "${{ string(timestamp('2026-03-29T01:30:00Z') + duration('90m')) }}"
      title: "${{ inputs.title }}"
  flaky:
    needs: [values]
    run: 'if [ "$TRIES" = x"$BATON_ATTEMPT" ]; then exit 75; fi; printf "%s" "$TITLE $SUM"'
    env: {TRIES: x1, TITLE: "${{ inputs.title }}", SUM: "${{ steps.values.result.sum }}"}
    retry: {max_attempts: 3, backoff: exponential, initial: 0.02, multiplier: 1.5, jitter: none}
    timeout: 12.5s
"""


class LocaleTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.path = self.dir / "workflow.yaml"
        self.path.write_text(DEFINITION, encoding="utf8")
        self.reference = self.outcome({"LC_ALL": "C", "TZ": "UTC"})
        self.assertEqual(self.reference[0]["status"], "completed")

    def outcome(self, env):
        """What a run printed, without what is different in every run."""
        env = {"LANG": "", "LC_ALL": "", "LC_NUMERIC": "", "TZ": ""} | env
        done = self.json("run", self.path, "--input", "share=0.75", env=env)
        for thing in [done["run"], *done["tasks"]]:
            for key in ("started_at", "ended_at", "created_at", "ready_at"):
                if thing.get(key) is not None:
                    self.assertRegex(thing.pop(key), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            for key in ("id", "run", "duration", "dependencies"):
                thing.pop(key, None)
        return done["run"], done["tasks"]

    def test_values_are_read_and_written_in_one_way(self):
        values = self.reference[1][0]["result"]
        self.assertEqual(values["sum"], 2.25)
        self.assertEqual(values["text"], "1234567.5")
        self.assertEqual(values["read"], 5.0)
        self.assertRegex(values["interpolated"], r"^0\.1 and 1e\+?21$")
        self.assertEqual(values["when"], "2026-03-29T03:00:00Z")
        self.assertEqual(self.reference[1][1]["result"]["stdout"], values["title"] + " 2.25")

    def test_locales(self):
        for locale in LOCALES:
            with self.subTest(locale=locale):
                self.assertEqual(self.outcome({"LC_ALL": locale}), self.reference)
                self.assertEqual(self.outcome({"LANG": locale, "LC_NUMERIC": locale}), self.reference)

    def test_installed_locales(self):
        """Turkish and German as they really are: dotless i, decimal comma."""
        compiler = shutil.which("localedef")
        if compiler is None or not os.path.exists("/usr/share/i18n/locales/tr_TR"):
            self.skipTest("localedef or its sources are not installed (package locales)")
        folder = self.dir / "locales"
        folder.mkdir()
        for name in ("de_DE", "tr_TR"):
            subprocess.run([compiler, "-i", name, "-f", "UTF-8", f"{folder}/{name}.UTF-8"], check=False,
                           capture_output=True, timeout=60)
            self.assertTrue((folder / f"{name}.UTF-8" / "LC_NUMERIC").exists())
            env = {"LOCPATH": str(folder), "LC_ALL": f"{name}.UTF-8"}
            self.assertEqual(self.outcome(env), self.reference, name)
            upper = self.baton("RUNS", "LIST", env=env, code=2)  # not "runs", whatever the case of an i
            self.assertIn("unknown command", upper.stderr)
            self.assertEqual(self.json("runs", "list", "--status", "COMPLETED", env=env)["next"], None)

    def test_time_zones(self):
        for zone in ZONES:
            with self.subTest(zone=zone[:40]):
                self.assertEqual(self.outcome({"TZ": zone}), self.reference)
                table = self.baton("runs", "list", env={"TZ": zone}).stdout
                self.assertRegex(table, r"completed .*\d\d:\d\d:\d\d")

    def test_bytes_that_are_no_text(self):
        environment = {os.fsdecode(name): os.fsdecode(b"\xff\xfe\x80") for name in (b"LANG", b"LC_ALL", b"TZ", b"USER")}
        self.assertEqual(self.outcome(environment), self.reference)

    def test_no_environment_at_all(self):
        self.env = {"TEST_MARK": self.owner_mark}
        done = self.json("run", self.path, "--data", self.data)
        self.assertEqual(done["run"]["status"], "completed")


if __name__ == "__main__":
    unittest.main()

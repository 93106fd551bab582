"""`baton test`: the scenarios of the semantics, the guide's example, and how results and mistakes are shown."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from harness.case import BATON, ROOT

SCENARIOS = ROOT / "tests" / "scenarios"

ONE_STEP = """\
workflow:
  name: one
  steps:
    fetch: {run: "true", retry: {max_attempts: 2, initial: 1s}}
scenarios:
  passes:
    expect: completed
  fails:
    steps: {fetch: {takes: 3s, error: {exit: 4, message: "a < b\\u0007"}}}
    expect:
      status: completed
      steps: {fetch: {attempts: 2, started: 0s}}
      events:
        - attempt.started fetch 1
        - 5s attempt.started fetch 2
      never: [task.retrying fetch]
"""

FAILURES = """\
✓ passes  one.test.yaml
✗ fails  one.test.yaml
one.test.yaml:11:7: error: `status` of run main: expected "completed", but it is "failed"
          status: completed
          ^~~~~~
  help: its error: {"type":"exit","message":"step fetch: a < b\\u0007"}
one.test.yaml:12:36: error: there is no field "started" to be expected of fetch
          steps: {fetch: {attempts: 2, started: 0s}}
                                       ^~~~~~~
  help: did you mean `started_at`?
one.test.yaml:15:11: error: this did not happen in this order: 5s attempt.started fetch 2
            - 5s attempt.started fetch 2
              ^~~~~~~~~~~~~~~~~~~~~~~~~~
      0s     run.submitted workflow=one version=1
      0s     task.queued fetch priority=5
      0s     run.started
    ✓ 0s     attempt.started fetch attempt=1 worker=local
    - 5s attempt.started fetch 2     (it happened at 4s)
      3s     attempt.ended fetch attempt=1 outcome=failed error_type=exit
      3s     task.retrying fetch attempt=1 delay=1s
      4s     task.queued fetch priority=5
      4s     attempt.started fetch attempt=2 worker=local
      7s     attempt.ended fetch attempt=2 outcome=failed error_type=exit
      7s     task.ended fetch attempt=2 status=failed error=exit
      7s     run.ended status=failed error_type=exit
one.test.yaml:16:15: error: this should never have happened: task.retrying fetch
          never: [task.retrying fetch]
                  ^~~~~~~~~~~~~~~~~~~
    + 3s     task.retrying fetch attempt=1 delay=1s
1 passed, 1 failed, in TIME
"""

MISTAKES = """\
workflow:
  name: one
  steps: {fetch: {run: "true"}}
step: {}
covers: 7
steps:
  fech: {take: 3s, error: {code: 3}, on_stop: never, result: 1, stdout: x}
  fetch: []
at:
  soon: cancel
  5s: cancle
  6s: {kill owner: 3s, refuse: x}
  7s: {cancel: , refused: conflikt}
  8s: kill worker
  9s: [3]
workers: {w: {remotely: true, concurrency: 0}}
until: -3s
now: today
expect:
  events: attempt.started
  never: [3s]
  steps: [fetch]
"""

EXPECTED_MISTAKES = """\
4:1 unknown word "step" in a scenario; did you mean `steps`?
5:9 `covers` must be a list of numbers, not "7"
7:3 the workflow has no step "fech"; did you mean `fetch`?
7:10 unknown word "take" in what a step does; did you mean `takes`?
7:28 unknown word "code" in an error; did you mean `exit`?
7:47 `on_stop` must be `ends`, `ignores` or a map, not "never"
7:73 `stdout` and `result` exclude each other
8:10 the list is empty: it needs an entry for each start
"""


def baton(*arguments, folder, wanted=0):
    done = subprocess.run([BATON, "test", *arguments], cwd=folder, capture_output=True, encoding="utf-8", timeout=300)
    if done.returncode != wanted:
        raise AssertionError(f"exit code {done.returncode} instead of {wanted}\n{done.stdout}{done.stderr}")
    return done


class SemanticsTest(unittest.TestCase):
    """Every line of the semantics has its scenarios (docs/reference/semantics-coverage.md)."""

    def test_as_they_are(self):
        baton(folder=SCENARIOS)

    def test_with_a_new_owner_after_each_commit(self):
        baton("--restart-every", "1", folder=SCENARIOS)

    def test_with_a_new_owner_now_and_then(self):
        baton("--restart-every", "3", folder=SCENARIOS)


class Folder(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run_json(self, *arguments, wanted):
        return json.loads(baton("--output", "json", *arguments, folder=self.folder, wanted=wanted).stdout)


class GuideTest(Folder):
    """The example of docs/guide/testing.md does what the page says."""

    page = (ROOT / "docs" / "guide" / "testing.md").read_text(encoding="utf-8")

    def test_example(self):
        files = dict(re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", self.page, re.DOTALL | re.MULTILINE))
        self.assertEqual(sorted(files), ["assume.yaml", "pipeline.test.yaml", "pipeline.yaml"])
        for name, text in files.items():
            self.write(name, text)
        shown = re.search(r"^    \$ baton test\n(.*?)\n\n", self.page, re.DOTALL | re.MULTILINE)[1]
        done = baton(folder=self.folder).stdout
        self.assertEqual(re.sub(r", in .*", "", done).splitlines(), [line.strip() for line in shown.splitlines()])

    def test_a_failure_reads_as_shown(self):
        files = dict(re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", self.page, re.DOTALL | re.MULTILINE))
        self.write("pipeline.yaml", files["pipeline.yaml"])
        self.write("pipeline.test.yaml",
                   files["pipeline.test.yaml"].replace("150s", "140s").replace("load.py, today.csv", "load.py, today.txt"))
        done = baton("-k", "good day", folder=self.folder, wanted=1).stdout
        shown = re.search(r"^    (✗ a good day.*?)\n\n", self.page, re.DOTALL | re.MULTILINE)[1]
        for line in shown.splitlines():
            self.assertIn(line.strip().split(":", 3)[-1], done)


class SimulateTest(Folder):
    workflow = """
name: study
inputs: {n: {type: integer}}
steps:
  get: {run: x, estimate: 1m, retry: {max_attempts: 3, backoff: fixed, initial: 10s}}
  each: {needs: [get], for_each: "${{ steps.get.result.list }}", max_parallel: 2, run: x}
  last: {needs: [each], run: x, estimate: 5s}
"""
    assume = """
steps:
  get: {result: {list: [1, 2, 3, 4]}}
  each: {takes: 30s}
"""

    def simulate(self, *arguments, wanted=0):
        self.write("study.yaml", self.workflow)
        self.write("assume.yaml", self.assume)
        done = subprocess.run([BATON, "simulate", "study.yaml", "-i", "n=1", *arguments], cwd=self.folder,
                              capture_output=True, encoding="utf-8", timeout=300)
        self.assertEqual(done.returncode, wanted, done.stdout + done.stderr)
        return done

    def study(self, *arguments):
        return json.loads(self.simulate("--assume", "assume.yaml", "--output", "json", *arguments).stdout)

    def test_without_chance_it_can_be_computed(self):
        study = self.study("--runs", "3")
        self.assertEqual(study["outcomes"], {"completed": 3})
        self.assertEqual(study["duration"], {"p50": 125.0, "p90": 125.0, "p99": 125.0, "max": 125.0})
        self.assertEqual(study["critical_path"], {"work": 95.0, "workers": 0.0, "limits": 30.0, "retries": 0.0, "waits": 0.0})
        self.assertEqual(study["binding"], "limits")
        self.assertEqual(study["busy"], (60 + 4 * 30 + 5) / (4 * 125))
        self.assertEqual([step["tasks"] for step in study["steps"]], [3, 12, 3])

    def test_what_is_waited_for_comes_when_it_is_assumed_to(self):
        self.workflow = """
name: study
inputs: {n: {type: integer}}
steps:
  asked: {wait: {approval: "Go on?"}}
  told: {wait: {signal: go, timeout: 1d}}
  span: {wait: 10m}
  after: {needs: [asked, told, span], set: {by: "${{ steps.asked.result.value }}", n: "${{ steps.told.result.n }}"}}
  work: {needs: [after], run: x, estimate: 1m}
"""
        self.assume = "steps: {asked: {takes: 2h, result: 5}, told: {takes: 5m, result: {n: 1}}}\n"
        study = self.study("--runs", "2")
        self.assertEqual((study["outcomes"], study["duration"]["p50"]), ({"completed": 2}, 7260.0))
        self.assertEqual((study["critical_path"]["waits"], study["critical_path"]["work"]), (7200.0, 60.0))
        self.assertEqual(study["binding"], "waits")
        self.assume = "steps: {asked: {takes: 2h, fails: 100%}, told: {fails: 100%}}\n"
        self.assertEqual(self.study("--runs", "2")["outcomes"], {"failed": 2})
        self.workflow = self.workflow.replace(", timeout: 1d", "")
        self.assertIn("never comes", self.simulate("--assume", "assume.yaml", wanted=6).stderr)

    def test_fewer_workers_bind(self):
        study = self.study("--workers", "1", "--runs", "2")
        self.assertEqual(study["duration"]["p50"], 185.0)
        self.assertEqual(study["busy"], 1.0)

    def test_failures_cost_what_the_retries_take(self):
        self.assume += "  last: {fails: 0%}\n"
        self.assume = self.assume.replace("get: {", "get: {fails: 50%, error: connection, ")
        study = self.study("--runs", "200")
        self.assertGreater(study["critical_path"]["retries"], 10)
        self.assertIn("failed", study["outcomes"])
        self.assertEqual(study["outcomes"]["failed"] + study["outcomes"]["completed"], 200)
        self.assertEqual(self.study("--runs", "200"), study, "the same seed, the same answer")
        self.assertNotEqual(self.study("--runs", "200", "--seed", "999"), study)

    def test_limits_that_operators_set(self):
        self.workflow = """
name: study
inputs: {n: {type: integer}}
steps:
  each: {for_each: [1, 2, 3, 4], run: x, uses: {gpu: 1}, estimate: 1m}
"""
        self.assume = "{}\n"
        self.assertEqual(self.study("--runs", "1")["duration"]["p50"], 60.0)
        self.assertEqual(self.study("--runs", "1", "--limit", "gpu=1")["duration"]["p50"], 240.0)
        for wrong in ("gpu", "gpu=", "gpu=0", "=3", "gpu=two"):
            self.assertIn("NAME=N", self.simulate("--limit", wrong, wanted=2).stderr)

    def test_durations_of_earlier_runs(self):
        self.workflow = """
name: past
inputs: {n: {type: integer}}
steps:
  slow: {run: "sleep 0.3", parse: json, estimate: 9h}
  bad: {run: "exit 3", continue_on_error: true, estimate: 9h}
  new: {run: x, when: "inputs.n > 1", estimate: 2m}
"""
        self.write("study.yaml", self.workflow.replace("sleep 0.3", "sleep 0.3; echo 5"))
        data = str(self.folder / "data")
        subprocess.run([BATON, "run", "study.yaml", "-i", "n=1", "--data", data], cwd=self.folder,
                       check=True, capture_output=True, timeout=60)
        self.workflow = self.workflow.replace("when: \"inputs.n > 1\", ", "needs: [slow], ")
        study = json.loads(self.simulate("--past", "5", "--data", data, "--runs", "3", "--output", "json").stdout)
        self.assertEqual(study["outcomes"], {"completed": 3})
        by_name = {step["step"]: step for step in study["steps"]}
        self.assertLess(0.29, by_name["slow"]["duration"])
        self.assertLess(by_name["slow"]["duration"], 60)
        self.assertEqual(by_name["new"]["duration"], 120.0, "its estimate: it has never run")
        self.assertEqual(study["retries"]["saved"], 3)
        self.assume = "steps: {slow: {takes: 7m}}\n"
        study = json.loads(self.simulate("--past", "5", "--data", data, "--runs", "1", "--output", "json", "--assume",
                                         "assume.yaml").stdout)
        self.assertEqual(study["steps"][0]["duration"], 420.0, "what is assumed wins")
        refused = self.simulate("--past", "5", "--data", str(self.folder / "empty"), wanted=5)
        self.assertIn("no run of past has ended", refused.stderr)

    def test_for_people(self):
        shown = self.simulate("--assume", "assume.yaml").stdout
        for part in ("a run takes  2m 05s", "completed 100%", "what binds   limits", "each[3]", "█"):
            self.assertIn(part, shown)

    def test_mistakes(self):
        self.assume = "steps: {gte: {}, each: {takes: soon, fails: 5, result: 1}}\nworker: 3\n"
        shown = self.simulate("--assume", "assume.yaml", wanted=2).stderr
        for part in ("did you mean `get`?", "`takes` must be a duration", "a share of the attempts",
                     "did you mean `workers`?"):
            self.assertIn(part, shown)

    def test_a_result_that_is_missing_is_named(self):
        study = json.loads(self.simulate("--output", "json", "--runs", "1").stdout)
        self.assertEqual(study["outcomes"], {"failed": 1})
        self.assertIn("each", study["error"])


class ReportTest(Folder):
    def test_failures_for_people(self):
        self.write("one.test.yaml", ONE_STEP)
        done = baton(folder=self.folder, wanted=1)
        self.assertEqual(re.sub(r"in \S+\n$", "in TIME\n", done.stdout), FAILURES)
        self.assertEqual(done.stderr, "")

    def test_json(self):
        self.write("one.test.yaml", ONE_STEP)
        report = self.run_json(wanted=1)
        self.assertEqual([report[key] for key in ("passed", "failed", "skipped")], [1, 1, 0])
        fails = report["scenarios"][1]
        self.assertEqual([fails[key] for key in ("name", "file", "status", "duration")],
                         ["fails", "one.test.yaml", "failed", 7.0])
        self.assertEqual([failure["line"] for failure in fails["failures"]], [11, 12, 15, 16])

    def test_junit(self):
        self.write("one.test.yaml", ONE_STEP)
        baton("--junit", "out.xml", folder=self.folder, wanted=1)
        suites = xml.etree.ElementTree.parse(self.folder / "out.xml").getroot()
        suite = suites.find("testsuite")
        self.assertEqual([suite.get(key) for key in ("name", "tests", "failures")], ["one.test.yaml", "2", "1"])
        cases = suite.findall("testcase")
        self.assertEqual([case.get("name") for case in cases], ["passes", "fails"])
        self.assertEqual(len(cases[1].findall("failure")), 4)
        self.assertIn("a < b", cases[1].find("failure").text)

    def test_only(self):
        self.write("one.test.yaml", ONE_STEP)
        self.assertEqual(self.run_json("-k", "pass", wanted=0)["passed"], 1)
        baton("-k", "nothing", folder=self.folder, wanted=5)

    def test_folders_and_files(self):
        self.write("flows/one.test.yaml", ONE_STEP)
        self.write("flows/one.yaml", "name: one\nsteps: {}\n")
        self.assertEqual(self.run_json(wanted=1)["passed"], 1)
        self.assertEqual(self.run_json("flows", wanted=1)["scenarios"][0]["file"], "flows/one.test.yaml")
        self.assertIn("no scenario", baton("flows/one.yaml", folder=self.folder, wanted=2).stderr)
        (self.folder / "empty").mkdir()
        baton("empty", folder=self.folder, wanted=5)
        baton("missing.yaml", folder=self.folder, wanted=5)

    def test_a_workflow_of_its_own_file(self):
        self.write("flows/bad.yaml", "name: bad\nsteps:\n  a: {rnu: x}\n")
        self.write("tests/bad.test.yaml", "workflow: ../flows/bad.yaml\nexpect: completed\n")
        self.assertIn("../flows/bad.yaml:3:7: error: unknown field \"rnu\"",
                      baton("tests", folder=self.folder, wanted=2).stderr)


class MistakesTest(Folder):
    def test_all_at_once_with_their_places(self):
        self.write("m.test.yaml", MISTAKES)
        text = baton("m.test.yaml", folder=self.folder, wanted=2).stderr
        found = re.findall(r"^m\.test\.yaml:(\d+:\d+): error: (.*)\n.*\n.*\n(?:  help: (.*)\n)?", text, re.MULTILINE)
        lines = [f"{place} {message}{'; ' + suggestion if suggestion else ''}" for place, message, suggestion in found]
        self.assertEqual(lines[:8], EXPECTED_MISTAKES.splitlines())
        self.assertEqual([place.split(":")[0] for place, _, _ in found[8:]],
                         ["10", "11", "12", "13", "14", "15", "16", "16", "17", "18", "20", "21", "22"])

    def test_no_scenario_at_all(self):
        for text, message in (("", "the file is empty"), ("[1]", "must be a map"), ("a: [", "did not find"),
                              ("scenarios: {}", "a map of names"), ("workflow: {name: x, steps: {}}", "expects nothing"),
                              ("expect: completed", "no `workflow`")):
            with self.subTest(text):
                self.write("m.test.yaml", text)
                self.assertIn(message, baton("m.test.yaml", folder=self.folder, wanted=2).stderr)


class LimitsTest(Folder):
    def test_what_never_ends_is_ended(self):
        self.write("m.test.yaml", """
workflow: {name: x, steps: {a: {run: "true"}}}
steps: {a: {takes: forever}}
expect: {status: running}
""")
        self.assertIn("it had not ended after", baton("m.test.yaml", folder=self.folder, wanted=1).stdout)
        self.write("m.test.yaml", """
workflow: {name: x, steps: {a: {run: "true"}}}
steps: {a: {takes: forever}}
until: 1h
expect: {status: running}
""")
        baton("m.test.yaml", folder=self.folder)

    def test_the_same_every_time(self):
        self.write("m.test.yaml", """
workflow:
  name: x
  steps:
    each: {for_each: "${{ [1, 2, 3, 4, 5, 6, 7, 8] }}", run: "true", retry: {max_attempts: 9, jitter: full}}
steps: {each: {error: exit}}
expect: failed
""")
        first = self.run_json("-v", wanted=0)["scenarios"][0]["history"]
        self.assertGreater(len(first), 100)
        self.assertEqual(self.run_json("-v", wanted=0)["scenarios"][0]["history"], first)


if __name__ == "__main__":
    unittest.main()

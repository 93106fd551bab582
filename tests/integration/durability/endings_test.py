"""What a run has made is given back however it ends, and however often its owner is killed (I13, SEMANTICS 26-28)."""

import json
import os
import random
import signal
import subprocess
import unittest

from harness.case import BATON, SEED, BatonCase
from harness.invariants import check_run

# Makes the thing NAME: registered first, so that nothing is forgotten whenever the lights go out.
MAKE = '"$PROGRAM" task resource add "$0" --cleanup-exec rm -f "$THINGS/$0" && touch "$THINGS/$0"'


class EndingsTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.things = self.dir / "things"
        self.things.mkdir()

    def makes(self, step, *things, then="true"):
        script = " && ".join(MAKE.replace("$0", thing) for thing in things) + f" && {then}"
        return self.step(step, "sh", "-c", script)

    def definition(self, steps, **fields):
        workflow = self.workflow(steps, **fields)
        workflow["env"] |= {"PROGRAM": BATON, "THINGS": str(self.things)}
        return workflow

    def action(self, name, *command):
        return self.step(name, *command)

    def left(self):
        return sorted(os.listdir(self.things))

    def test_resources_of_a_completed_run(self):
        path = self.write(self.definition({
            "make": self.makes("make", "one", "two", then='"$PROGRAM" task resource release two && rm "$THINGS/two"'),
        }))
        run = self.json("run", path)["run"]
        self.assertEqual(run["status"], "completed")
        self.assertEqual(self.left(), [])
        run, tasks = check_run_of(self, run["id"])
        self.assertEqual([task["status"] for task in tasks if task["role"] == "resource"], ["completed"])

    def test_a_failed_run_undoes_cleans_and_gives_back_in_this_order(self):
        path = self.write(self.definition({
            "order": self.makes("order", "bill") | {
                "compensate": self.action("refund"), "cleanup": self.action("tidy-order")},
            "fails": self.step("fails", "false") | {"needs": ["order"], "cleanup": self.action("tidy-fails")},
        }, **{"finally": {"report": self.step("report")}}))
        run = self.json("run", path, code=3)["run"]
        self.assertEqual(run["status"], "failed")
        began = [entry.step for entry in self.ledger.entries() if entry.what == "start"]
        self.assertEqual(began, ["order", "fails", "refund", "tidy-fails", "tidy-order", "report"])
        self.assertEqual(self.left(), [])
        check_run_of(self, run["id"])

    def test_a_cancelled_run(self):
        path = self.write(self.definition({
            "make": self.makes("make", "vm", then="sleep 60") | {"cleanup": self.action("tidy")},
        }))
        process = self.start("run", path, "--output", "json")
        self.eventually(lambda: self.left() == ["vm"], "the thing")
        process.send_signal(signal.SIGINT)
        process.wait(60)
        self.assertEqual(json.loads(self.said(process, "out"))["run"]["status"], "cancelled")
        self.assertEqual(self.left(), [])
        self.assertEqual(self.ledger.count("start", "tidy"), 1)

    def test_what_leaks_is_listed_and_can_be_given_back_after_its_run(self):
        stuck = self.dir / "stuck"
        stuck.touch()
        path = self.write(self.definition({
            "make": self.step("make", "sh", "-c", f'"$PROGRAM" task resource add vm --cleanup-run "! [ -e {stuck} ]"'),
        }))
        run = self.json("run", path)["run"]
        self.assertEqual(run["status"], "completed")
        (leak,) = self.json("resources", "list", "--status", "leaked")["items"]
        self.assertEqual((leak["name"], leak["run"]), ("vm", run["id"]))
        self.assertEqual(self.json("resources", "get", leak["id"])["argv"][:3], ["sh", "-e", "-c"])
        dry = self.json("resources", "cleanup", "--all", "--dry-run")
        self.assertEqual(dry["begun"], [leak["id"]])
        stuck.unlink()
        self.baton("resources", "cleanup", leak["id"])
        self.eventually(lambda: self.json("resources", "list")["items"] == [], "an empty ledger")

    def test_a_recovery_names_first_what_it_does_again(self):
        path = self.write(self.definition({
            "data": self.step("data"),
            "deploy": self.makes("deploy", "vm") | {"needs": ["data"]},
            "test": self.step("test", "sh", "-c", '[ -e "$THINGS/go" ]') | {"needs": ["deploy"]},
        }))
        run = self.json("run", path, code=3)["run"]
        self.assertEqual(self.left(), [])
        (self.things / "go").touch()
        said = self.baton("runs", "recover", run["id"]).stderr
        self.assertIn("done again, since what they made was given back: deploy (", said)
        self.eventually(lambda: self.json("runs", "get", run["id"])["status"] == "completed", "the end")
        self.assertEqual([self.ledger.count("start", step) for step in ("data", "deploy", "test")], [1, 2, 2])
        self.assertEqual(self.left(), ["go"])

    def test_terminated_without_cleanup(self):
        path = self.write(self.definition({
            "make": self.makes("make", "vm", then="sleep 60") | {"cleanup": self.action("tidy")},
        }))
        process = self.start("run", path, "--output", "json")
        self.eventually(lambda: self.left() == ["vm"], "the thing")
        run = self.json("runs", "list")["items"][0]["id"]
        self.baton("runs", "terminate", run, "--no-cleanup")
        process.wait(60)
        ended = json.loads(self.said(process, "out"))["run"]
        self.assertEqual(ended["status"], "cancelled")
        self.assertEqual({leak["name"] for leak in ended["resources"]}, {"vm", "(cleanup)"})
        self.assertEqual(self.left(), ["vm"])
        self.baton("resources", "cleanup", "--run", run)
        self.eventually(lambda: self.json("resources", "list")["items"] == [], "an empty ledger")
        self.assertEqual(self.left(), [])
        self.assertEqual(self.ledger.count("start", "tidy"), 1)

    def test_progress_is_shown_and_silence_ends_an_attempt(self):
        path = self.write(self.definition({
            "speaks": self.step("speaks", "sh", "-c", '"$PROGRAM" task progress 40% "half of it" && sleep 60'),
            "silent": self.step("silent", "sleep", "60") | {"timeout": {"heartbeat": "500ms"}},
        }))
        process = self.start("run", path, "--output", "json")
        self.eventually(lambda: self.json("runs", "list")["items"], "the run")
        run = self.json("runs", "list")["items"][0]["id"]

        def task(step):
            return next(one for one in self.json("tasks", "list", run)["items"] if one["step"] == step)

        self.eventually(lambda: task("speaks")["progress"] == 40, "progress")
        self.assertEqual(task("speaks")["progress_message"], "half of it")
        self.eventually(lambda: task("silent")["status"] == "failed", "an end of the silence")
        self.assertEqual(task("silent")["error"]["type"], "heartbeat")
        process.send_signal(signal.SIGINT)
        process.wait(60)

    def test_only_its_own_step_may_speak(self):
        done = self.baton("task", "resource", "add", "x", "--cleanup-exec", "true", code=2)
        self.assertIn("for use inside of a step", done.stderr)
        path = self.write(self.definition({"make": self.step(
            "make", "sh", "-c", 'BATON_TOKEN=9-9 "$PROGRAM" task resource add x --cleanup-exec true')}))
        run = self.json("run", path, code=3)["run"]
        self.assertEqual(run["status"], "failed")
        self.assertEqual(self.json("resources", "list")["items"], [])

    def test_nothing_is_left_however_often_the_owner_is_killed(self):
        chance = random.Random(f"{SEED} endings")
        steps = {}
        for i in range(4):
            steps[f"s{i}"] = self.makes(f"s{i}", f"a{i}", f"b{i}", then="sleep 0.1") | {
                "needs": [f"s{i - 1}"] if i else [],
                "cleanup": self.action(f"tidy-s{i}", "sleep", "0.1"),
                "compensate": self.action(f"undo-s{i}", "sleep", "0.1"),
            }
        steps["bad"] = self.step("bad", "false") | {"needs": ["s3"]}
        path = self.write(self.definition(steps, **{"finally": {"report": self.step("report")}}))
        run = self.baton("run", path, "--detach").stdout.strip()
        for _ in range(60 if os.environ.get("BATON_TEST_LONG") else 12):
            process = self.start("run", "--resume", run, "--output", "json")
            try:
                process.wait(chance.uniform(0.1, 0.6))
                break
            except subprocess.TimeoutExpired:
                self.kill_owner()
                process.kill()
                process.wait()
        if process.returncode != 3:
            self.baton("run", "--resume", run, code=None)
        self.eventually(lambda: self.left() == [], "an empty place")
        result, tasks = check_run_of(self, run)
        self.assertEqual(result["status"], "failed")
        for i in range(4):
            for role in ("cleanup", "compensate"):
                found = [task["status"] for task in tasks if (task["step"], task["role"]) == (f"s{i}", role)]
                self.assertEqual(found, ["completed"], f"{role} of s{i}; seed {SEED}")


def check_run_of(case, run):
    """The invariants, asked of whoever owns the directory now."""
    case.keep_owner()
    return check_run(case, case.api(), run, case.ledger)


if __name__ == "__main__":
    unittest.main()

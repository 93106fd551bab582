"""What each command prints, on which stream, and how it ends."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from harness.case import BATON, BatonCase

HERE = pathlib.Path(__file__).resolve().parent
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


def stable(text):
    """Output with what differs from run to run replaced by words."""
    text = re.sub(UUID, "RUN", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3}Z)?", "TIME", text)
    text = re.sub(r'("duration": |duration: )[\d.e-]+', r"\1SECONDS", text)
    text = re.sub(r'("token": )"\d+-\d+"', r'\1"TOKEN"', text)
    return re.sub(r" *\b\d+\.\ds\b", " SECONDS", text)


class CommandsTest(BatonCase):
    """One data directory with one failed run, which only is looked at."""

    definition = {
        "name": "outputs",
        "title": "All kinds of outputs",
        "inputs": {"who": {"type": "string", "default": "Ada"}},
        "steps": {
            "greet": {"exec": ["/bin/echo", "Hello, ${{ inputs.who }}"], "title": "Say hello", "type": "greeting"},
            "count": {"needs": ["greet"], "set": {"n": 3, "half": 0.5}},
            "each": {"needs": ["count"], "for_each": ["a", "b"], "set": {"letter": "${{ item }}"}},
            "fail": {"needs": ["each"], "run": "echo about to fail; echo why >&2; exit 3"},
            "never": {"needs": ["fail"], "run": "echo never"},
        },
        "finally": {"tidy": {"set": {"outcome": "${{ run.status }}"}}},
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls("golden_directory")
        cls.first.setUp()
        cls.run_output = cls.first.baton("run", cls.first.write(cls.definition, "outputs.json"), "--output", "json",
                                         "--job-id", "job-1", "--metadata", "team=data", "--priority", "7", code=3)
        cls.whole = json.loads(cls.run_output.stdout)
        cls.run_id = cls.whole["run"]["id"]

    @classmethod
    def tearDownClass(cls):
        cls.first.doCleanups()
        super().tearDownClass()

    def golden_directory(self):
        """The case whose directory the others use."""

    def look(self, *words, **options):
        return self.baton(*words, "--data", self.first.data, **options)

    def golden(self, name, text):
        """The text as it stands in golden/NAME. BATON_TEST_GOLDEN=1 writes the files anew."""
        path = HERE / "golden" / name
        if os.environ.get("BATON_TEST_GOLDEN") == "1":
            path.parent.mkdir(exist_ok=True)
            path.write_text(stable(text), encoding="utf-8")
        self.assertEqual(stable(text), path.read_text(encoding="utf-8"), name)

    def test_run_json(self):
        self.golden("run.json", self.run_output.stdout)

    def test_run_says_the_rest_on_stderr(self):
        said = self.run_output.stderr
        self.assertIn("✗ fail failed: exit: exited with code 3", said)
        self.assertIn("│ about to fail", said)
        self.assertIn("│ why", said)

    def test_other_forms_say_the_same(self):
        lines = self.look("tasks", "list", self.run_id, "--output", "jsonl").stdout.splitlines()
        self.assertEqual([json.loads(line) for line in lines], self.whole["tasks"])
        self.assertEqual(json.loads(self.look("runs", "get", self.run_id, "--output", "json").stdout), self.whole["run"])
        listed = json.loads(self.look("runs", "list", "--output", "json").stdout)
        in_lists = {key: value for key, value in self.whole["run"].items() if key not in ("input", "resources")}
        self.assertEqual(listed, {"items": [in_lists], "next": None})

    def test_tables(self):
        self.golden("runs-list.txt", self.look("runs", "list").stdout)
        self.golden("runs-get.txt", self.look("runs", "get", self.run_id).stdout)
        self.golden("tasks-list.txt", self.look("tasks", "list", self.run_id).stdout)
        self.golden("tasks-get.txt", self.look("tasks", "get", self.whole["tasks"][4]["id"]).stdout)

    def test_yaml(self):
        self.golden("runs-get.yaml", self.look("runs", "get", self.run_id, "--output", "yaml").stdout)

    def test_history(self):
        text = self.look("runs", "history", self.run_id).stdout
        kinds = [line.split()[1] for line in text.splitlines()]
        self.assertEqual(kinds[0], "run.submitted")
        self.assertEqual(kinds[-1], "run.ended")
        self.assertEqual(kinds.count("attempt.started"), 2)
        entries = json.loads(self.look("runs", "history", self.run_id, "--output", "json").stdout)["items"]
        self.assertEqual([fact["type"] for entry in entries for fact in entry["facts"]], kinds)

    def test_logs(self):
        fail = self.whole["tasks"][4]["id"]
        self.assertEqual(sorted(self.look("logs", fail).stdout.splitlines()), ["about to fail", "why"])
        self.assertEqual(self.look("logs", self.run_id, "greet").stdout, "Hello, Ada\n")
        self.assertEqual(self.look("logs", fail, "--tail", "0").stdout, "")
        objects = [json.loads(line) for line in self.look("logs", fail, "--output", "jsonl").stdout.splitlines()]
        self.assertEqual({entry["stream"]: entry["text"] for entry in objects},
                         {"stdout": "about to fail", "stderr": "why"})
        self.assertRegex(self.look("logs", self.run_id, "greet", "--timestamps").stdout, r"^\d{4}-.*Z Hello, Ada\n$")
        self.assertIn("no step \"gret\"", self.look("logs", self.run_id, "gret", code=5).stderr)
        self.assertIn("1 attempt", self.look("logs", fail, "--attempt", "2", code=5).stderr)

    def test_filters(self):
        def count(*words):
            return len(json.loads(self.look("runs", "list", *words, "--output", "json").stdout)["items"])

        self.assertEqual(count("--status", "FAILURE,completed"), 1)
        self.assertEqual(count("--status", "completed"), 0)
        self.assertEqual(count("--state", "recoverable"), 1)
        self.assertEqual(count("--job-id", "job-1", "--workflow", "outputs"), 1)
        self.assertEqual(count("--job-id", "job-2"), 0)
        self.assertIn('did you mean "completed"', self.look("runs", "list", "--status", "compleet", code=2).stderr)

    def test_what_is_not_there(self):
        for words in (("runs", "get"), ("tasks", "list"), ("runs", "history"), ("logs",), ("runs", "cancel")):
            done = self.look(*words, "01a1fc27-32ea-7000-9efc-100000000001", code=5)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"^error: there is no run ")
        self.look("tasks", "get", "nonsense", code=5)
        self.assertIn("no run nonsense", self.look("run", "--resume", "nonsense", code=5).stderr)

    def test_cancelling_what_has_ended_is_a_conflict(self):
        self.assertIn("failed", self.look("runs", "cancel", self.run_id, code=6).stderr)

    def test_the_same_key_shows_the_same_run(self):
        path = self.write({"name": "once", "steps": {"a": {"set": {"x": 1}}}})
        words = "run", path, "--idempotency-key", "k", "--output", "json"
        first, second = (json.loads(self.baton(*words).stdout) for _ in range(2))
        self.assertEqual(first, second)
        other = self.write({"name": "once", "steps": {"a": {"set": {"x": 2}}}})
        self.assertIn("another request", self.baton("run", other, *words[2:], code=6).stderr)


class UsageTest(BatonCase):
    def refused(self, *words, code=2, **options):
        done = self.baton(*words, code=code, **options)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_suggestions(self):
        for words, wanted in ((("rnu", "x"), 'unknown command "rnu"; did you mean "run"?'),
                              (("runs", "lst"), 'unknown command "lst"; did you mean "list"?'),
                              (("run", "x", "--inptu", "a=b"), 'unknown flag "--inptu"; did you mean "--input"?'),
                              (("runs", "list", "--limt=3"), 'unknown flag "--limt"; did you mean "--limit"?'),
                              (("tasks", "get", "x", "--zzz"), 'unknown flag "--zzz"\n')):
            with self.subTest(words):
                self.assertIn(wanted, self.refused(*words))

    def test_wrong_words(self):
        self.assertIn("needs a FILE", self.refused("run"))
        self.assertIn("takes no FILE", self.refused("run", "x", "--resume", "y"))
        self.assertIn("--output must be table, json, jsonl or yaml", self.refused("runs", "list", "--output", "xml"))
        self.assertIn("--concurrency", self.refused("run", "x", "--concurrency", "0"))
        self.refused("runs", "list", "--limit", "0")
        self.refused("run", "x", "--priority", "10")
        self.refused("completion", "tcsh")
        self.assertIn("Usage: baton", self.refused())
        self.assertIn("Usage: baton runs", self.refused("runs"))
        self.assertFalse(self.data.exists(), "a wrong command line makes nothing")

    def test_a_filter_without_a_value_is_not_all(self):
        for words in (("runs", "prune", "--status", "failed", "--workflow", ""), ("runs", "cancel", "--workflow=", "--dry-run"),
                      ("runs", "replay", "--where", "", "--status", "failed"),
                      ("dead-letters", "discard", "--step", "a", "--group", ""), ("resources", "cleanup", "--run", "")):
            self.assertIn("it has no value", self.baton(*words, code=2).stderr)

    def test_help_is_data(self):
        for words in ((), ("run",), ("runs", "list"), ("eval",)):
            done = self.baton(*words, "--help")
            self.assertEqual(done.stderr, "")
            self.assertIn("Usage: " + " ".join(("baton", *words)), done.stdout)

    def test_wrong_definitions(self):
        path = self.dir / "wrong.yaml"
        path.write_text("name: x\nsteps:\n  a: {rnu: echo}\n  b: {exec: [true], needs: [c]}\n", encoding="ascii")
        for command in "run", "validate":
            said = self.refused(command, path)
            self.assertIn(f"{path}:3:7: error:", said)
            self.assertIn(f"{path}:4:", said)
            self.assertIn("did you mean `run`", said)
        report = json.loads(self.baton("validate", path, "--output", "json", code=2).stdout)
        self.assertFalse(report["valid"])
        self.assertEqual(report["diagnostics"][0]["line"], 3)
        self.assertFalse(self.data.exists())
        self.assertIn("No such file", self.refused("validate", "missing.yaml", code=5))

    def test_validate_warns_of_what_run_refuses(self):
        path = self.write({"name": "later", "schedules": [{"cron": "@daily", "timezone": "Europe/Berlin"}],
                           "steps": {"a": {"run": "true"}}}, "later.json")
        checked = self.baton("validate", path)
        self.assertIn("later, 1 step\n", checked.stdout)
        self.assertIn("later.json:1:19: warning: `schedules` does nothing in this version yet", checked.stderr)
        report = json.loads(self.baton("validate", path, "--output", "json").stdout)
        self.assertTrue(report["valid"])
        self.assertEqual([(d["severity"], d["code"], d["path"]) for d in report["diagnostics"]],
                         [("warning", "unsupported", "schedules")])
        self.assertIn("error: `schedules` is not supported by this version yet", self.baton("run", path, code=2).stderr)
        wrong = self.write({"name": "x", "schedules": [{"cron": "@daily", "timezone": "Europe/Berlim"}],
                            "steps": {"a": {"run": "true"}}}, "zone.json")
        several = self.baton("validate", path, wrong, code=2)
        self.assertIn("later, 1 step\n", several.stdout)
        self.assertIn("did you mean Europe/Berlin?", several.stderr)
        items = json.loads(self.baton("validate", path, wrong, "--output", "json", code=2).stdout)["items"]
        self.assertEqual([item["valid"] for item in items], [True, False])

    def test_validate(self):
        path = self.write({"name": "fine", "steps": {"a": {"run": "x"}}})
        self.assertIn("fine, 1 step\n", self.baton("validate", path).stdout)
        self.assertIn("standard input: fine, 1 step\n", self.baton("validate", "-", input=path.read_text(), stdin=None).stdout)

    def test_inputs(self):
        path = self.write({"name": "inputs", "steps": {"a": {"set": {"v": "${{ inputs }}"}}}, "inputs": {
            "n": {"type": "integer"}, "text": {"type": "string", "default": "x"},
            "list": {"type": "array", "default": []}}})

        def result(*words, **options):
            return self.json("run", path, *words, **options)["tasks"][0]["result"]["v"]

        self.assertEqual(result("--input", "n=3", "-i", "text=007", "-i", 'list=["a", 1]'),
                         {"n": 3, "text": "007", "list": ["a", 1]})
        file = self.dir / "inputs.yaml"
        file.write_text("n: 4\ntext: from file\n", encoding="ascii")
        self.assertEqual(result("--input-file", file, "-i", "text=wins"), {"n": 4, "text": "wins", "list": []})
        for words, wanted in ((("-i", "n=x"), "n"), (("-i", "m=3"), '"n"'), ((), '"n"'), (("-i", "n"), "NAME=VALUE"),
                              (("-i", "=3"), "NAME=VALUE"), (("-i", "n=1", "--metadata", "x"), "NAME=VALUE"),
                              (("--input-file", "none.yaml"), "none.yaml")):
            with self.subTest(words):
                code = 5 if "none.yaml" in words else 2
                self.assertIn(wanted, self.refused("run", path, *words, code=code))
        run = self.json("run", path, "-i", "n=3")["run"]["id"]
        again = self.json("runs", "replay", run, "-i", "text=12345")["id"]
        self.assertEqual(self.json("runs", "get", again)["input"]["text"], "12345", "read by what is declared, not as a number")
        self.assertIn("n: ", self.refused("runs", "replay", run, "-i", "n=x"))
        file.write_text("n: [", encoding="ascii")
        self.assertIn("inputs.yaml:1:", self.refused("run", path, "--input-file", file))
        file.write_text("", encoding="ascii")
        self.assertEqual(result("--input-file", file, "-i", "n=1")["n"], 1)

    def test_a_definition_from_standard_input_runs_in_the_working_directory(self):
        text = json.dumps({"name": "here", "steps": {"a": {"exec": ["/bin/pwd"]}}})
        done = self.baton("run", "-", "--output", "json", input=text, stdin=None, cwd="/usr")
        self.assertEqual(json.loads(done.stdout)["tasks"][0]["result"]["stdout"], "/usr\n")

    def test_contexts_that_are_added_at_once_are_all_there(self):
        names = [f"c{n}" for n in range(16)]
        for process in [self.start("context", "add", name, "--url", "http://127.0.0.1:1") for name in names]:
            self.ended(process)
        found = {item["name"] for item in self.json("context", "list")["items"]}
        self.assertEqual(found, {"local", *names})

    def test_config(self):
        shown = self.json("config", "show", env={"BATON_CONCURRENCY": "3"})["items"]
        self.assertEqual([(row["name"], row["value"], row["origin"]) for row in shown if row["origin"] != "default"],
                         [("data", str(self.data), "environment BATON_DATA"),
                          ("concurrency", "3", "environment BATON_CONCURRENCY"), ("output", "json", "flag --output")])
        self.assertIn(("egress.allow", ""), [(row["name"], row["value"]) for row in shown])
        config = self.dir / "config.yaml"
        config.write_text("concurency: 3\n", encoding="ascii")
        self.assertIn('did you mean "concurrency"', self.refused("config", "show", "--config", config, code=78))

    def test_version(self):
        self.assertRegex(self.baton("version").stdout, r"^baton \d+\.\d+\.\d+\n$")
        facts = self.json("version", "--verbose")
        self.assertTrue({"version", "compiler", "boost", "sqlite", "data_dir"} <= facts.keys())

    def test_schema(self):
        schema = json.loads(self.baton("schema").stdout)
        self.assertIn("steps", schema["properties"])
        self.assertIn("jitter", self.baton("schema", "--field", "steps.retry.jitter").stdout)
        self.assertIn("retry", self.refused("schema", "--field", "steps.rety", code=5))

    completions = (
        (("",), None),  # the commands that the help lists
        (("runs", "c"), {"cancel", "change"}),
        (("runs", "list", "--st"), {"--state", "--status"}),
        (("runs", "list", "--output", "j"), {"json", "jsonl"}),
        (("completion", "z"), {"zsh"}),
        (("graph", "--format", "m"), {"mermaid"}),
        (("schema", "--field", "steps.retry.max"), {"steps.retry.max", "steps.retry.max_attempts", "steps.retry.max_retries"}),
    )

    def completed(self, shell, program):
        """Holds what a shell proposes against the table; `program(script, words)` prints the proposals."""
        script = self.dir / f"completion.{shell}"
        script.write_text(self.baton("completion", shell).stdout, encoding="utf-8")
        commands = re.findall(r"^  ([a-z]\S*)", self.baton("--help").stdout, re.MULTILINE)
        self.assertGreater(len(commands), 10)
        for words, wanted in self.completions:
            wanted = set(commands) if wanted is None else wanted
            done = subprocess.run([shell, *program(script, words)], capture_output=True, text=True, check=True,
                                  env=self.env)
            found = {line.split("\t")[0].split(":")[0] for line in done.stdout.split("\n")}
            self.assertEqual({word for word in found if word.startswith(words[-1]) and word}
                             - ({"--help", "--data", "--output", "--config", "--quiet"} if words == ("",) else set()),
                             wanted, f"{shell} {words} {done.stderr}")

    def test_bash_completion(self):
        def program(script, words):
            line = " ".join(f"'{word}'" for word in ("baton", *words))
            return "-c", (f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _baton; "
                          "printf '%s\\n' \"${COMPREPLY[@]}\"")
        self.completed("bash", program)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_completion(self):
        def program(script, words):
            line = " ".join(f"'{word}'" for word in ("baton", *words))
            return "-f", "-c", ("compdef() { : }; compadd() { print -l -- $@ }; _files() { : }; "
                                "_describe() { print -l -- ${(P)2} }; "
                                f"source {script}; words=({line}); CURRENT={len(words) + 1}; _baton")
        self.completed("zsh", program)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completion(self):
        self.completed("fish", lambda script, words: (
            "--no-config", "-c", f"source {script}; complete -C 'baton {' '.join(words)}'"))


class EvalTest(BatonCase):
    def test_values(self):
        for expression, plain, typed in (
                ("1 + 1", "2", {"type": "int", "value": 2}),
                ("-1", "-1", {"type": "int", "value": -1}),
                ("--1", "1", {"type": "int", "value": 1}),
                ("1u", "1", {"type": "uint", "value": 1}),
                ("9007199254740993", "9007199254740993", {"type": "int", "value": "9007199254740993"}),
                ("0.5", "0.5", {"type": "double", "value": 0.5}),
                ("1.0", "1.0", {"type": "double", "value": 1.0}),
                ("1.0 / 0.0", None, {"type": "double", "value": "Infinity"}),
                ("b'a\\xff'", '"Yf8="', {"type": "bytes", "value": "Yf8="}),
                ("{1: 'x'}", '{"1":"x"}', None),
                ("type(1)", None, {"type": "type", "value": "int"}),
                ("duration('90s')", "90", {"type": "google.protobuf.Duration", "value": "90s"})):
            with self.subTest(expression):
                if plain is not None:
                    self.assertEqual(self.baton("eval", expression).stdout, plain + "\n")
                if typed is not None:
                    self.assertEqual(json.loads(self.baton("eval", expression, "--typed").stdout), typed)
                    self.assertEqual(json.loads(self.baton("eval", "--typed", "--", expression).stdout), typed)

    def test_variables(self):
        for text in '{"a": {"b": [1, 2, 3]}}', "a:\n  b: [1, 2, 3]\n":
            path = self.dir / "vars"
            path.write_text(text, encoding="ascii")
            self.assertEqual(self.baton("eval", "a.b.map(x, x * 2)", "--vars", path).stdout, "[2,4,6]\n")
            self.assertEqual(self.baton("eval", f"--vars={path}", "size(a.b)").stdout, "3\n")
            self.assertEqual(self.baton("eval", "-a.b[0]", "--vars", "-", input=text, stdin=None).stdout, "-1\n")

    def test_errors(self):
        for expression, code, wanted in (("1 / 0", 1, "division by zero"), ("missing + 1", 1, "missing"),
                                         ("1 +", 2, "  1 +\n     ^\n"), ("1 + 'a'", 2, "^"),
                                         ("siz([1])", 2, "did you mean `size`")):
            with self.subTest(expression):
                done = self.baton("eval", expression, code=code)
                self.assertEqual(done.stdout, "")
                self.assertIn(wanted, done.stderr)
                self.assertTrue(done.stderr.startswith("error: "), done.stderr)
        self.baton("eval", "1", "--vars", self.dir / "none", code=5)


class StreamsTest(BatonCase):
    def test_a_reader_that_leaves_is_no_error(self):
        path = self.write({"name": "many", "steps": {"a": {"for_each": list(range(2000)), "set": {"v": 1}}}})
        done = subprocess.run(["bash", "-c", f"'{BATON}' run '{path}' --output json 2>err | head -c 100; "
                               "echo ${PIPESTATUS[0]}"], env=self.env, cwd=self.dir, capture_output=True, text=True,
                              check=True, timeout=120)
        self.assertTrue(done.stdout.endswith("0\n"), done.stdout)
        self.assertNotIn("error", (self.dir / "err").read_text())

    def test_a_full_disk_behind_stdout_is(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = self.baton("schema", code=74, stdout=full)
        self.assertIn("No space left on device", done.stderr)

    def test_quiet(self):
        path = self.write({"name": "quiet", "steps": {"a": {"run": "exit 1"}}})
        done = self.baton("run", path, "--quiet", code=3)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        done = self.baton("run", path, "--quiet", "--output", "json", code=3)
        self.assertEqual(done.stderr, "")
        self.assertEqual(json.loads(done.stdout)["run"]["status"], "failed")

    def test_foreign_text_does_not_steer_the_terminal(self):
        evil = "\x1b]0;title\x07\x1b[2J\r"
        path = self.write({"name": "evil", "title": evil, "steps": {
            "a": {"title": evil, "run": f"printf '%s' '{evil}'; exit 1"}}})
        done = self.baton("run", path, "--job-id", evil, code=3)
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertNotIn("\x1b", self.baton("runs", "list").stdout)


if __name__ == "__main__":
    unittest.main()

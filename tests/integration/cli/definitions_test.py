"""The tools around definitions: graph, fmt, diff, schema. None of them needs, or makes, a data directory."""

import json
import os
import stat
import unittest

from harness.case import BatonCase

UGLY = "# about x\nname:   x\nsteps:\n    a:\n        run: 'true'   # here\n    b: { needs: [a], run: 'true' }\n"
NEAT = "# about x\nname: x\nsteps:\n  a:\n    run: 'true'       # here\n  b: {needs: [a], run: 'true'}\n"


class DefinitionsTest(BatonCase):
    def file(self, name, text):
        path = self.dir / name
        path.write_text(text, encoding="utf-8")
        return path

    def tearDown(self):
        self.assertFalse(self.data.exists(), "made a data directory")
        super().tearDown()


class GraphTest(DefinitionsTest):
    def test_a_drawing_in_the_characters_of_the_locale(self):
        path = self.file("x.yaml", NEAT)
        drawn = self.baton("graph", path, env={"LC_ALL": "C.UTF-8"})
        self.assertIn("│ a │\n╰─┬─╯\n  │\n╭─▼─╮\n│ b │\n", drawn.stdout)
        self.assertEqual(drawn.stderr, "")
        self.assertIn("| a |\n+-+-+\n  |\n+-v-+\n| b |\n", self.baton("graph", path, env={"LC_ALL": "C"}).stdout)
        self.assertEqual(self.baton("graph", "-", input=NEAT, stdin=None, env={"LC_ALL": "C.UTF-8"}).stdout, drawn.stdout)

    def test_formats(self):
        path = self.file("x.yaml", NEAT)
        graph = self.json("graph", path)
        self.assertEqual([(s["name"], s["needs"]) for s in graph["steps"]], [("a", []), ("b", ["a"])])
        self.assertEqual(json.loads(self.baton("graph", path, "--format", "json").stdout), graph)
        self.assertIn("s0 --> s1", self.baton("graph", path, "--format", "mermaid").stdout)
        self.assertIn('"a" -> "b"', self.baton("graph", path, "--format", "dot").stdout)
        self.assertIn("2  b  ← a\n", self.baton("graph", path, "--format", "text", env={"LC_ALL": "C.UTF-8"}).stdout)
        self.assertIn("--format", self.baton("graph", path, "--format", "svg", code=2).stderr)

    def test_what_is_too_wide_is_listed_and_what_is_large_is_summarised(self):
        steps = "".join(f"  {'x' * 30}{i}: {{needs: [{'' if i == 0 else 'x' * 30 + '0'}], run: a, for_each: [1]}}\n" for i in range(3))
        done = self.baton("graph", self.file("wide.yaml", f"name: x\nsteps:\n{steps}"), "--width", "40")
        self.assertIn("x" * 30 + "2", done.stdout)
        self.assertIn("too wide", done.stderr)
        steps = "".join(f"  s{i}: {{needs: [{'' if i == 0 else f's{i - 1}'}], run: a}}\n" for i in range(5000))
        done = self.baton("graph", self.file("long.yaml", f"name: x\nsteps:\n{steps}"))
        self.assertLess(len(done.stdout.splitlines()), 40)
        self.assertIn("5000 levels", done.stdout)
        self.assertIn("--format text", done.stderr)

    def test_a_wrong_definition(self):
        done = self.baton("graph", self.file("x.yaml", "name: x\nsteps: {a: {rnu: x}}\n"), code=2)
        self.assertIn("did you mean `run`", done.stderr)
        self.assertEqual(done.stdout, "")


class FmtTest(DefinitionsTest):
    def test_prints_checks_and_writes(self):
        ugly, neat = self.file("ugly.yaml", UGLY), self.file("neat.yaml", NEAT)
        self.assertEqual(self.baton("fmt", ugly).stdout, NEAT)
        self.assertEqual(self.baton("fmt", input=UGLY, stdin=None).stdout, NEAT)
        self.assertEqual(self.baton("fmt", "--check", neat).stdout, "")
        self.assertEqual(self.baton("fmt", "--check", ugly, neat, code=1).stdout, f"{ugly}\n")
        self.assertEqual(ugly.read_text(), UGLY)
        self.assertEqual(self.baton("fmt", "--write", ugly, neat).stdout, f"{ugly}\n")
        self.assertEqual(ugly.read_text(), NEAT)
        self.assertEqual(self.baton("fmt", "--write", ugly).stdout, "")
        items = self.json("fmt", "--check", ugly)["items"]
        self.assertEqual(items, [{"file": str(ugly), "changed": False}])

    def test_a_file_keeps_its_mode_and_a_link_stays_one(self):
        path = self.file("x.yaml", UGLY)
        path.chmod(0o640)
        link = self.dir / "link.yaml"
        link.symlink_to(path.name)
        self.baton("fmt", "--write", link)
        self.assertTrue(link.is_symlink())
        self.assertEqual(path.read_text(), NEAT)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        self.assertEqual(sorted(p.name for p in self.dir.glob("*yaml*")), ["link.yaml", "x.yaml"])

    @unittest.skipIf(os.geteuid() == 0, "root may write everything")
    def test_what_may_not_be_written_stays(self):
        path = self.file("x.yaml", UGLY)
        path.chmod(0o444)
        self.assertIn("cannot write", self.baton("fmt", "--write", path, code=74).stderr)
        self.assertEqual(path.read_text(), UGLY)

    def test_what_is_no_yaml_is_left_alone(self):
        wrong = self.file("wrong.yaml", "name: [x\n")
        other = self.file("ugly.yaml", UGLY)
        done = self.baton("fmt", "--write", wrong, other, code=2)
        self.assertIn("wrong.yaml:", done.stderr)
        self.assertEqual(wrong.read_text(), "name: [x\n")
        self.assertEqual(other.read_text(), NEAT, "the others are laid out all the same")
        self.assertIn("is JSON", self.baton("fmt", self.file("x.json", "{}"), code=2).stderr)
        self.assertIn("No such file", self.baton("fmt", "missing.yaml", code=5).stderr)
        self.assertIn("one of them", self.baton("fmt", "--check", "--write", other, code=2).stderr)
        self.assertIn("name the files", self.baton("fmt", "--write", code=2).stderr)


class DiffTest(DefinitionsTest):
    def test_says_what_a_person_would(self):
        old = self.file("old.yaml", "name: x\nsteps:\n  a: {run: a, retry: {max_attempts: 4}}\n  b: {run: b}\n")
        new = self.file("new.yaml", "name: x\nsteps:\n  a: {run: a, retry: {max_attempts: 6}}\n  b: {needs: [a], run: b}\n")
        self.assertEqual(self.baton("diff", old, new, code=1).stdout,
                         "step a: retry.max_attempts 4 → 6\nstep b: now needs a\n")
        self.assertEqual(self.baton("diff", old, old).stdout, "")
        data = json.loads(self.baton("diff", old, new, "--output", "json", code=1).stdout)
        self.assertFalse(data["equal"])
        self.assertEqual([(c["kind"], c["subject"], c["path"]) for c in data["changes"]],
                         [("changed", "step a", "retry.max_attempts"), ("added", "step b", "needs")])
        self.assertEqual(self.json("diff", old, old), {"equal": True, "changes": []})

    def test_a_wrong_definition_is_no_difference(self):
        right = self.file("right.yaml", NEAT)
        wrong = self.file("wrong.yaml", "name: x\nsteps: {a: {rnu: x}}\n")
        for words in (wrong, right), (right, wrong):
            done = self.baton("diff", *words, code=2)
            self.assertIn("wrong.yaml:2:", done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertIn("No such file", self.baton("diff", right, "missing.yaml", code=5).stderr)


class SchemaTest(DefinitionsTest):
    def test_fields(self):
        self.assertIn("Default: exponential", self.baton("schema", "--field", "steps.retry.backoff").stdout)
        self.assertIn("steps.retry.max_attempts", self.baton("schema", "--field", "steps.retry.max_").stdout)
        self.assertIn('did you mean "steps.retry"?', self.baton("schema", "--field", "steps.rety", code=5).stderr)
        self.assertEqual(self.json("schema", "--field", "steps.retry.backoff")["words"], ["fixed", "linear", "exponential"])
        self.assertEqual(self.json("schema")["$schema"], "http://json-schema.org/draft-07/schema#")


if __name__ == "__main__":
    unittest.main()

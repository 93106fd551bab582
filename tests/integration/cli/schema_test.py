"""`baton schema` and `baton validate` agree: what a validator of JSON Schema (draft 7) that is not ours accepts, the parser
accepts, and the other way round, but for the listed rules that no schema can say. Random mutants of valid definitions."""

import copy
import json
import os
import pathlib
import random
import re
import unittest

from harness.case import BatonCase, LONG, SEED

try:
    import jsonschema
except ImportError:  # Debian: python3-jsonschema; scripts/setup.sh installs it
    jsonschema = None

ROOT = pathlib.Path(__file__).resolve().parents[3]

# The same mutants each time: a new kind of mutant is found by the long form, not by chance in somebody's change.
MUTANT_SEED = SEED if LONG or os.environ.get("BATON_TEST_SEED") else 20261121
MUTANTS = 1500
VALUES = [None, True, False, 0, 1, -1, 5, 10, 1.5, 1e9, "", "a", "5m", "1m30s", "30s1m", "json", "full", "skip", "fixed", "x y",
          "${{ inputs.n }}", "${{ item }}", "${{", "failed", "0 4 * * *", "UTC", "2027-01-01T00:00:00Z", "true", [], {}, ["a"],
          [1], ["a", "a"], [{}], {"a": 1}, {"x": "y"}, {"add": "1s"}, {"soft": "1m"}, {"run": "x"}, {"type": "string"}]


def semantic_rules():
    """The list of the C++ test of the same thing: parts of messages."""
    text = (ROOT / "src/spec/json_schema_test.cpp").read_text(encoding="utf-8")
    body = re.search(r"kSemanticRules\[\] = \{(.*?)\n\};", text, re.DOTALL).group(1)
    return re.findall(r'"((?:[^"\\]|\\.)*)"', body)


def places(value):
    """Everything in it that can be changed: (container, key)."""
    found = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found.append((value, key))
        found.extend(places(item))
    return found


def mutate(definition, names, rng):
    container, key = rng.choice(places(definition))
    what = rng.randrange(5)
    if what == 0:
        del container[key]
    elif what == 1 and isinstance(container, dict):
        container[rng.choice(names)] = container.pop(key)
    elif what == 2 and isinstance(container, dict):
        container[rng.choice(names)] = copy.deepcopy(rng.choice(VALUES))
    elif what == 3 and isinstance(container, list):
        container.append(copy.deepcopy(rng.choice(VALUES)))
    else:
        container[key] = copy.deepcopy(rng.choice(VALUES))


@unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
class SchemaTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.schema = self.json("schema")
        jsonschema.Draft7Validator.check_schema(self.schema)
        self.validator = jsonschema.Draft7Validator(self.schema)
        shapes = [self.schema, *self.schema["definitions"].values()]
        self.names = sorted({name for shape in shapes for name in shape["properties"]}) + ["nonsense", "a b", "A=B", ""]

    def validate(self, definitions):
        """What the parser says of each."""
        paths = []
        for number, definition in enumerate(definitions):
            paths.append(self.write(definition, f"{number}.json"))
        found = []
        for begin in range(0, len(paths), 200):
            batch = paths[begin:begin + 200]
            done = self.baton("validate", *batch, "--output", "jsonl", code=None)
            self.assertIn(done.returncode, (0, 2), done.stderr)
            found += [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([r["file"] for r in found], [str(p) for p in paths])
        return found

    def seeds(self):
        """The examples, and definitions with the fields that they do not have."""
        found = []
        for path in sorted(ROOT.glob("examples/*/workflow.yaml")):
            fields = re.findall(r"^(\w+):", path.read_text(encoding="utf-8"), re.MULTILINE)
            text = "{" + ", ".join(f'"{field}": {field}' for field in fields) + "}"
            found.append(self.json("eval", text, "--vars", path))
        found.append({
            "name": "rare", "labels": {"team": "x"}, "max_parallel": 4, "fail_fast": True, "env": {"A": "1", "B": 2},
            "inputs": {"n": {"type": "integer", "default": 3}, "s": {"type": "string", "optional": True}},
            "defaults": {"queue": "q", "timeout": "5m", "priority": 7, "retry": {"max_attempts": 3, "jitter": {"add": "1s"}}},
            "schedules": [{"cron": "0 4 * * mon", "timezone": "Europe/Berlin", "overlap": "queue", "catchup": "all",
                           "input": {"n": 5}, "jitter": 30}, {"every": "5m", "paused": True}],
            "alerts": {"on": ["failed", "leaked"], "to": ["ops"], "severity": "critical"},
            "rollout": {"percent": 10, "rollback": {"failure_rate": 5, "min_runs": 3}},
            "steps": {
                "a": {"run": "echo $N", "env": {"N": "${{ inputs.n }}"}, "parse": "json", "shell": ["bash", "-c"]},
                "b": {"needs": ["a"], "exec": ["echo", 1, "${{ item }}"], "for_each": "${{ steps.a.result }}", "max_parallel": 2,
                      "timeout": {"soft": "1m", "hard": 90}, "retry": {"preset": "celery", "multiplier": 1.5}},
                "c": {"needs": ["b"], "when": "size(steps.b.result) > 0", "set": {"k": [1, None]}, "priority": 0, "estimate": "3s"},
                "d": {"celery": {"task": "t", "args": [1], "kwargs": {"k": None}, "queue": "q"}}},
            "finally": {"r": {"exec": ["report"], "with": {"x": "${{ run.status }}"}, "workdir": "/"}}})
        return found

    def test_schema_and_parser_agree(self):
        rules = semantic_rules()
        self.assertGreater(len(rules), 20)
        seeds = self.seeds()
        self.assertGreater(len(seeds), 3)
        for seed, said in zip(seeds, self.validate(seeds), strict=True):
            self.assertTrue(said["valid"], said)
            self.assertEqual([e.message for e in self.validator.iter_errors(seed)], [], seed["name"])
        rng = random.Random(MUTANT_SEED)
        mutants = []
        for number in range(MUTANTS):
            mutant = copy.deepcopy(seeds[number % len(seeds)])
            for _ in range(rng.randint(1, 3)):
                mutate(mutant, self.names, rng)
            mutants.append(mutant)
        accepted = refused = 0
        for mutant, said in zip(mutants, self.validate(mutants), strict=True):
            problem = next(self.validator.iter_errors(mutant), None)
            errors = [d["message"] for d in said["diagnostics"] if d["severity"] == "error"]
            context = f"seed {MUTANT_SEED}\n{json.dumps(mutant)}"
            if problem is None:
                accepted += 1
                beyond = [e for e in errors if not any(rule in e for rule in rules)]
                self.assertEqual(beyond, [], f"only the parser refuses: {context}")
            else:
                refused += 1
                self.assertFalse(said["valid"], f"only the schema refuses: {problem.message[:300]} at "
                                                f"{list(problem.absolute_path)}: {context}")
        self.assertGreater(accepted, 100)
        self.assertGreater(refused, 300)


if __name__ == "__main__":
    unittest.main()

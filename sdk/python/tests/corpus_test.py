"""Definitions as people write them, built again with the builder: the content, and so the version, is the same."""

import re
import unittest

import baton
from baton.fields import StepFields
from harness import HERE, Case

ROOT = HERE.parents[2]
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def corpus():
    """(where it stands, text) of the examples and of all whole definitions in the documentation."""
    for path in sorted(ROOT.glob("examples/*/workflow.yaml")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]:
        for text in BLOCK.findall(path.read_text(encoding="utf-8")):
            if re.match(r"(#[^\n]*\n)*name:", text) and "\nsteps:" in text:
                yield str(path.relative_to(ROOT)), text


def built(definition):
    """The same, by calls of the builder."""
    rest = {key: value for key, value in definition.items() if key not in ("name", "title", "inputs", "steps", "finally")}
    flow = baton.Workflow(definition["name"], title=definition.get("title"), inputs=definition.get("inputs"), **rest)
    for add, steps in ((flow.step, definition["steps"]), (flow.last, definition.get("finally", {}))):
        for name, fields in steps.items():
            add(name, **{f"{key}_" if f"{key}_" in StepFields.__annotations__ else key: value for key, value in fields.items()})
    return flow


class Corpus(Case):
    def test_what_the_builder_makes_is_what_the_text_says(self):
        fields = set()
        count = 0
        for where, text in corpus():
            try:
                name = self.client.apply(text).workflow
            except baton.Invalid:  # some show mistakes
                continue
            count += 1
            definition = self.client.workflow(name)["definition"]
            for step in definition["steps"].values():
                fields |= set(step)
            flow = built(definition)
            with self.subTest(where):
                self.assertEqual(self.client.apply(flow).outcome, "unchanged")
                self.assertEqual(self.client.apply(flow.to_yaml()).outcome, "unchanged")
        self.assertGreater(count, 30)
        self.assertGreater(len(fields), 25, f"the corpus has few fields: {sorted(fields)}")


if __name__ == "__main__":
    unittest.main()

"""The C++ that docs/guide/cpp.md shows stands in the programs of examples/cpp, which CI builds and runs."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class CppGuide(unittest.TestCase):
    def test_each_block_is_quoted_from_a_program(self):
        programs = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples/cpp").glob("*.cpp"))]
        blocks = BLOCK.findall((ROOT / "docs/guide/cpp.md").read_text(encoding="utf-8"))
        self.assertGreater(len(blocks), 5)
        for block in blocks:
            self.assertTrue(any(block in program for program in programs), "no program has:\n" + block)

    def test_each_program_is_built(self):
        built = (ROOT / "examples/cpp/CMakeLists.txt").read_text(encoding="utf-8")
        for path in (ROOT / "examples/cpp").glob("*.cpp"):
            self.assertRegex(built, rf"\b{path.stem}\b")

    def test_the_builder_has_each_field_of_definitions(self):
        """A field that the language has and the builder does not fails here; how it is written is held against YAML by sdk_test.cpp."""
        reference = (ROOT / "docs/reference/definition.md").read_text(encoding="utf-8")
        header = (ROOT / "sdk/cpp/include/baton/workflow.hpp").read_text(encoding="utf-8")
        other = {"switch": "switch_to", "name": "name", "inputs": "input", "steps": "step", "finally": "last"}
        for heading, kind in (("## The workflow", "Workflow"), ("## A step", "Step")):
            section = reference[reference.index(heading + "\n"):].split("\n## ", 1)[0]
            fields = re.findall(r"^### `(\w+)`$", section, re.MULTILINE)
            self.assertGreater(len(fields), 20)
            start = header.index(f"class BATON_API {kind} {{")
            body = header[start:header.index("\n};", start)]
            functions = set(re.findall(r"\b(\w+)\(", body))
            self.assertEqual([field for field in fields if other.get(field, field) not in functions], [], f"{kind} lacks them")


if __name__ == "__main__":
    unittest.main()

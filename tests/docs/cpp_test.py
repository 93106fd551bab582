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


if __name__ == "__main__":
    unittest.main()

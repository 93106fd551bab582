"""docs/guide/python.md does what it shows: its Python runs from top to bottom, in one namespace."""

import ast
import asyncio
import inspect
import os
import re
import unittest

from harness import HERE, PROGRAM

PAGE = HERE.parents[2] / "docs/guide/python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Guide(unittest.TestCase):
    def setUp(self):
        before = os.environ.get("BATON_BIN")
        os.environ["BATON_BIN"] = PROGRAM
        self.addCleanup(lambda: os.environ.pop("BATON_BIN") if before is None else os.environ.update(BATON_BIN=before))
        self.text = PAGE.read_text(encoding="utf-8")

    def test_every_block_runs(self):
        names = {"__name__": "guide", "print": lambda *_: None}

        async def run():
            for found in BLOCK.finditer(self.text):
                line = self.text.count("\n", 0, found.start()) + 1
                source = "\n" * line + found.group(1)  # errors name the line of the page
                code = compile(source, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                result = eval(code, names)
                if inspect.isawaitable(result):
                    await result

        try:
            asyncio.run(run())
        finally:
            if "client" in names:
                names["client"].close()

    def test_rows_of_the_tables_have_tests(self):
        """Every method that the tables name is called in seeds_test.py."""
        tests = (HERE / "seeds_test.py").read_text(encoding="utf-8")
        tables = self.text[self.text.index("## Around an orchestrator object"):self.text.index("## From code that you have")]
        methods = re.findall(r"^\| `(\w+)\(", tables, re.MULTILINE)
        self.assertEqual(len(methods), 20)
        self.assertEqual([name for name in methods if f".{name}(" not in tests or f"{name}" not in str(
            re.findall(r"def (test_\w+)", tests))], [])


if __name__ == "__main__":
    unittest.main()

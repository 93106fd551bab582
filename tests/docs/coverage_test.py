"""docs/reference/semantics-coverage.md names for each line of the semantics the scenarios that show it, and says why
where there are none. BATON_UPDATE=1 rewrites the column of scenarios."""

import os
import re
import unittest

import pages

PAGE = pages.DOCS / "reference" / "semantics-coverage.md"
SCENARIOS = pages.ROOT / "tests" / "scenarios"
LINES = 57


def scenarios():
    """line → files that cover it."""
    covered = {}
    for file in sorted(SCENARIOS.glob("*.test.yaml")):
        lines = re.findall(r"^ *covers: \[([\d, ]+)\]", file.read_text(encoding="utf-8"), re.MULTILINE)
        for line in {int(number) for numbers in lines for number in numbers.split(",")}:
            covered.setdefault(line, []).append(file.name)
    return covered


def column(files):
    return ", ".join(f"[{name.removesuffix('.test.yaml')}](../../tests/scenarios/{name})" for name in files)


class Coverage(unittest.TestCase):
    text = PAGE.read_text(encoding="utf-8")
    covered = scenarios()

    def rows(self):
        return pages.table(self.text, "line", "subject", "scenarios", "also, or why not yet")

    def test_every_file_says_what_it_covers(self):
        named = {name for files in self.covered.values() for name in files}
        self.assertEqual(sorted({file.name for file in SCENARIOS.glob("*.yaml")} - named), [])
        self.assertLessEqual(max(self.covered), LINES)

    def test_files_are_named_by_a_line_that_they_cover(self):
        for line, files in self.covered.items():
            for name in files:
                self.assertIn(name, self.covered.get(int(name.split("-")[0]), []), f"{name} covers {line}")

    def test_table(self):
        if os.environ.get("BATON_UPDATE"):
            def row(match):
                return f"| {match[1]} | {match[2]} | {column(self.covered.get(int(match[1]), []))} | {match[4]}|"
            self.text = re.sub(r"^\| (\d+) \| ([^|]*) \|([^|]*)\| ([^|]*)\|$", row, self.text, flags=re.MULTILINE)
            PAGE.write_text(self.text, encoding="utf-8")
        rows = self.rows()
        self.assertEqual([int(row[0]) for row in rows], list(range(1, LINES + 1)))
        for line, _, shown, other in rows:
            with self.subTest(line=line):
                self.assertEqual(shown, column(self.covered.get(int(line), [])))
                self.assertTrue(shown or other, "neither a scenario nor a reason")


class Words(unittest.TestCase):
    """docs/reference/scenarios.md against the tables of src/scenario/words.cpp."""

    code = re.sub(r'"\s*\n\s*"', "", (pages.ROOT / "src/scenario/words.cpp").read_text(encoding="utf-8"))
    text = (pages.DOCS / "reference" / "scenarios.md").read_text(encoding="utf-8")

    def test_words(self):
        tables = re.findall(r"constexpr std::array k\w+ = \{(\s*Word\{.*?)\n\};", self.code, re.DOTALL)
        self.assertEqual(len(tables), 7)
        wanted = [re.findall(r'Word\{\s*"(\w+)",\s*"(.*)"\s*\}', table) for table in tables]
        shown = [re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
                 for table in re.findall(r"^\| word \| meaning \|\n\| --- \| --- \|\n((?:\|.*\n)+)", self.text, re.MULTILINE)]
        self.assertEqual(sorted(map(sorted, shown)), sorted(map(sorted, wanted)))

    def test_actions(self):
        verbs = re.findall(r'Verb\{\s*"([^"]*)",\s*"([^"]*)",\s*\w+,\s*"([^"]*)",\s*"([^"]*)"\s*\}', self.code)
        self.assertEqual(len(verbs), self.code.count(" Verb{"))
        wanted = [(f"`{name}`", argument, ", ".join(f"`{word}`" for word in options.split()), meaning)
                  for name, argument, options, meaning in verbs]
        self.assertEqual(pages.table(self.text, "action", "its value", "other words", "meaning"), wanted)


if __name__ == "__main__":
    unittest.main()

"""The reference says what the code says."""

import re
import unittest

import pages


def source(path):
    return (pages.ROOT / "src" / path).read_text(encoding="utf-8")


class Errors(unittest.TestCase):
    codes = re.findall(r'ErrorCodeInfo\{ErrorCode::\w+, "(\w+)", (\d+), (\d+)\}', source("base/error.cpp"))

    def test_every_code_has_a_page_and_every_page_a_code(self):
        self.assertGreater(len(self.codes), 10)
        found = {page.stem for page in (pages.DOCS / "errors").glob("*.md")} - {"README"}
        self.assertEqual(found, {name for name, _, _ in self.codes})

    def test_pages_say_the_right_numbers(self):
        for name, exit_code, status in self.codes:
            with self.subTest(code=name):
                text = (pages.DOCS / "errors" / f"{name}.md").read_text(encoding="utf-8")
                self.assertTrue(text.startswith(f"# {name}\n\nExit code {exit_code}, HTTP status {status}.\n"), text[:80])
                self.assertIn("\n```\n", text, "an example of the message")
                self.assertIn("**What to do.**", text)

    def test_the_index_says_the_same(self):
        text = (pages.DOCS / "errors" / "README.md").read_text(encoding="utf-8")
        rows = [row[:3] for row in pages.table(text, "code", "exit code", "HTTP status", "meaning")]
        self.assertEqual(rows, [(f"[{name}]({name}.md)", code, status) for name, code, status in self.codes])


class States(unittest.TestCase):
    """docs/reference/states.md against the tables of src/model/states.cpp and breaker.cpp."""

    code = re.sub(r"\s+", " ", source("model/states.cpp") + source("model/breaker.cpp"))  # however the formatter broke its lines
    text = (pages.DOCS / "reference" / "states.md").read_text(encoding="utf-8")

    def section(self, title):
        return re.search(rf"^## {title}$(.*?)(?=^## |\Z)", self.text, re.DOTALL | re.MULTILINE).group(1)

    def transitions(self, letter):
        return re.findall(rf'Transition<{letter}>\{{ ?{letter}::(\w+), {letter}::(\w+), "([^"]*)" ?\}}', self.code)

    def names(self, array):
        return re.findall(r'"(\w+)"', re.search(rf"{array} = \{{(.*?)\}};", self.code).group(1))

    def test_transitions(self):
        for title, letter in (("Runs", "R"), ("Tasks", "T"), ("Breakers", "B")):
            with self.subTest(title):
                wanted = self.transitions(letter)
                self.assertGreater(len(wanted), 4)
                section = self.section(title)
                self.assertEqual(pages.table(section, "from", "to", "when"), wanted)
                arrows = re.findall(r"^    (\w+) --> (\w+): (.*)$", section, re.MULTILINE)
                self.assertEqual(arrows, wanted, "the diagram")

    def test_terminal_states_of_the_diagrams(self):
        """A state is drawn as an end if the header calls it terminal."""
        header = source("model/states.hpp")
        run_ends = re.findall(r"s == RunStatus::(\w+)", header)
        task_names = self.names("kTaskNames")
        task_ends = task_names[task_names.index(re.search(r"s >= TaskStatus::(\w+)", header).group(1)):]
        for title, ends in (("Runs", run_ends), ("Tasks", task_ends)):
            drawn = re.findall(r"^    (\w+) --> \[\*\]$", self.section(title), re.MULTILINE)
            self.assertEqual(sorted(drawn), sorted(ends))

    def test_skip_reasons(self):
        rows = pages.table(self.section("Why a task was skipped"), "reason", "meaning")
        self.assertEqual([row[0] for row in rows], self.names("kSkipNames"))

    def test_aliases(self):
        for title, array in (("Runs:", "kRunAliases"), ("Tasks:", "kTaskAliases")):
            with self.subTest(title):
                block = re.search(rf"{array} = \{{(.*?)\}};", self.code).group(1)
                wanted = [(name, ", ".join(re.findall(r"::(\w+)", states)))
                          for name, states in re.findall(r'Alias<\w>\{ ?"(\w+)", \{([^}]*)\}', block)]
                after = self.section("Other names").split(f"\n{title}\n")[1].split("\n\n")[0]
                self.assertEqual(pages.table(after, "alias", "stands for"), wanted)


class ProcessSteps(unittest.TestCase):
    """docs/reference/process-steps.md against the executor and the engine."""

    text = (pages.DOCS / "reference" / "process-steps.md").read_text(encoding="utf-8")

    def test_error_types(self):
        outcome = source("model/outcome.hpp")
        types = dict(re.findall(r'constexpr const char\* (k\w+) =\s+"(\w+)"', outcome))
        self.assertGreater(len(types), 5)
        rows = pages.table(self.text, "type", "meaning", "retried")
        self.assertEqual({row[0].strip("`") for row in rows}, set(types.values()))
        never = re.search(r"kNever = \{(.*?)\};", source("engine/failure.cpp"), re.DOTALL).group(1)
        self.assertEqual({row[0].strip("`") for row in rows if row[2] == "never"},
                         {types[name] for name in re.findall(r"error_type::(k\w+)", never)})

    def test_variables(self):
        given = set(re.findall(r'"(BATON_[A-Z]\w+|TRACEPARENT)"', source("executors/process/spec.cpp")))
        self.assertGreater(len(given), 3)
        self.assertEqual({row[0].strip("`") for row in pages.table(self.text, "variable", "value")}, given)

    def test_limits(self):
        capture, json_text = source("executors/process/capture.hpp"), source("executors/json_text.hpp")
        self.assertIn("kMaxStdout = 64 << 10;", capture)
        self.assertIn("cut at 64 KiB", self.text)
        self.assertIn("kMaxResult = 2 << 20;", json_text)
        self.assertIn("kMaxResultDepth = 64;", json_text)
        self.assertIn("A result over 2 MiB or 64 levels", self.text)


class CommandLine(unittest.TestCase):
    text = (pages.DOCS / "reference" / "cli.md").read_text(encoding="utf-8")

    def test_settings(self):
        keys = re.findall(r'Key\{"([\w.]+)", "(\w+)", "(--[\w-]+)?"', source("cli/settings.cpp"))
        self.assertGreater(len(keys), 2)
        self.assertEqual([row[:3] for row in pages.table(self.text, "setting", "flag", "environment", "meaning")],
                         [(f"`{name}`", flag and f"`{flag}`", f"`{variable}`") for name, variable, flag in keys])


class Api(unittest.TestCase):
    """docs/reference/api.md against the routes and what is written of runs and tasks."""

    text = (pages.DOCS / "reference" / "api.md").read_text(encoding="utf-8")

    def test_routes(self):
        routes = re.findall(r'Route\{Method::(\w+?)_?, "([^"]+)"', source("api/router.cpp"))
        self.assertGreater(len(routes), 5)
        self.assertEqual([row[0] for row in pages.table(self.text, "route", "what")],
                         [f"{method.upper()} {path}" for method, path in routes])

    def test_fields_of_a_submission(self):
        known = re.search(r"body\.only\(\s*\{(.*?)\}\)", source("api/submit.cpp"), re.DOTALL).group(1)
        self.assertEqual([row[0].strip("`") for row in pages.table(self.text, "field", "meaning")],
                         re.findall(r'"(\w+)"', known))

    def test_fields_of_runs_and_tasks(self):
        code = source("api/render.cpp")
        for title, function in (("A run", "write_run"), ("A task", "write_task")):
            with self.subTest(title):
                body = re.search(rf"^void {function}\(.*?^}}$", code, re.DOTALL | re.MULTILINE).group()
                section = re.search(rf"^## {title}$(.*?)^## |\Z", self.text, re.DOTALL | re.MULTILINE).group(1)
                shown = set(re.findall(r"`(\w+)`", " ".join(row[0] + row[1] for row in
                                                            pages.table(section, "field", "type"))))
                written = set(re.findall(r'key\("(\w+)"\)', body))
                self.assertGreater(len(written), 15)
                self.assertEqual(written - shown, set(), "not in the page")
                extra = {"number", "token"}  # of an attempt, which another function writes
                self.assertEqual(shown - written - extra, set(), "only in the page")


if __name__ == "__main__":
    unittest.main()

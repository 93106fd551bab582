"""The arrows between folders: declared in each CMakeLists.txt, kept by every #include, and within what the architecture
allows. The linker's side of it is a CMake test."""

import unittest

import folders

# What each folder may link, directly or through others. A folder that is not here is a decision to be made first.
ALLOWED = {
    "base": set(),
    "calendar": {"base"},
    "schema": {"base"},
    "telemetry": {"base"},
    "logs": {"base"},
    "net": {"base"},
    "model": {"base"},
    "expr": {"base", "calendar"},
    "spec": {"base", "model", "expr", "schema", "calendar"},
    "engine": {"base", "model", "expr", "schema", "calendar"},
    "store": {"base", "model"},
    "secrets": {"base", "model", "expr", "calendar"},
    "executors": {"base", "model", "net", "logs", "schema", "secrets", "expr", "calendar"},
    "runtime": {"base", "model", "expr", "schema", "calendar", "engine", "store", "executors", "telemetry", "net",
                "logs", "secrets"},
}
ALLOWED["maintenance"] = ALLOWED["runtime"] | {"runtime"}
ALLOWED["simulate"] = ALLOWED["runtime"] | {"runtime", "spec"}
ALLOWED["api"] = ALLOWED["runtime"] | {"runtime", "spec", "auth"}
ALLOWED["scenario"] = ALLOWED["api"] | {"api", "simulate"}
ALLOWED["client"] = {"base", "net", "model"}
ALLOWED["auth"] = {"base", "model"}
ALLOWED["embedded"] = ALLOWED["api"] | {"api", "client", "maintenance"}
ALLOWED["server"] = ALLOWED["embedded"] | {"embedded"}
ALLOWED["worker"] = ALLOWED["executors"] | {"executors", "client"}
ALLOWED["benchmark"] = ALLOWED["worker"] | {"worker"}
ALLOWED["cli"] = ALLOWED["embedded"] | {"embedded", "server", "worker", "benchmark", "scenario", "simulate"}


def is_allowed(library, target):
    """A nested library (store_sqlite) may link its folder and what its folder may; a folder never its nested ones."""
    folder, _, nested = library.partition("_")
    target_folder, _, _ = target.partition("_")
    return target_folder in ALLOWED.get(folder, set()) or (bool(nested) and target == folder)


class Arrows(unittest.TestCase):
    links = folders.declared()
    includes = folders.includes(links)

    def test_the_project_has_folders(self):
        self.assertIn("base", self.links)
        self.assertGreater(len(self.includes), 10)

    def test_declared_links_are_allowed(self):
        wrong = [f"{library} → {target}" for library in self.links
                 for target in sorted(folders.closure(self.links, library)) if not is_allowed(library, target)]
        self.assertEqual(wrong, [])

    def test_no_cycles(self):
        self.assertEqual([folder for folder in self.links if folder in folders.closure(self.links, folder)], [])

    def test_includes_follow_declared_links(self):
        tests = folders.links_of_tests()
        wrong = []
        for path, library, target in self.includes:
            if target is None or target == library:
                continue
            reach = folders.closure(self.links, library)
            if folders.is_test(path):
                for link in tests.get(path.relative_to(folders.SOURCE).parts[0], set()):
                    reach |= {link} | folders.closure(self.links, link)
            allowed = target in reach if library in self.links else is_allowed(library, target)  # not built yet
            if not allowed:
                wrong.append(f"{path.relative_to(folders.ROOT)} includes {target}/ which {library} does not link")
        self.assertEqual(wrong, [])

    def test_includes_name_their_folder(self):
        wrong = [str(path.relative_to(folders.ROOT)) for path, _, target in self.includes if target is None]
        self.assertEqual(wrong, [], 'write #include "folder/file.hpp", also within a folder')

    def test_the_engine_is_pure(self):
        """decide() has no clock, no chance, no input or output, no threads (docs/design)."""
        forbidden = ("<chrono>", "<random>", "<thread>", "<mutex>", "<atomic>", "<fstream>", "<iostream>", "<filesystem>",
                     "<spdlog", "<sys/", "<unistd.h>", "<boost/asio")
        wrong = []
        for path in sorted((folders.SOURCE / "engine").rglob("*.[ch]pp")):
            if folders.is_test(path):
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if line.lstrip().startswith("#") and any(header in line for header in forbidden):
                    wrong.append(f"{path.relative_to(folders.ROOT)}:{number}: {line.strip()}")
        self.assertEqual(wrong, [])

    def test_values_are_read_by_one_parser(self):
        """boost::json::parse() changes the last digit of some doubles; base/json.hpp's parse_json() does not."""
        wrong = []
        for root in (folders.SOURCE, folders.ROOT / "sdk/cpp/src"):
            for path in sorted(root.rglob("*.[ch]pp")):
                if folders.is_test(path) or "test" in path.stem or "testing" in path.parts or path.stem == "json" and path.parent.name == "base":
                    continue
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                    if "json::parse(" in line.partition("//")[0]:
                        wrong.append(f"{path.relative_to(folders.ROOT)}:{number}: {line.strip()}")
        self.assertEqual(wrong, [])


class TheTestItself(unittest.TestCase):
    """A test of arrows that cannot see a wrong one is worse than none."""

    def test_parses_calls_over_lines_and_ignores_comments(self):
        calls = folders.parse("# baton_library(no LINKS x)\nbaton_library(a\n  SOURCES a.cpp\n  LINKS b c # d\n)\n"
                              "baton_tests(a SOURCES a_test.cpp LINKS a e LABELS fast)")
        self.assertEqual([(call, name, sorted(keywords.get("LINKS", []))) for call, name, keywords in calls],
                         [("baton_library", "a", ["b", "c"]), ("baton_tests", "a", ["a", "e"])])

    def test_nested_libraries(self):
        libraries = {"store", "store_sqlite"}
        for path, library in (("store/x.hpp", "store"), ("store/sqlite/x.hpp", "store_sqlite"),
                              ("store/memory/x.hpp", "store"), ("new/deep/x.hpp", "new")):
            self.assertEqual(folders.library_of(path.split("/"), libraries), library)
        self.assertTrue(is_allowed("store_sqlite", "store"))
        self.assertTrue(is_allowed("runtime", "store_sqlite"))
        self.assertFalse(is_allowed("store", "store_sqlite"))
        self.assertFalse(is_allowed("store_sqlite", "store_memory"))
        self.assertFalse(is_allowed("engine", "store"))

    def test_sees_cycles(self):
        links = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
        self.assertEqual([name for name in links if name in folders.closure(links, name)], ["a", "b", "c"])


if __name__ == "__main__":
    unittest.main()

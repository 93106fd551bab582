"""docs/reference/limits.md says the numbers that the code has."""

import re
import unittest

import pages

# Row of the page → file, pattern of the number in it, unit.
BYTES = "bytes"
ROWS = {
    "definition: text": ("spec/tree_builder.hpp", r"size_t bytes = ([^;]+);", BYTES),
    "definition: depth": ("spec/tree_builder.hpp", r"size_t depth = ([^;]+);", "levels"),
    "definition: nodes": ("spec/tree_builder.hpp", r"size_t nodes = ([^;]+);", ""),
    "definition: nodes made by YAML aliases": ("spec/tree_builder.hpp", r"alias_nodes = ([^;]+);", ""),
    "tasks of one run": ("engine/state.hpp", r"max_tasks_per_run = ([^;]+);", ""),
    "list of `for_each`": ("engine/state.hpp", r"max_list = ([^;]+);", BYTES),
    "input (`with`) or result of one task": ("engine/state.hpp", r"max_result = ([^;]+);", BYTES),
    "stdout that becomes a result as text": ("executors/process/capture.hpp", r"kMaxStdout = ([^;]+);", BYTES),
    "evaluation of an expression: work": ("expr/expr.hpp", r"uint64_t steps = ([^;]+);", "steps of about 20 ns"),
    "evaluation of an expression: values that it makes": ("expr/expr.hpp", r"uint64_t bytes = ([^;]+);", BYTES),
    "line of a log": ("logs/writer.hpp", r"size_t line = ([^;]+);", BYTES),
    "message about a task's progress": ("model/rows.hpp", r"kProgressLimit = ([^;]+);", BYTES),
    "runs that begin runs": ("model/rows.hpp", r"kMostDepth = ([^;]+);", "levels"),
    "secrets": ("model/secret.hpp", r"kMaxSecrets = ([^;]+);", ""),
    "value of a secret": ("model/secret.hpp", r"kMaxSecretValue = ([^;]+);", BYTES),
    "sealed values of all secrets, with the two before each": ("model/secret.hpp", r"kMaxSealed = ([^;]+);", BYTES),
    "resources of one task": ("model/resource.hpp", r"kResourcesPerTask = ([^;]+);", ""),
    "resource: its command, with environment": ("model/resource.hpp", r"kResourceBody = ([^;]+);", BYTES),
    "message of an error": ("model/rows.hpp", r"kMessageLimit = ([^;]+);", BYTES),
    "URL of a request": ("net/http_server.hpp", r"max_target = ([^;]+);", BYTES),
    "header of a request": ("net/http_server.hpp", r"max_header = ([^;]+);", BYTES),
    "body of a request": ("net/http_server.hpp", r"max_body = ([^;]+);", BYTES),
    "connections to the API, on TCP and on the socket each": ("net/http_server.hpp", r"max_connections = ([^;]+);", ""),
    "signals that a run keeps until a step takes them": ("model/signal.hpp", r"kMaxSignalsKept = ([^;]+);", ""),
    "data of all signals that a run keeps": ("model/signal.hpp", r"kMaxSignalBytesKept = ([^;]+);", BYTES),
    "data of a signal, value of an approval": ("model/signal.hpp", r"kMaxSignalBytes = ([^;]+);", BYTES),
    "question of an approval": ("engine/waiting.cpp", r"kQuestionLimit = ([^;]+);", BYTES),
    "interruptions of a task by the end of Baton": ("engine/state.hpp", r"max_interruptions = ([^;]+);", ""),
    "losses of a task's worker": ("engine/state.hpp", r"max_losses = ([^;]+);", ""),
}


def value(expression):
    """Of the arithmetic that the constants are written in: digits, *, <<."""
    words = re.sub(r"std::\w+\{(\w+)\}", r"\1", expression).replace("'", "")
    words = re.sub(r"(?<=\d)[uUlL]+", "", words)
    if not re.fullmatch(r"[\d *<]+", words):
        raise ValueError(expression)
    product = 1
    for factor in words.split("*"):
        number, _, shift = factor.partition("<<")
        product *= int(number) << int(shift or 0)
    return product


def as_written(number, unit):
    if unit == BYTES:
        if number < 1 << 10:
            return f"{number} bytes"
        return f"{number >> 20} MiB" if number % (1 << 20) == 0 else f"{number >> 10} KiB"
    return f"{number:,} {unit}".strip()


class Limits(unittest.TestCase):
    table = dict(row[:2] for row in pages.table((pages.DOCS / "reference" / "limits.md").read_text(encoding="utf-8"),
                                               "what", "limit", "at the limit"))

    def test_numbers(self):
        for row, (file, pattern, unit) in ROWS.items():
            with self.subTest(row):
                found = re.search(pattern, (pages.ROOT / "src" / file).read_text(encoding="utf-8"))
                self.assertIsNotNone(found, f"src/{file} has no {pattern}")
                self.assertEqual(self.table[row], as_written(value(found.group(1)), unit))

    def test_log_keeps_head_and_tail(self):
        text = (pages.ROOT / "src/logs/writer.hpp").read_text(encoding="utf-8")
        kept = sum(value(re.search(rf"{end} = ([^;]+);", text).group(1)) for end in ("head", "tail"))
        self.assertEqual(self.table["log of one attempt"], as_written(kept, BYTES))

    def test_arithmetic(self):
        self.assertEqual([value(text) for text in ("64", "250'000", "64 << 10", "std::size_t{2} << 20", "8 * 1024")],
                         [64, 250_000, 65_536, 2 << 20, 8_192])
        with self.assertRaises(ValueError):
            value("kOther")


if __name__ == "__main__":
    unittest.main()

"""docs/reference/metrics.md has exactly the metrics of the catalogue, and what packaging/ asks Prometheus for exists."""

import json
import re
import unittest

import pages

CATALOGUE = (pages.ROOT / "src" / "telemetry" / "catalogue.cpp").read_text(encoding="utf-8")
ENTRY = re.compile(r'MetricInfo\{Metric::\w+, "(\w+)", (\w+), \{([^}]*)\}, "((?:[^"\\]|\\.)*)", (?:\{\}|k\w+)\}')
OF_OTHERS = {"up"}  # Prometheus' own
NAME = re.compile(r"\b((?:baton|process)_[a-z_]+|up)\b(?:\{([^}]*)\})?")


def catalogue():
    """{name: (kind, [labels], help)}"""
    return {name: (kind, re.findall(r'"(\w+)"', labels), text.replace('\\"', '"'))
            for name, kind, labels, text in ENTRY.findall(CATALOGUE)}


def problems(expression, metrics):
    """What is wrong with the names and labels of a PromQL expression."""
    wrong = []
    known = {}
    for name, (kind, labels, _) in metrics.items():
        for suffix, more in (("", []),) if kind != "histogram" else (("_bucket", ["le"]), ("_sum", []), ("_count", [])):
            known[name + suffix] = set(labels + more)
    used = set()
    for name, matchers in NAME.findall(expression):
        if name in OF_OTHERS:
            used.add("job")
            continue
        if name not in known:
            wrong.append(f"there is no {name}")
            continue
        used |= known[name]
        wrong += [f"{name} has no label {label}" for label in re.findall(r"(\w+)\s*(?:=|!)", matchers)
                  if label not in known[name]]
    for labels in re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", expression):
        wrong += [f"no label {label}" for label in re.findall(r"\w+", labels) if label not in used]
    return wrong


class Metrics(unittest.TestCase):
    metrics = catalogue()
    page = (pages.DOCS / "reference" / "metrics.md").read_text(encoding="utf-8")

    def test_the_catalogue_is_read_whole(self):
        self.assertEqual(len(self.metrics), CATALOGUE.count("MetricInfo{Metric::"))
        self.assertGreater(len(self.metrics), 50)

    def test_the_page_has_each_as_it_is(self):
        rows = re.findall(r"^\| `((?:baton|process)_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", self.page, re.MULTILINE)
        shown = {name: (kind, re.findall(r"`(\w+)`", labels), text) for name, kind, labels, text in rows}
        self.assertEqual(shown, self.metrics)
        self.assertEqual([row[0] for row in rows], list(self.metrics), "in this order")

    def test_the_limit_is_as_said(self):
        header = (pages.ROOT / "src" / "telemetry" / "catalogue.hpp").read_text(encoding="utf-8")
        limit = re.search(r"kMostSeries = (\d+);", header).group(1)
        self.assertIn(f"at most {limit} combinations", self.page)

    def test_questions_of_the_page_can_be_asked(self):
        questions = [row[1] for row in pages.table(self.page, "question", "expression")]
        self.assertGreater(len(questions), 5)
        for question in questions:
            self.assertEqual(problems(question, self.metrics), [], question)

    def test_alert_rules(self):
        text = (pages.ROOT / "packaging" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
        rules = re.findall(r"- alert: (\w+)\n +expr: (\|\n(?: {10}.*\n)+|.*\n)", text)
        self.assertGreater(len(rules), 10)
        self.assertEqual(len(rules), text.count("- alert:"))
        for name, expression in rules:
            self.assertEqual(problems(expression, self.metrics), [], name)
            self.assertRegex(expression, NAME)

    def test_dashboard(self):
        board = json.loads((pages.ROOT / "packaging" / "grafana" / "baton.json").read_text(encoding="utf-8"))
        asked = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", [])]
        self.assertGreater(len(asked), 20)
        for title, expression in asked:
            self.assertEqual(problems(expression, self.metrics), [], title)

    def test_a_wrong_expression_is_seen(self):
        self.assertEqual(problems("baton_nothing_total", self.metrics), ["there is no baton_nothing_total"])
        self.assertEqual(problems("baton_run_duration_seconds", self.metrics), ["there is no baton_run_duration_seconds"])
        self.assertEqual(problems('baton_runs{step="x"}', self.metrics), ["baton_runs has no label step"])
        self.assertEqual(problems("sum by (step) (baton_runs)", self.metrics), ["no label step"])


if __name__ == "__main__":
    unittest.main()

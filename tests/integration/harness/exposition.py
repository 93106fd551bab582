"""A strict reader of Prometheus' text format (version 0.0.4): what `promtool check metrics` and a scrape would complain of is an
error here."""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
SUFFIXES = ("_bucket", "_sum", "_count")


def value_of(text):
    return {"+Inf": math.inf, "-Inf": -math.inf}.get(text) if text.endswith("Inf") else float(text)


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        if not found:
            raise ValueError(f"bad labels: {text}")
        if found.group(1) in labels:
            raise ValueError(f"twice the same label: {text}")
        labels[found.group(1)] = re.sub(r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), found.group(2))
        at = found.end()
    return labels


class Metrics:
    """{(name, frozenset of labels): value}, checked."""

    def __init__(self, text):
        self.samples, self.kinds, self.helps = {}, {}, {}
        if not text.endswith("\n"):
            raise ValueError("the last line does not end")
        family = None
        for line in text[:-1].split("\n"):
            if line.startswith("# HELP "):
                family, help_text = line[7:].split(" ", 1)
                if family in self.helps:
                    raise ValueError(f"two groups of {family}")
                self.helps[family] = help_text
            elif line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                if name != family or kind not in ("counter", "gauge", "histogram"):
                    raise ValueError(line)
                self.kinds[name] = kind
            else:
                self._add(line, family)
        self._check_histograms()

    def _add(self, line, family):
        found = SAMPLE.fullmatch(line)
        if not found:
            raise ValueError(f"not a sample: {line}")
        name, labels, number = found.group(1), labels_of(found.group(2) or ""), value_of(found.group(3))
        base = next((name.removesuffix(s) for s in SUFFIXES if name.endswith(s) and name.removesuffix(s) == family), name)
        if base != family or family not in self.kinds:
            raise ValueError(f"{name} stands in the group of {family}")
        if (self.kinds[family] == "histogram") != (base != name):
            raise ValueError(f"{name} is a {self.kinds[family]}")
        key = (name, frozenset(labels.items()))
        if key in self.samples:
            raise ValueError(f"twice: {line}")
        if self.kinds[family] == "counter" and not number >= 0:
            raise ValueError(f"a counter below 0: {line}")
        self.samples[key] = number

    def _check_histograms(self):
        for name in (name for name, kind in self.kinds.items() if kind == "histogram"):
            series = {}
            for (sample, labels), number in self.samples.items():
                if sample == f"{name}_bucket":
                    bound = value_of(dict(labels)["le"])
                    series.setdefault(frozenset(l for l in labels if l[0] != "le"), []).append((bound, number))
            for labels, buckets in series.items():
                counts = [count for _, count in sorted(buckets)]
                if counts != sorted(counts) or max(buckets)[0] != math.inf:
                    raise ValueError(f"buckets of {name} {labels}")
                if counts[-1] != self.samples[f"{name}_count", labels]:
                    raise ValueError(f"count of {name} {labels}")

    def get(self, name, default=None, /, **labels):
        """In the namespace `default`, unless the labels say another."""
        for more in ({"namespace": "default"}, {}):
            if (sample := (name, frozenset((more | labels).items()))) in self.samples:
                return self.samples[sample]
        return default

    def sum(self, name, **labels):
        return sum(value for (sample, has), value in self.samples.items()
                   if sample == name and labels.items() <= dict(has).items())

"""The book that tasks keep themselves (see step.sh): what really happened, whatever Baton says."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Entry:
    task: str
    attempt: int
    token: str
    step: str
    what: str  # start, end or overlap
    code: int | None
    place: int  # line number: the order in which things happened


class Ledger:
    def __init__(self, path):
        self.path = path

    def entries(self):
        """All complete lines. A last line without its end was cut off by a kill and says nothing."""
        try:
            with open(self.path, encoding="ascii") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        found = []
        for place, line in enumerate(text.split("\n")[:-1]):
            task, attempt, token, step, what, *code = line.split(" ")
            found.append(Entry(task, int(attempt), token, step, what, int(code[0]) if code else None, place))
        return found

    def count(self, what, step=None):
        return sum(1 for entry in self.entries() if entry.what == what and step in (None, entry.step))

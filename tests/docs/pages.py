"""Reading the documentation's pages."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")


def all_pages():
    return sorted(DOCS.rglob("*.md")) + sorted(ROOT.glob("*.md")) + sorted((ROOT / "examples").rglob("*.md"))


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def links(path):
    """[(target, anchor)] of the page's links to files; addresses on the network are left out."""
    found = []
    for target in LINK.findall(without_code(path.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            found.append((file, anchor))
    return found


def anchors(path):
    """What a heading is called in a link, as GitHub does it."""
    names = set()
    for line in FENCE.sub("", path.read_text(encoding="utf-8")).splitlines():
        heading = re.match(r"#+\s+(.*)", line)
        if heading:
            words = re.sub(r"[^\w\- ]", "", heading.group(1).strip().lower())
            names.add(words.replace(" ", "-"))
    return names


def table(text, *head):
    """The rows of the table with this head, each a tuple of cells; [] if there is none."""
    lines = iter(text.splitlines())
    rows = []
    for line in lines:
        if [cell.strip() for cell in line.strip().strip("|").split("|")] == list(head) and next(lines, "").startswith("| ---"):
            for row in lines:
                if not row.startswith("|"):
                    break
                rows.append(tuple(cell.strip() for cell in row.strip().strip("|").split("|")))
    return rows

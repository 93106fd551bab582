"""What the folders of src/ declare and what they include."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
CALL = re.compile(r"\b(baton_library|baton_tests|baton_fuzzer|baton_program)\s*\(\s*([\w-]+)([^)]*)\)", re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
KEYWORDS = {"SOURCES", "LINKS", "EXTERNAL", "LABELS", "TIMEOUT", "CORPUS"}


def without_comments(cmake):
    return re.sub(r"#[^\n]*", "", cmake)


def arguments(text):
    """{keyword: [values]} of one call of the build's functions."""
    found, keyword = {}, None
    for word in text.split():
        if word in KEYWORDS:
            keyword = word
            found.setdefault(keyword, [])
        elif keyword is not None:
            found[keyword].append(word)
    return found


def parse(cmake_text):
    """[(function, name, {keyword: values})] of one CMakeLists.txt."""
    return [(call, name, arguments(rest)) for call, name, rest in CALL.findall(without_comments(cmake_text))]


def declared(source=SOURCE):
    """{folder: direct links} of every library; nested folders ("store/sqlite") may be libraries of their own."""
    links = {}
    for path in sorted(source.rglob("CMakeLists.txt")):
        for call, name, keywords in parse(path.read_text(encoding="utf-8")):
            if call == "baton_library":
                links[name] = set(keywords.get("LINKS", []))
    return links


def links_of_tests(source=SOURCE):
    """{folder: what its tests link}."""
    links = {}
    for path in sorted(source.rglob("CMakeLists.txt")):
        for call, _, keywords in parse(path.read_text(encoding="utf-8")):
            if call in ("baton_tests", "baton_fuzzer"):
                folder = path.parent.relative_to(source).parts[0]
                links.setdefault(folder, set()).update(keywords.get("LINKS", []))
    return links


def closure(links, start):
    """Everything that `start` reaches, itself excluded unless it lies on a cycle."""
    reached, pending = set(), list(links.get(start, ()))
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending.extend(links.get(name, ()))
    return reached


def is_test(path):
    return path.stem.endswith(("_test", "_fuzz", "_bench")) or "test" in path.stem.split("_")


def includes(source=SOURCE):
    """[(file, folder, included folder)] of all quoted includes that name a folder."""
    rows = []
    for path in sorted(source.rglob("*")):
        if path.suffix not in (".cpp", ".hpp", ".h"):
            continue
        folder = path.relative_to(source).parts[0]
        for target in INCLUDE.findall(path.read_text(encoding="utf-8")):
            rows.append((path, folder, target.partition("/")[0] if "/" in target else None))
    return rows

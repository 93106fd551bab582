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
    """{library: direct links}. A nested folder may be a library of its own: store/sqlite is `store_sqlite`."""
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


def library_of(parts, libraries):
    """The library that a path within src/ belongs to: the innermost of its folders that is one, else the outermost
    folder."""
    for depth in range(len(parts) - 1, 0, -1):
        if "_".join(parts[:depth]) in libraries:
            return "_".join(parts[:depth])
    return parts[0]


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


def includes(libraries, source=SOURCE):
    """[(file, its library, included library)] of all quoted includes of the project's own files; the included library
    is None if the path does not begin with a folder of src/."""
    rows = []
    for path in sorted(source.rglob("*")):
        if path.suffix not in (".cpp", ".hpp", ".h"):
            continue
        library = library_of(path.relative_to(source).parts, libraries)
        for target in INCLUDE.findall(path.read_text(encoding="utf-8")):
            parts = target.split("/")
            if len(parts) == 1 or (source / parts[0]).is_dir():
                rows.append((path, library, library_of(parts, libraries) if len(parts) > 1 else None))
    return rows

#!/usr/bin/env python3
"""Holds docs/reference/cli.md against what the program's own help says: every command has a section, every flag a row.

    check_cli.py BATON
"""

import re
import subprocess
import sys

import pages

COMMON = {"--help", "-h", "--data", "--url", "--ca-file", "--namespace", "--output", "-o", "--config", "--quiet", "-q"}


def help_of(baton, command):
    return subprocess.run([baton, *command, "--help"], check=True, capture_output=True, encoding="utf-8").stdout


def part(text, title):
    found = re.search(rf"^{title}:\n(.*?)(?:\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    return found.group(1).splitlines() if found else []


def commands(baton, command=()):
    """(command, help) of everything that can be run."""
    text = help_of(baton, command)
    headings = [heading for heading in re.findall(r"^(\w.*):$", text, re.MULTILINE) if heading not in ("Arguments", "Options")]
    below = [line.split()[0] for heading in headings for line in part(text, heading) if re.match(r"  \S", line)]
    if not below:
        yield command, text
    for name in below:
        yield from commands(baton, (*command, name))


def flags_of(text):
    flags = set()
    for line in part(text, "Options"):
        if re.match(r"  -", line):
            flags.update(re.findall(r"(?:^|,)(-[\w-]+)", line.split()[0]))
    return flags


def main():
    page = (pages.DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## baton ([^\n]+)\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))
    wrong, checked = [], 0
    known = set()
    for command, text in commands(sys.argv[1]):
        name = " ".join(command)
        known.add(name)
        if name not in sections:
            wrong.append(f"baton {name}: not in the page")
            continue
        rows = " ".join(row[0] for row in pages.table(sections[name], "flag", "meaning"))
        documented = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", rows))
        flags = flags_of(text)
        if not COMMON <= flags:
            wrong.append(f"baton {name}: lacks {COMMON - flags}")
        if documented != flags - COMMON:
            wrong.append(f"baton {name}: the page has {sorted(documented)}, the program {sorted(flags - COMMON)}")
        checked += 1 + len(flags)
    wrong += [f"baton {name}: in the page only" for name in sections.keys() - known]
    print("\n".join(wrong) if wrong else f"ok  {checked} commands and flags of the command line are documented")
    sys.exit(1 if wrong or checked < 20 else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Does what the guides show: every complete workflow is valid and laid out as `baton fmt` does, and the commands of the
tutorial, of the day on call and of the page on composing print what stands below them.

    check_guides.py BATON

A block that begins with "# NAME.yaml" is saved under that name; a ```console block has commands behind "$ ", each followed by what
it prints on stdout and stderr but for the lines of events. Blanks do not count; "…" stands for anything.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pages

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
WALKED = ("tutorial.md", "on-call.md", "composing.md", "secrets.md")  # from an empty folder each
EVENT = re.compile(r"^(run [0-9a-f-]{36}| +\d+\.\ds  .*)$")


def environment(baton, home):
    return {"PATH": f"{baton.parent}:{os.environ['PATH']}", "HOME": str(home), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}


def squeezed(text):
    return [re.sub(r" +", " ", line).strip() for line in text.strip("\n").split("\n")]


def matches(shown, printed):
    if len(shown) != len(printed):
        return False
    return all(re.fullmatch(".*".join(map(re.escape, s.split("…"))), p) for s, p in zip(shown, printed, strict=True))


def commands(block):
    """(command, what it prints) of a console block."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [tuple(part.partition("\n")[::2]) for part in parts]


def check_walk(baton, page):
    """Messages about what is not as shown, and how many commands were run."""
    wrong, ran, code = [], 0, 0
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "tutorial"
        folder.mkdir()
        for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
            name = re.match(r"# ([\w-]+\.\w+)\n", block)
            if language == "yaml" and name:
                (folder / name.group(1)).write_text(block, encoding="utf-8")
            if language != "console":
                continue
            for command, shown in commands(block):
                done = subprocess.run(["bash", "-c", f"(exit {code}); {command}"], cwd=folder, env=environment(baton, home),
                                      capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
                code = done.returncode
                ran += 1
                errors = [line for line in done.stderr.splitlines() if not EVENT.match(line)]
                printed = squeezed(done.stdout + "\n".join(errors))
                if not matches(squeezed(shown), printed):
                    wrong.append(f"{page.name}: $ {command}\nshown:\n{shown}\nprinted:\n{done.stdout}{done.stderr}")
    return wrong, ran


def check_workflows(baton):
    """The same for workflows, each of its page's."""
    wrong, seen = [], 0
    with tempfile.TemporaryDirectory() as home:
        for page in [pages.ROOT / "README.md", *sorted((pages.DOCS / "guide").glob("*.md"))]:
            for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
                if language != "yaml" or not block.startswith("name:"):
                    continue
                seen += 1
                path = Path(home) / "workflow.yaml"
                path.write_text(block, encoding="utf-8")
                for words in ("validate",), ("fmt", "--check"):
                    done = subprocess.run([baton, *words, path], env=environment(baton, home), capture_output=True, text=True,
                                          timeout=60, check=False)
                    if done.returncode != 0 or done.stderr:
                        wrong.append(f"{page.name}: baton {' '.join(words)}\n{done.stderr}{block}")
    return wrong, seen


def main():
    baton = Path(sys.argv[1]).resolve()
    wrong, seen = check_workflows(baton)
    ran = 0
    for page in WALKED:
        more, commands_run = check_walk(baton, pages.DOCS / "guide" / page)
        wrong += more
        ran += commands_run
        if commands_run < 10:
            wrong.append(f"{page}: only {commands_run} commands")
    print("\n\n".join(wrong) if wrong else f"ok  {ran} commands and {seen} workflows of the guides are as shown")
    sys.exit(1 if wrong or seen < 5 else 0)


if __name__ == "__main__":
    main()

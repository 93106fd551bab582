#!/usr/bin/env python3
"""Writes every complete workflow that the README and the guide show to a file of its own, for examples/run.sh to
validate and run.

    snippets.py FOLDER      prints one path per line
"""

import re
import sys
from pathlib import Path

import pages

BLOCK = re.compile(r"^```yaml\n(name:.*?)^```$", re.DOTALL | re.MULTILINE)


def main():
    folder = Path(sys.argv[1])
    for page in [pages.ROOT / "README.md", *sorted((pages.DOCS / "guide").glob("*.md"))]:
        for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1):
            path = folder / f"{page.relative_to(pages.ROOT).with_suffix('').as_posix().replace('/', '-')}-{number}.yaml"
            path.write_text(block, encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()

"""What libbaton.so shows: its SONAME, and symbols of the public namespace only.

exports.py LIBRARY SOVERSION
"""

import re
import subprocess
import sys

library, version = sys.argv[1:]


def lines(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


soname = [line.split("[")[1].rstrip("]") for line in lines("readelf", "-d", library) if "(SONAME)" in line]
assert soname == [f"libbaton.so.{version}"], soname
public = re.compile(rf"(typeinfo (name )?for |vtable for |(non-)?virtual thunk to )?baton::v{version}::")
symbols = [line.split(" ", 2)[2] for line in lines("nm", "-D", "--defined-only", "-C", library)]
symbols = [symbol for symbol in symbols if not symbol.startswith("BATON_")]  # the versions' own names
assert len(symbols) > 100, symbols
foreign = [symbol for symbol in symbols if not public.match(symbol)]
assert not foreign, "these are no business of programs:\n" + "\n".join(foreign)

"""Faults in the real program: a control block that its preloaded library reads (faults/preload.cpp), the trace of what it
wrote, what a disk keeps of that when the power goes, and changes of a database's bytes from outside."""

import collections
import ctypes
import errno
import mmap
import os
import pathlib
import shutil
import sqlite3
import unittest

LIBRARY = os.environ.get("BATON_FAULTS", "")
WRITES, SYNCS, BOTH = 1, 2, 3
KILL_BEFORE, KILL_WITHIN = -1, -2
SECTOR = 512


class Faults:
    """One control block in a folder; `environment` is for the programs that are to obey it."""

    FIELDS = ("operations", "fail_at", "kinds", "error", "for_ever", "failed", "clock_offset", "attached")

    def __init__(self, folder, files="/baton.db", trace=None):
        if not LIBRARY:
            raise unittest.SkipTest("BATON_FAULTS does not name the library faults.so of the build")
        path = pathlib.Path(folder) / "faults"
        path.write_bytes(bytes(8 * len(self.FIELDS)))
        with open(path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._numbers = (ctypes.c_int64 * len(self.FIELDS)).from_buffer(self._memory)
        self.environment = {"LD_PRELOAD": LIBRARY, "FAULTS_CONTROL": str(path), "FAULTS_FILES": files}
        if trace:
            pathlib.Path(trace).touch()
            self.environment["FAULTS_TRACE"] = str(trace)

    def __getattr__(self, name):
        return self._numbers[self.FIELDS.index(name)]

    def fail(self, at, error=errno.EIO, kinds=BOTH, for_ever=False):
        """The `at`-th operation from now on fails (1 = the next)."""
        for name, value in (("fail_at", 0), ("operations", 0), ("failed", 0), ("kinds", kinds), ("error", error),
                            ("for_ever", int(for_ever)), ("fail_at", at)):
            self._numbers[self.FIELDS.index(name)] = value

    def heal(self):
        self._numbers[self.FIELDS.index("fail_at")] = 0

    def shift_clock(self, seconds):
        self._numbers[self.FIELDS.index("clock_offset")] = int(seconds * 1_000_000)

    def close(self):
        del self._numbers
        self._memory.close()


class Trace:
    """What a program did to its files, with the notes of others in between, in one order."""

    def __init__(self, path):
        self.events = []
        data = pathlib.Path(path).read_bytes()
        at = 0
        while at < len(data):
            end = data.index(b"\n", at)
            what, *words = data[at:end].decode().split(" ")
            at = end + 1
            if what == "W":
                size = int(words[2])
                self.events.append(("W", words[0], int(words[1]), data[at:at + size]))
                at += size
            else:
                self.events.append((what, *words))

    @staticmethod
    def note(path, *words):
        """Appends a line of a test's own: an answer that it got."""
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.write(file, (" ".join(words) + "\n").encode())
        os.close(file)

    def notes(self, cut):
        return [event for event in self.events[:cut] if event[0] not in ("W", "T", "S")]

    def image(self, base, cut, random):
        """{path: bytes} of what a disk may hold when the power goes after `cut` events: everything before a file's
        last sync, and of what came later any part, in any order, cut at any sector. `base`: {path: bytes} at first."""
        files = {path: bytearray(content) for path, content in base.items()}
        since = collections.defaultdict(list)
        for event in self.events[:cut]:
            if event[0] == "S":
                for change in since.pop(event[1], []):
                    apply(files.setdefault(event[1], bytearray()), change)
            elif event[0] in ("W", "T"):
                since[event[1]].append(event)
        for path, changes in since.items():
            content = files.setdefault(path, bytearray())
            random.shuffle(changes)
            share = random.random()  # mostly lost, mostly kept, or between
            for change in changes:
                if change[0] == "T":
                    if random.random() < share:
                        apply(content, change)
                    continue
                for begin in range(0, len(change[3]), SECTOR):
                    if random.random() < share:
                        apply(content, ("W", path, change[2] + begin, change[3][begin:begin + SECTOR]))
        return files


def apply(content, change):
    if change[0] == "T":
        size = int(change[2])
        del content[size:]
        content.extend(bytes(size - len(content)))
        return
    _, _, at, data = change
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at:at + len(data)] = data


# A database's bytes. Its pages end with a checksum of 8 bytes (docs/design/003-on-disk.md); one of zeros counts as none,
# so that what SQLite itself has written can be read.

PAGE, CHECKSUM = 4096, 8


def forget_checksums(path):
    """After a change by SQLite itself, which keeps what stands in the place of the checksums."""
    content = bytearray(pathlib.Path(path).read_bytes())
    for end in range(PAGE, len(content) + 1, PAGE):
        content[end - CHECKSUM:end] = bytes(CHECKSUM)
    pathlib.Path(path).write_bytes(content)


def change_database(path, *statements):
    """Executes SQL in a database that nobody has open, and leaves no log behind."""
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = DELETE")
        for statement in statements:
            words = (statement,) if isinstance(statement, str) else statement
            database.execute(*words)
        database.execute("PRAGMA journal_mode = WAL")
    finally:
        database.close()
    forget_checksums(path)


def copy_database(data, to):
    """The database and its log, as a kill leaves them."""
    to = pathlib.Path(to)
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("baton.db", "baton.db-wal"):
        if (pathlib.Path(data) / name).exists():
            shutil.copy(pathlib.Path(data) / name, to)

"""The live view on a real pseudo terminal."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from harness.case import BATON, PATIENCE, BatonCase

SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


class Screen:
    """As much of a terminal as the program uses: text, newlines, cursor up, erasing, colours."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = [""]
        self.row = 0
        self.column = 0
        self.coloured = False
        self.unknown = []

    def feed(self, text):
        at = 0
        while at < len(text):
            found = SEQUENCE.match(text, at)
            if found:
                self.sequence(found.group(1), found.group(2))
                at = found.end()
                continue
            self.character(text[at])
            at += 1

    def character(self, c):
        if c == "\n":
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append("")
        elif c == "\r":
            self.column = 0
        else:
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + c + line[self.column + 1:]
            self.column += 1
            if self.column > self.columns:
                self.unknown.append("a line is wider than the terminal: " + self.lines[self.row])

    def sequence(self, arguments, kind):
        if kind == "A":
            self.row = max(0, self.row - int(arguments or 1))
        elif kind == "K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif kind == "J":
            self.lines[self.row] = self.lines[self.row][:self.column]
            del self.lines[self.row + 1:]
        elif kind == "m":
            self.coloured = True
        elif (arguments, kind) not in (("?2026", "h"), ("?2026", "l")):
            self.unknown.append(arguments + kind)

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")


class TerminalTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.env |= {"TERM": "xterm-256color"}
        del self.env["NO_COLOR"]

    def open(self, *words, columns=80, rows=24, env=None):
        self.master, slave = pty.openpty()
        self.addCleanup(lambda: os.close(self.master) if self.master is not None else None)
        self.resize(columns, rows)
        self.screen = Screen(columns)
        process = subprocess.Popen([BATON, *map(str, words)], env=self.env | (env or {}), cwd=self.dir, stdin=slave,
                                   stdout=slave, stderr=slave, start_new_session=True,
                                   preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        process.number = -1
        self.addCleanup(process.wait)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, until, what):
        """Feeds the screen until the condition holds."""
        end = time.monotonic() + PATIENCE
        while not until():
            self.assertLess(time.monotonic(), end, f"waited in vain for {what}:\n{self.screen.text()}")
            ready, _, _ = select.select([self.master], [], [], 1)
            if ready:
                try:
                    data = os.read(self.master, 65536)
                except OSError:  # the other side has gone
                    data = b""
                if not data:
                    return
                self.pending = getattr(self, "pending", b"") + data
                text = self.pending.decode("utf-8", "ignore")
                if self.pending.endswith(b"l") or not re.search(rb"\x1b[^a-zA-Z]*$", self.pending):
                    self.screen.feed(text)
                    self.pending = b""

    def shows(self, pattern):
        self.read(lambda: re.search(pattern, self.screen.text(), re.MULTILINE), pattern)

    def to_end(self, process, code):
        self.read(lambda: False, "the end")
        self.assertEqual(process.wait(PATIENCE), code, self.screen.text())
        self.assertEqual(self.screen.unknown, [])

    def gated(self):
        return self.write(self.workflow({
            "first": {"set": {"x": 1}, "title": "The first"},
            "work": self.step("work", *self.gate("g"), needs=["first"]),
            "each": {"for_each": [1, 2, 3], "set": {"y": "${{ item }}"}, "needs": ["work"]}}, name="live"))

    def test_a_run(self):
        process = self.open("run", self.gated())
        self.shows(r"^ ● work ")
        shown = self.screen.text()
        self.assertRegex(shown, r"^live  running  ")
        self.assertRegex(shown, r"\n ✓ first  The first")
        self.assertRegex(shown, r"\n ○ each\n")
        self.assertRegex(shown, r"\n━+ 33%")
        self.open_gate("g")
        self.to_end(process, 0)
        self.assertRegex(self.screen.text(), r"\A\r?live  completed[^\n]*\n ✓ first  The first[^\n]*\n ✓ work[^\n]*\n"
                                             r" ✓ each   3/3[^\n]*\Z")
        self.assertTrue(self.screen.coloured)

    def test_no_color(self):
        process = self.open("run", self.gated(), env={"NO_COLOR": "1"})
        self.shows(r"^ ● work ")
        self.open_gate("g")
        self.to_end(process, 0)
        self.assertFalse(self.screen.coloured)

    def test_a_dumb_terminal_gets_lines(self):
        process = self.open("run", self.gated(), env={"TERM": "dumb"})
        self.shows(r"● work")
        self.open_gate("g")
        self.to_end(process, 0)
        self.assertIn("✓ live completed", self.screen.text())
        self.assertNotIn("━", self.screen.text())

    def test_narrow_and_low(self):
        process = self.open("run", self.gated(), columns=20, rows=5)
        self.shows(r"^ ● work ")
        self.assertLess(len(self.screen.text().splitlines()), 5)
        self.open_gate("g")
        self.to_end(process, 0)

    def test_resizing(self):
        process = self.open("run", self.gated(), columns=100)
        self.shows(r"^ ● work ")
        self.resize(60, 20)
        self.screen.columns = 60
        self.shows(r"^live  running .{30,50}s$")
        self.open_gate("g")
        self.to_end(process, 0)

    def test_ctrl_c(self):
        process = self.open("run", self.gated())
        self.shows(r"^ ● work ")
        os.write(self.master, b"\x03")
        self.to_end(process, 3)
        self.assertIn("cancelling: SIGTERM now", self.screen.text())
        self.assertRegex(self.screen.text(), r"\nlive  cancelled")

    def test_a_failure_shows_the_end_of_its_log(self):
        process = self.open("run", self.write({"name": "bad", "steps": {"a": {"run": "echo hint; exit 4"}}}))
        self.to_end(process, 3)
        self.assertRegex(self.screen.text(), r"✗ a  exit: exited with code 4\n  │ hint\n")

    def test_a_closed_terminal_cancels_and_does_no_harm(self):
        process = self.open("run", self.gated())
        self.shows(r"^ ● work ")
        os.close(self.master)
        self.master = None
        self.assertEqual(process.wait(PATIENCE), 3)
        self.assertEqual(self.json("runs", "list")["items"][0]["status"], "cancelled")


if __name__ == "__main__":
    unittest.main()

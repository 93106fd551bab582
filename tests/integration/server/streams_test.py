"""Many who follow the events of all runs: idle ones cost little, and stalled ones hold nobody up (R32)."""

import resource
import select
import socket
import unittest

from harness.case import LONG, PATIENCE
from .server_case import ServerCase

IDLE = 5_000 if LONG else 1_000
STALLED = 1_000 if LONG else 100
PER_STREAM = 10 << 10  # 50 MiB for 5,000


class StreamsTest(ServerCase):
    def setUp(self):
        super().setUp()
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard != resource.RLIM_INFINITY and hard < IDLE + 1_000:
            raise unittest.SkipTest(f"{hard} files are too few")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.process = self.server()
        self.readers = []

    def tearDown(self):
        for reader in self.readers:
            reader.close()

    def follow(self, count, read=True):
        """Connects so many who follow all events; returns when all have an answer's head, or asked without reading it."""
        for _ in range(count):
            reader = socket.socket(socket.AF_UNIX)
            reader.settimeout(PATIENCE)
            reader.connect(str(self.data / "baton.sock"))
            reader.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
            self.readers.append(reader)
        for reader in self.readers if read else []:
            self.until_said(reader, b"\r\n\r\n")

    def until_said(self, reader, what):
        said = b""
        while what not in said:
            piece = reader.recv(1 << 16)
            self.assertTrue(piece, f"closed after {said[-300:]!r}")
            said += piece
        return said

    def memory(self, field):
        """Bytes."""
        name = "smaps_rollup" if field == "Pss" else "status"
        with open(f"/proc/{self.process.pid}/{name}", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field + ":")) << 10

    def run_of(self, tasks, key):
        """A run that has many events."""
        return self.api().submit({"name": "many", "steps": {"a": {"for_each": list(range(tasks)), "set": {"n": "${{ item }}"}}}},
                                 key)[1]["id"]

    def test_idle_ones_cost_little(self):
        before = self.memory("Pss")
        self.follow(IDLE)
        cost = (self.memory("Pss") - before) / IDLE
        self.report(f"{IDLE} idle streams: {cost / 1024:.1f} KiB each")
        self.assertLess(cost, PER_STREAM)
        run = self.run_of(1, "one")
        for reader in self.readers:
            self.assertIn(run.encode(), self.until_said(reader, b"run.ended"))
        self.process.terminate()
        self.ended(self.process)
        for reader in self.readers:
            while reader.recv(1 << 16):
                pass

    def test_stalled_ones_hold_nobody_up(self):
        self.follow(STALLED, read=False)
        idle = self.memory("VmRSS")
        self.follow(1)  # among them one that reads
        reading = self.readers[-1]
        reading.setblocking(False)
        heard = 0
        for number in range(10):
            run = self.run_of(1_000, f"key-{number}")
            said = b""

            def ended(run=run):
                nonlocal said
                while select.select([reading], [], [], 0)[0]:
                    piece = reading.recv(1 << 20)
                    self.assertTrue(piece, "the one that reads was cut off")
                    said += piece
                return any(b"run.ended" in part and run.encode() in part for part in said.split(b"\n\n"))

            self.eventually(ended, "the end, as an event")
            heard += len(said)
            self.assertEqual(self.api().run(run)["status"], "completed")
        self.assertGreater(heard, 1 << 20, "bytes that each of the others did not read")
        peak = self.memory("VmHWM")
        self.report(f"{STALLED} stalled streams: {(peak - idle) / STALLED / 1024:.0f} KiB each at the most")
        self.assertLess(peak, idle + (64 << 20) + STALLED * (512 << 10))
        # One that reads again has missed nothing; the others are cut off after 30 s (net's own tests have that, too).
        self.until_said(self.readers[0], run.encode())
        if LONG:
            self.readers[0].close()
            self.eventually(lambda: self.connections() <= 3, "the end of the stalled ones")

    def connections(self):
        """How many the server has open, this question's included."""
        for line in self.api().request("GET", "/metrics")[1].decode().splitlines():
            if line.startswith("baton_http_connections "):
                return int(float(line.split()[1]))
        return self.fail("no such metric")

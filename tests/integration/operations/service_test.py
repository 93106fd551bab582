"""What systemd hears of a server, and what the unit asks for."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess

from harness.case import PATIENCE, ROOT, BatonCase

UNIT = pathlib.Path(ROOT) / "packaging" / "systemd" / "baton.service"


class ServiceTest(BatonCase):
    def setUp(self):
        super().setUp()
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.dir / "notify"))
        self.notify.settimeout(PATIENCE)
        self.addCleanup(self.notify.close)

    def server(self, **env):
        return self.start("server", "--listen", "127.0.0.1:0", env={"NOTIFY_SOCKET": str(self.dir / "notify")} | env)

    def heard(self, beginning):
        """The next message that is no sign of life."""
        while (text := self.notify.recv(4096).decode()) == "WATCHDOG=1":
            pass
        self.assertTrue(text.startswith(beginning), text)
        return text

    def test_ready_reload_and_stop(self):
        process = self.server()
        self.assertIn("STATUS=serves http://127.0.0.1:", self.heard("READY=1"))
        self.assertEqual(self.owner_pid(), process.pid)  # ready means that it serves
        process.send_signal(signal.SIGHUP)
        self.assertIn("MONOTONIC_USEC=", self.heard("RELOADING=1"))
        self.heard("READY=1")
        process.send_signal(signal.SIGTERM)
        self.heard("STOPPING=1")
        self.ended(process)

    def test_the_watchdog_hears_of_a_loop_that_turns(self):
        process = self.server(WATCHDOG_USEC="100000")
        signs = 0
        while signs < 3:
            signs += self.notify.recv(4096) == b"WATCHDOG=1"
        # A process that is stopped says nothing: that is what systemd acts upon.
        os.kill(process.pid, signal.SIGSTOP)
        self.notify.settimeout(0)
        with self.assertRaises(BlockingIOError):
            while True:
                self.notify.recv(4096)
        os.kill(process.pid, signal.SIGCONT)
        self.notify.settimeout(PATIENCE)
        self.assertEqual(self.notify.recv(4096), b"WATCHDOG=1")

    def test_systemd_takes_the_unit(self):
        analyze = shutil.which("systemd-analyze")
        if analyze is None:
            self.skipTest("there is no systemd-analyze here")
        unit = self.dir / "baton.service"
        text = UNIT.read_text().replace("/usr/bin/baton", "/bin/true")
        text = text.replace("User=baton", "User=root").replace("Group=baton", "Group=root")
        unit.write_text(text)
        checked = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
        said = [line for line in checked.stderr.splitlines() if "baton.service" in line]
        self.assertEqual((checked.returncode, said), (0, []), checked.stderr)

"""Who may use the socket of a data directory."""

import json
import os
import subprocess
import sys
import unittest

from harness.case import BatonCase

ASK = """
import http.client, os, socket, sys
os.setgid(65534); os.setuid(65534)
connection = socket.socket(socket.AF_UNIX)
try:
    connection.connect(sys.argv[1])
except PermissionError:
    print("refused by the file system")
    sys.exit()
connection.sendall(b"GET %s HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n" % sys.argv[2].encode())
answer = b""
while piece := connection.recv(65536):
    answer += piece
print(answer.decode())
"""


@unittest.skipUnless(os.geteuid() == 0, "needs root, to be somebody else")
class AccessTest(BatonCase):
    def ask(self, path):
        return subprocess.run([sys.executable, "-c", ASK, self.data / "baton.sock", path], capture_output=True,
                              text=True, check=True, cwd="/").stdout

    def setUp(self):
        super().setUp()
        path = self.write(self.workflow({"work": self.step("one", *self.gate("g"))}))
        self.run_id = self.baton("run", path, "--detach").stdout.strip()
        self.addCleanup(self.open_gate, "g")

    def test_other_users_do_not_reach_the_socket(self):
        os.chmod(self.dir, 0o755)
        self.assertEqual(self.ask("/livez"), "refused by the file system\n")
        os.chmod(self.data, 0o755)
        self.assertEqual(self.ask("/livez"), "refused by the file system\n")

    def test_and_are_refused_if_they_do(self):
        os.chmod(self.dir, 0o755)
        os.chmod(self.data, 0o755)
        os.chmod(self.data / "baton.sock", 0o666)
        for path in "/livez", "/readyz":  # whether it lives may be known
            self.assertIn(" 200 ", self.ask(path).splitlines()[0], path)
        for path in "/api/v1/version", "/api/v1/runs", f"/api/v1/runs/{self.run_id}", "/nothing":
            head, _, body = self.ask(path).partition("\n\n")
            self.assertIn(" 403 ", head.splitlines()[0], path)
            self.assertEqual(json.loads(body)["code"], "not_allowed")
            self.assertNotIn(self.run_id, body)


if __name__ == "__main__":
    unittest.main()

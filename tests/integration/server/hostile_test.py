"""S12: clients that mean harm. They are refused or closed in time, and others are served meanwhile."""

import socket
import unittest
import urllib.parse

from harness.case import PATIENCE
from server.server_case import ServerCase


class Hostile(ServerCase):
    def connect(self, server):
        url = urllib.parse.urlsplit(server.facts["url"])
        connection = socket.create_connection((url.hostname, url.port), timeout=PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def send(self, connection, text):
        """As much as the server takes; it may have closed already."""
        try:
            connection.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))
        except OSError:
            pass

    def rest(self, connection):
        """What the server still says, until it closes."""
        said = b""
        try:
            while piece := connection.recv(65536):
                said += piece
        except ConnectionError:
            pass
        return said.decode("latin-1")

    def answer(self, server, text):
        connection = self.connect(server)
        self.send(connection, text)
        return self.rest(connection)

    def is_served(self, server):
        self.assertEqual(self.ask(server, "/livez").status, 200)

    def status(self, said):
        self.assertTrue(said.startswith("HTTP/1.1 "), said[:200])
        return int(said.split()[1])


class Sizes(Hostile):
    def test_a_target_of_a_megabyte(self):
        server = self.server()
        self.assertEqual(self.status(self.answer(server, "GET /" + "a" * (1 << 20) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")), 414)
        self.is_served(server)

    def test_a_hundred_thousand_fields(self):
        server = self.server()
        fields = "".join(f"X-{n}: {n}\r\n" for n in range(100_000))
        self.assertEqual(self.status(self.answer(server, f"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n")), 431)
        self.is_served(server)

    def test_a_field_that_does_not_end(self):
        server = self.server()
        self.assertEqual(self.status(self.answer(server, "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + "a" * (1 << 20))), 431)
        self.is_served(server)

    def test_a_body_over_the_limit_is_refused_before_it_comes(self):
        server = self.server()
        said = self.answer(server, "POST /api/v1/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                                   f"Content-Length: {64 << 20}\r\n\r\n")
        self.assertEqual(self.status(said), 413)
        self.assertIn('"code":"too_large"', said)
        self.is_served(server)

    def test_many_connections_that_say_nothing(self):
        server = self.server()
        for _ in range(500):
            self.connect(server)
        self.is_served(server)


class Slow(Hostile):
    def test_a_head_that_drips_is_closed(self):
        """Slowloris: each byte keeps the connection busy, and the deadline of the head counts all the same."""
        server = self.server()
        connection = self.connect(server)
        connection.settimeout(0.5)
        self.send(connection, "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        said = b""

        def closed():
            nonlocal said
            self.send(connection, "X: y\r\n")
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                return False
            except ConnectionError:
                return True
            said += piece
            return b"408" in said or not piece

        self.is_served(server)
        self.eventually(closed, "the end of the connection")
        self.is_served(server)


class Smuggling(Hostile):
    """Whatever two readers could read in two ways is refused, and what follows on the connection is not read at all."""

    HIDDEN = "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

    def test_lengths_that_disagree(self):
        server = self.server()
        head = "POST /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        for fields in ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                       "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                       "Content-Length: 4\r\nContent-Length: 5\r\n",
                       "Content-Length: 4, 5\r\n",
                       "Content-Length: +4\r\n",
                       "Content-Length: 0x4\r\n",
                       "Content-Length: -1\r\n",
                       "Content-Length: 99999999999999999999\r\n",
                       "Content-Length : 4\r\n",
                       " Content-Length: 4\r\n",
                       "Transfer-Encoding: identity\r\n",
                       "Transfer-Encoding: chunked, chunked\r\n",
                       "Transfer-Encoding: xchunked\r\n",
                       "Transfer-Encoding : chunked\r\n",
                       "Transfer-Encoding:\x0bchunked\r\n",
                       "X: a\r\n Transfer-Encoding: chunked\r\n"):
            with self.subTest(fields=fields):
                said = self.answer(server, head + fields + "\r\n0\r\n\r\n" + self.HIDDEN)
                self.assertIn(self.status(said), (400, 413, 501))
                self.assertEqual(said.count("HTTP/1.1 "), 1, "nothing behind it was taken for a request")
        self.is_served(server)

    def test_chunks_that_are_none(self):
        server = self.server()
        head = "POST /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        for chunks in ("-1\r\n", "0x1\r\na\r\n", "1 \r\naa\r\n", "fffffffffffffffff\r\n", "1\r\nab\r\n0\r\n\r\n", "\r\n", "1\na\n0\n\n"):
            with self.subTest(chunks=chunks):
                said = self.answer(server, head + chunks + self.HIDDEN)
                self.assertEqual(self.status(said), 400)
                self.assertEqual(said.count("HTTP/1.1 "), 1)
        self.is_served(server)

    def test_lines_and_targets_that_are_none(self):
        server = self.server()
        for line in ("GET /livez HTTP/2.0", "GET /livez", "GET  /livez HTTP/1.1", "GET /li vez HTTP/1.1", "GET http://evil.example/livez HTTP/1.1",
                     "GET /livez\x00 HTTP/1.1", "GET /%2e%2e/livez HTTP/1.1", "GET /../livez HTTP/1.1", "GET /%zz HTTP/1.1",
                     "GET /a%2fb HTTP/1.1", "G\x00T /livez HTTP/1.1", "\x16\x03\x01\x02\x00"):
            with self.subTest(line=line):
                said = self.answer(server, line + "\r\nHost: 127.0.0.1\r\n\r\n" + self.HIDDEN)
                self.assertIn(self.status(said), (400, 501, 505))
                self.assertEqual(said.count("HTTP/1.1 "), 1)
        self.is_served(server)

    def test_two_hosts(self):
        server = self.server()
        said = self.answer(server, "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n" + self.HIDDEN)
        self.assertEqual(self.status(said), 400)
        self.assertEqual(said.count("HTTP/1.1 "), 1)


if __name__ == "__main__":
    unittest.main()

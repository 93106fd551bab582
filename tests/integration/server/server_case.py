"""A test case that starts servers."""

import http.client
import json
import ssl
import urllib.parse

from harness.case import PATIENCE, BatonCase


class ServerCase(BatonCase):
    def server(self, *words, command="server", **options):
        """Starts one on a free port and waits until it says where it is."""
        process = self.start(command, "--listen", "127.0.0.1:0", "--output", "json", *words, **options)

        def facts():
            self.assertIsNone(process.poll(), self.said(process))
            text = self.said(process, "out")
            return json.loads(text) if text.endswith("\n") else None

        process.facts = self.eventually(facts, "the server's word")
        return process

    def ask(self, server, path, method="GET", body=None, **headers):
        url = urllib.parse.urlsplit(server.facts["url"])
        if url.scheme == "https":
            trust = ssl.create_default_context(cafile=server.certificate)
            connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=PATIENCE, context=trust)
        else:
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.content = answer.read()
            return answer
        finally:
            connection.close()

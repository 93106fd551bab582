"""The API of a data directory's owner, over its Unix socket, by the standard library alone."""

import http.client
import json
import os
import socket
import urllib.parse


class Answer(Exception):
    """An answer that is an error: problem+json."""

    def __init__(self, status, problem, retry_after=None):
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem
        self.retry_after = retry_after  # seconds, as the header says; None = it does not


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("baton", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Api:
    """One request, one connection. OSError and HTTPException say that there was no owner, or that it went away."""

    def __init__(self, socket_path, timeout=400):
        self._path = socket_path
        self._timeout = timeout

    def request(self, method, path, body=None, headers=None):
        connection = _Connection(self._path, self._timeout)
        try:
            text = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json"} | (headers or {}) if body is not None else headers or {}
            connection.request(method, path, text, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            after = response.headers.get("Retry-After")
            raise Answer(response.status, json.loads(content), None if after is None else int(after))
        return response.status, json.loads(content) if response.headers.get_content_subtype() == "json" else content

    def get(self, path, **query):
        words = {key: value for key, value in query.items() if value is not None}
        return self.request("GET", path + ("?" + urllib.parse.urlencode(words) if words else ""))[1]

    def pages(self, path, **query):
        """The items of all pages of a list."""
        cursor = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def submit(self, definition, key, **fields):
        """(status, run): 201 for a new run, 200 for the one that this key made before."""
        context = {"workdir": "/", "env": {"PATH": os.environ["PATH"]}}
        return self.request("POST", "/api/v1/runs", {"definition": json.dumps(definition), "context": context} | fields,
                            {"Idempotency-Key": key})

    def owner_pid(self):
        return self.get("/api/v1/version")["pid"]

    def run(self, run):
        return self.get(f"/api/v1/runs/{run}")

    def wait(self, run, timeout=120):
        return self.get(f"/api/v1/runs/{run}/wait", timeout=timeout)

    def runs(self, **query):
        return list(self.pages("/api/v1/runs", limit=1000, **query))

    def tasks(self, run):
        return list(self.pages("/api/v1/tasks", run=run, limit=1000))

    def task(self, task):
        return self.get(f"/api/v1/tasks/{task}")

    def history(self, run):
        """All facts of a run, the oldest first."""
        entries = list(self.pages(f"/api/v1/runs/{run}/history", limit=1000))
        return [fact for entry in reversed(entries) for fact in entry["facts"]]

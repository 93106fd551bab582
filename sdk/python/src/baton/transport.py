"""HTTP/1.1 to one server: over its Unix socket, or over TCP with a key.

A `Transport` may be used by any number of threads; connections are kept for the next request. `http.client` does the
talking.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import select
import socket
import ssl
import threading
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, List, Mapping, Optional, Set, Tuple, Union

from .encoding import encode
from .errors import Unavailable, api_error

# What the library raises when a server is not there, goes away or is cut off in the middle of an answer.
_CONNECTION_ERRORS = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Endpoint:
    """Where a server is: a Unix socket, or a URL (`http://` or `https://`) and a key."""

    socket: Optional[str] = None
    url: Optional[str] = None
    key: Optional[str] = None
    #: File with the certificates to trust instead of the system's.
    ca_file: Optional[str] = None
    #: The namespace that requests are about; else that of the key, or `default`.
    namespace: Optional[str] = None

    @staticmethod
    def find(target: Optional[Union[str, "os.PathLike[str]"]] = None, key: Optional[str] = None,
             ca_file: Optional[str] = None, namespace: Optional[str] = None) -> "Endpoint":
        """The server that `target` names: a URL, a socket, a data directory. Without one: `BATON_URL`, `BATON_SOCKET`, the
        data directory `BATON_DATA`, the user's own one. The key is `BATON_API_KEY` unless given, or the first line of the file
        `BATON_API_KEY_FILE`, the certificates `BATON_CA_FILE`, the namespace `BATON_NAMESPACE`."""
        namespace = namespace or os.environ.get("BATON_NAMESPACE") or None
        url = os.environ.get("BATON_URL") or None
        if target is None and url is not None and "://" not in url:
            raise ValueError(f"BATON_URL is {url!r}; a URL begins with http:// or https:// (a socket is BATON_SOCKET, a data "
                             "directory BATON_DATA)")
        if target is None:
            target = url or os.environ.get("BATON_SOCKET") or os.environ.get("BATON_DATA")
        if target is None:
            state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
            target = os.path.join(state, "baton")
        text = os.fspath(target)
        ca_file = ca_file or os.environ.get("BATON_CA_FILE") or None
        if "://" in text:
            parts = urllib.parse.urlsplit(text)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{text!r} is no URL of a server: http://HOST:PORT or https://HOST:PORT")
            if parts.username or parts.password:
                raise ValueError("a key does not stand in a URL, where it would be logged; pass it as `key`")
            key = key or os.environ.get("BATON_API_KEY") or _key_of_file(os.environ.get("BATON_API_KEY_FILE"))
            return Endpoint(url=text.rstrip("/"), key=key, ca_file=ca_file, namespace=namespace)
        path = Path(text)
        # A path that ends as a socket does is one, although it may not be there yet.
        if path.suffix != ".sock" and not path.is_socket():
            path = path / "baton.sock"
        return Endpoint(socket=str(path.absolute()), namespace=namespace)

    def __str__(self) -> str:
        return self.url or str(self.socket)


def _key_of_file(path: Optional[str]) -> Optional[str]:
    if not path:
        return None
    with open(path, encoding="utf-8") as file:
        key = file.readline().strip()
    if not key:
        raise ValueError(f"BATON_API_KEY_FILE: the first line of {path} is empty; it has to be the key")
    return key


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("baton", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except BaseException:
            self.sock.close()
            raise


def _is_dead(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side has closed a connection that nothing was asked on: then nothing is lost by a new one."""
    sock = connection.sock
    if sock is None:
        return False
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def backoff(first: float = 0.05, most: float = 2.0) -> Iterator[float]:
    """Growing pauses in seconds, with jitter so that many workers do not come back as one."""
    pause = first
    while True:
        yield pause * random.uniform(0.5, 1.0)
        pause = min(most, pause * 2)


class Transport:
    """Requests to one server. `timeout` is for one answer, in seconds; calls that wait add to it."""

    def __init__(self, endpoint: Endpoint, timeout: float = 60.0, user_agent: str = "baton-python") -> None:
        self.endpoint = endpoint
        self._timeout = timeout
        self._headers = {"User-Agent": user_agent}
        if endpoint.key and endpoint.url:
            self._headers["Authorization"] = f"Bearer {endpoint.key}"
        if endpoint.namespace:
            self._headers["X-Baton-Namespace"] = endpoint.namespace
        self._lock = threading.Lock()  # guards what follows
        self._idle: List[http.client.HTTPConnection] = []
        self._busy: Set[http.client.HTTPConnection] = set()
        self._process = os.getpid()  # that these connections belong to
        self._closed = False  # whoever asks nevertheless gets a connection for that request only

    def request(self, method: str, path: str, body: Optional[Union[bytes, Mapping[str, Any]]] = None, *,
                query: Optional[Mapping[str, Any]] = None, headers: Optional[Mapping[str, str]] = None,
                wait: float = 0.0, patience: float = 0.0, give_up: Callable[[], bool] = lambda: False) -> Tuple[int, Any]:
        """One request: its status, and its body as JSON or as text.

        `wait`: how long the server may keep the answer back. `patience`: for so many seconds the request is repeated when
        nobody answers; only for requests that may be repeated. Raises ApiError or Unavailable.
        """
        if query:
            words = {name: value for name, value in query.items() if value is not None}
            path += "?" + urllib.parse.urlencode(words) if words else ""
        if body is not None and not isinstance(body, bytes):
            body = encode(body, "what is sent")
        end = time.monotonic() + patience
        for pause in backoff():
            try:
                return self._once(method, path, body, headers, wait)
            except _CONNECTION_ERRORS as error:
                if isinstance(error, ssl.SSLCertVerificationError):
                    raise Unavailable(f"{self.endpoint}: {error.verify_message}") from error
                if time.monotonic() + pause > end or give_up():
                    raise self._unavailable(error) from error
            time.sleep(pause)
        raise AssertionError("pauses do not end")

    def stream(self, path: str, headers: Optional[Mapping[str, str]] = None) -> Iterator[bytes]:
        """The lines of an answer that comes over time, on a connection of its own. Raises as `request`."""
        connection = self._connect()
        try:
            connection.request("GET", path, headers={**self._headers, **(headers or {})})
            if connection.sock is not None:
                connection.sock.settimeout(None)  # silence is no error in a stream
            response = connection.getresponse()
            if response.status >= 400:
                raise _problem(response, response.read())
            for line in response:
                yield line
        except _CONNECTION_ERRORS as error:
            raise self._unavailable(error) from error
        finally:
            connection.close()

    def _unavailable(self, error: Exception) -> Unavailable:
        hint = ""
        if self.endpoint.socket is not None and isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
            hint = "; start `baton server`, or say where one is: BATON_URL, BATON_SOCKET, BATON_DATA"
        elif isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
            hint = "; does it speak http:// instead?"
        return Unavailable(f"{self.endpoint} does not answer: {error or type(error).__name__}{hint}")

    def close(self) -> None:
        """Ends all connections, those that wait for an answer included: their calls raise Unavailable."""
        with self._lock:
            self._closed = True
            connections = [*self._idle, *self._busy]
            self._idle.clear()
        for connection in connections:
            sock = connection.sock
            if sock is not None:
                try:
                    sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads
                except OSError:
                    pass
            connection.close()  # the descriptor stays open as long as a response is being read

    def _once(self, method: str, path: str, body: Optional[bytes], headers: Optional[Mapping[str, str]],
              wait: float) -> Tuple[int, Any]:
        every = dict(self._headers)
        if body is not None:
            every["Content-Type"] = "application/json"
        every.update(headers or {})
        connection = self._take()
        keep = False
        try:
            connection.timeout = self._timeout + wait
            if connection.sock is not None:
                connection.sock.settimeout(connection.timeout)
            connection.request(method, path, body, every)
            response = connection.getresponse()
            content = response.read()
            keep = not response.will_close
        finally:
            self._give_back(connection, keep)
        if response.status >= 400:
            raise _problem(response, content)
        if (response.getheader("Content-Type") or "").startswith("application/json"):
            return response.status, json.loads(content) if content else None
        return response.status, content.decode("utf-8", "replace")

    def _take(self) -> http.client.HTTPConnection:
        while True:
            with self._lock:
                if self._process != os.getpid():  # a fork: they are the parent's, who would get our answers
                    self._process = os.getpid()
                    for inherited in self._idle:
                        inherited.close()  # ours only
                    self._idle.clear()
                    self._busy.clear()
                connection = self._idle.pop() if self._idle else self._connect()
                self._busy.add(connection)
            if not _is_dead(connection):
                return connection
            self._give_back(connection, keep=False)

    def _give_back(self, connection: http.client.HTTPConnection, keep: bool) -> None:
        with self._lock:
            self._busy.discard(connection)
            keep = keep and not self._closed
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self.endpoint.socket is not None:
            return _UnixConnection(self.endpoint.socket, self._timeout)
        parts = urllib.parse.urlsplit(self.endpoint.url or "")
        host = parts.hostname or ""
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.endpoint.ca_file)
            return http.client.HTTPSConnection(host, parts.port, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(host, parts.port, timeout=self._timeout)


def _problem(response: http.client.HTTPResponse, content: bytes) -> Exception:
    try:
        problem = json.loads(content)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {"detail": content[:500].decode("utf-8", "replace").strip() or response.reason}
    after = response.getheader("Retry-After")
    if after is not None and after.isdigit():
        problem["retry_after"] = float(after)
    return api_error(response.status, problem)

"""Messages between a worker and its children: four bytes of length, then JSON or plain bytes."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!I")


def send(sock: socket.socket, *messages: bytes) -> None:
    """Sends messages in one piece. Raises OSError."""
    sock.sendall(b"".join(part for message in messages for part in (_LENGTH.pack(len(message)), message)))


def send_json(sock: socket.socket, value: Any) -> None:
    send(sock, json.dumps(value).encode())


def receive(sock: socket.socket) -> bytes:
    """The next message. Raises EOFError when the other side is gone."""
    (size,) = _LENGTH.unpack(_exactly(sock, _LENGTH.size))
    return _exactly(sock, size)


def receive_json(sock: socket.socket) -> Any:
    return json.loads(receive(sock))


def _exactly(sock: socket.socket, size: int) -> bytes:
    parts = []
    while size > 0:
        try:
            part = sock.recv(min(size, 1 << 20))
        except ConnectionError:
            part = b""
        if not part:
            raise EOFError("the other side is gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)

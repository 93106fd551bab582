"""A proxy between a client and a server, for what happens to messages on their way."""

import socket
import threading


def whole_message(connection):
    """One HTTP message: its header, and as many bytes as that says; what there is of it if the connection ends."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += (more := connection.recv(65536))
        if not more:
            return data
    header, body = data.split(b"\r\n\r\n", 1)
    sizes = [int(line.split(b":")[1]) for line in header.split(b"\r\n") if line.lower().startswith(b"content-length")]
    missing = (sizes[0] if sizes else 0) - len(body)
    while missing > 0:
        data += (more := connection.recv(65536))
        missing -= len(more)
        if not more:
            break
    return data


class Proxy:
    """Calls `_pass_on(client)`, in a thread of its own, for each connection to `listener`, which it owns. `close()` ends it."""

    def __init__(self, listener):
        self._listener = listener
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client):
        raise NotImplementedError

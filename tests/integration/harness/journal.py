"""The book that clients keep: what they were about to ask for, and each answer, durable before they go on."""

import http.client
import os
import threading

from .api import Answer

# Nobody knows whether it was stored. ValueError: the answer was cut in the middle.
NO_ANSWER = (OSError, http.client.HTTPException, ValueError)


class Journal:
    """Lines "KEY intent" and "KEY answer RUN", each with fsync. Threads may share it."""

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()
        self.intents = set()
        self.answers = {}  # key: the runs that were named, one for each answer

    def intend(self, key):
        self._write(f"{key} intent\n")
        with self._lock:
            self.intents.add(key)

    def answered(self, key, run):
        self._write(f"{key} answer {run}\n")
        with self._lock:
            self.answers.setdefault(key, []).append(run)

    def _write(self, line):
        os.write(self._file, line.encode())
        os.fsync(self._file)

    def acknowledged(self):
        with self._lock:
            return len(self.answers)

    def close(self):
        os.close(self._file)


def submit_until_answered(api, journal, key, definition, ready=lambda: True, stop=lambda: False, **fields):
    """Asks with the same key until there is an answer; returns its status, or None when told to stop."""
    journal.intend(key)
    while not stop():
        if not ready():
            continue
        try:
            status, run = api.submit(definition, key, job_id=key, **fields)
        except NO_ANSWER:
            continue
        except Answer as answer:
            if answer.status != 503:
                raise
            continue
        journal.answered(key, run["id"])
        return status
    return None

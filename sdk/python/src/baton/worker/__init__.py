"""Takes tasks from a server and carries them out: docs/reference/worker-protocol.md from the worker's side.

`worker.py` decides what to claim, to report and to stop; `link.py` makes the calls; a pool carries attempts out: threads and
coroutines in this process (`threads.py`, `coroutines.py`) or processes of their own (`processes.py`, `child.py`).
"""

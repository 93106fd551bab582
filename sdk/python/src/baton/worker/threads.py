"""Plain functions on threads of this process."""

from __future__ import annotations

import ctypes
import queue
import threading
from typing import Dict, List, Optional

from ..errors import Cancelled, cancelled
from ..results import Report, raised
from .pool import Hooks, Job, invoke


class _Slot:
    """A thread and what it has just now."""

    def __init__(self) -> None:
        self.lock = threading.Lock()  # guards job: an exception must not be raised into the next one
        self.job: Optional[Job] = None
        self.ident = 0
        self.abandoned = False


def _raise_in(ident: int, kind: Optional[type]) -> None:
    """Has a thread raise an exception between two of its next instructions; None takes it back if it has not yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(kind) if kind else None)


class ThreadPool:
    """`count` daemon threads. Stopping raises `Cancelled` in the handler as soon as it runs Python code again (a call into
    C that blocks is not cut short). A thread cannot be killed: a killed job is left alone and another thread takes its place."""

    def __init__(self, count: int, hooks: Hooks) -> None:
        self._count = count
        self._hooks = hooks
        self._jobs: "queue.SimpleQueue[Optional[Job]]" = queue.SimpleQueue()
        self._lock = threading.Lock()  # guards _slots
        self._slots: Dict[int, _Slot] = {}

    def start(self) -> None:
        for _ in range(self._count):
            self._add_thread()

    def submit(self, job: Job) -> None:
        self._jobs.put(job)

    def stop(self, job: Job, reason: str) -> None:
        job.context.stop(reason)
        slot = self._slot_of(job)
        if slot is not None:
            with slot.lock:
                if slot.job is job:
                    _raise_in(slot.ident, cancelled(reason))

    def kill(self, job: Job, report: Report) -> None:
        job.context.stop("cancelled")
        if not job.end(report):
            return
        slot = self._slot_of(job)
        if slot is not None:
            slot.abandoned = True
            self._add_thread()

    def take_back(self) -> List[Job]:
        jobs: List[Job] = []
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs
            if job is not None:
                jobs.append(job)

    def close(self) -> None:
        with self._lock:
            count = len(self._slots)
        for _ in range(count):
            self._jobs.put(None)

    def _slot_of(self, job: Job) -> Optional[_Slot]:
        with self._lock:
            return next((slot for slot in self._slots.values() if slot.job is job), None)

    def _add_thread(self) -> None:
        slot = _Slot()
        with self._lock:
            self._slots[id(slot)] = slot
        threading.Thread(target=self._work, args=(slot,), name="baton-pool", daemon=True).start()

    def _work(self, slot: _Slot) -> None:
        slot.ident = threading.get_ident()
        while not slot.abandoned:
            job = self._jobs.get()
            if job is None:
                break
            self._carry_out(slot, job)
        with self._lock:
            self._slots.pop(id(slot), None)

    def _carry_out(self, slot: _Slot, job: Job) -> None:
        if not job.is_open:
            return  # was killed before it began
        slot.job = job
        report: Optional[Report] = None
        try:
            report = self._hooks.before(job)
            if report is None:
                report = invoke(job.task, job.value, job.context)
            self._forget(slot)
        except Cancelled as error:
            # Raised by stop() while the handler was just returning; nothing is raised twice into one job.
            self._forget(slot)
            report = report or raised(error)
        if job.is_open:
            self._hooks.after(job, report, lambda: report.result)
        job.end(report)

    @staticmethod
    def _forget(slot: _Slot) -> None:
        with slot.lock:
            slot.job = None
            _raise_in(slot.ident, None)

"""What this process and all that it has started use, as Linux' /proc says."""

from __future__ import annotations

import os
import time
from typing import Dict, List, Optional, Tuple

EVERY = 5.0  # seconds; a look reads all of /proc


class UsageMeter:
    """One thread at a time."""

    def __init__(self) -> None:
        self._last: Dict[str, float] = {}
        self._looked: Optional[float] = None
        self._seconds = 0.0  # of the CPU, at that time

    def look(self) -> Dict[str, float]:
        """`cpu_percent` of one core since the last look (not at the first), and `memory_bytes` that are resident; what
        several processes share counts for each. The same again for a while. Empty without /proc."""
        now = time.monotonic()
        if self._looked is not None and now - self._looked < EVERY:
            return self._last
        try:
            seconds, memory = _totals()
        except OSError:
            return {}
        self._last = {"memory_bytes": memory}
        if self._looked is not None:  # a process that nobody waited for takes its time with it
            self._last["cpu_percent"] = round(max(0.0, seconds - self._seconds) / (now - self._looked) * 100, 1)
        self._looked, self._seconds = now, seconds
        return self._last


def _totals() -> Tuple[float, int]:
    """Seconds of the CPU and bytes."""
    stats = _stats()
    mine = str(os.getpid())
    ticks = pages = 0
    wanted = [mine]
    children: Dict[str, List[str]] = {}
    for pid, fields in stats.items():
        children.setdefault(fields[1], []).append(pid)
    while wanted:
        pid = wanted.pop()
        if pid not in stats:
            continue
        fields = stats.pop(pid)
        wanted += children.get(pid, [])
        ticks += sum(map(int, fields[11:15]))  # utime, stime, and both of children that it has waited for
        pages += int(fields[21])
    if not pages:
        raise OSError("this process is not in /proc")
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGESIZE")


def _stats() -> Dict[str, List[str]]:
    """Of all processes, the fields of proc(5)'s stat after the name: state, parent, …"""
    stats: Dict[str, List[str]] = {}
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                    stats[pid] = file.read().rpartition(") ")[2].split()
            except OSError:
                pass  # it has ended meanwhile
    return stats

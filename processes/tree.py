"""A process and all that it has started, as /proc shows them: a slot's command is often a shell, and what uses the device its child."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process; `started` (clock ticks since the node's boot) tells it from a later one that has the same id."""

    pid: int
    started: int

    def is_alive(self) -> bool:
        """Returns whether it runs still; one that has ended and was not waited for does not."""
        stat = _stat(self.pid)
        return stat is not None and stat.process == self and stat.state not in "ZX"

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, when it is still alive and ours to signal."""
        with suppress(ProcessLookupError, PermissionError):
            if self.is_alive():
                os.kill(self.pid, number)


@dataclass(frozen=True)
class Stat:
    """A process at one moment, see proc(5): `cpu_ticks` are its own and those of children that ended and were waited for."""

    process: Process
    state: str
    parent: int
    session: int
    cpu_ticks: int
    resident_pages: int


class ProcessTable:
    """All processes of the node that /proc shows at one moment."""

    def __init__(self) -> None:
        with os.scandir("/proc") as entries:
            numbers = [int(entry.name) for entry in entries if entry.name.isdigit()]
        self._stats = {number: stat for number in numbers if (stat := _stat(number))}
        self._children: defaultdict[int, list[int]] = defaultdict(list)
        for stat in self._stats.values():
            self._children[stat.parent].append(stat.process.pid)

    def tree(self, pid: int) -> tuple[Stat, ...]:
        """Returns the process and its descendants, parents first; nothing when it has ended. A daemon has left its parent."""
        found = [pid] if pid in self._stats else []
        for parent in found:
            found += self._children.get(parent, ())
        return tuple(self._stats[one] for one in found)

    def first_in_session(self, pid: int) -> int:
        """Returns its oldest ancestor in its session, or itself. The leader may have ended, or be in another PID namespace (id 0)."""
        session = self._stats[pid].session
        while (parent := self._stats.get(self._stats[pid].parent)) and parent.session == session:
            pid = parent.process.pid
        return pid


def tree_of(pid: int) -> tuple[Process, ...]:
    """Returns the process and its descendants now, as `ProcessTable.tree` does."""
    return tuple(stat.process for stat in ProcessTable().tree(pid))


def _stat(pid: int) -> Stat | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()  # the name before ")" may hold anything
    except (FileNotFoundError, ProcessLookupError):
        return None
    process = Process(pid, int(fields[19]))
    return Stat(process, fields[0].decode(), int(fields[1]), int(fields[3]), sum(map(int, fields[11:15])), int(fields[21]))

"""Processes told apart for certain: by pid with start time, and by a marker in their environment that their children inherit."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
# fields of /proc/<pid>/stat counted after the command's closing parenthesis (proc_pid_stat(5): state is field 3, starttime field 22)
_STATE, _START = 0, 19


@dataclass(frozen=True)
class Process:
    """A process by pid and start time (clock ticks since boot): a later one with the same pid is another one."""

    pid: int
    start: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this pid now; None for none, or for one that has ended and waits to be reaped."""
        try:
            fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[_STATE] in "ZX" else cls(pid, int(fields[_START]))

    def runs(self) -> bool:
        """Whether this very process still runs."""
        return Process.of(self.pid) == self

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send a signal to this process, or to the group that it leads, unless it has ended."""
        if self.runs():
            with suppress(ProcessLookupError):
                (os.killpg if group else os.kill)(self.pid, number)


def marked(marker: str) -> list[Process]:
    """All processes of ours whose environment held `marker` (NAME=value) when they started."""
    wanted = marker.encode()
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        process = Process.of(int(entry.name)) if wanted in environment.split(b"\0") else None
        if process:
            found.append(process)
    return found

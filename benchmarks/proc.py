"""What the kernel says of a process: memory, CPU time, and the port that it listens on."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LISTENS = "0A"
"""TCP_LISTEN in the column `st` of /proc/net/tcp (proc_pid_net(5))."""


@dataclass(frozen=True)
class Cost:
    """Resident memory in MiB, and seconds of CPU time since the start."""

    memory_mb: float
    cpu_s: float


def cost(pid: int) -> Cost:
    """Returns what a process uses now, its children not counted."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    ticks = int(fields[11]) + int(fields[12])
    return Cost(int(resident[1]) / 1024 if resident else 0.0, ticks / os.sysconf("SC_CLK_TCK"))


def listening_port(pid: int) -> int:
    """Returns the port that the process listens on, the first one of IPv4.

    Raises:
        LookupError: when there is none.
    """
    sockets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            sockets.add(str(entry.readlink()))
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTENS and f"socket:[{fields[9]}]" in sockets:
            return int(fields[1].partition(":")[2], 16)
    raise LookupError(f"process {pid} listens on no port")


def find(container_of: str, word: str) -> int:
    """Returns the process in a container of that application whose command line has this word.

    Raises:
        LookupError: when there is none.
    """
    digits = container_of.removeprefix("application_")
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            environ = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        if word in words[1:] and "bash" not in words[0] and re.search(rf"\0CONTAINER_ID=container_(e\d+_)?{digits}_", "\0" + environ):
            return int(entry.name)
    raise LookupError(f"no process of {container_of} runs {word}")

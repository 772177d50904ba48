"""What processes use, as /proc tells: memory and CPU of a container, of each slot in it.

Memory is resident memory (RSS), summed over the tree, so that what processes share counts several times: just that sum is what a
NodeManager holds against the container's limit (`ProcfsBasedProcessTree`, yarn.nodemanager.pmem-check-enabled). PSS would say better what
is used up, but not when the container is killed; and to find it out the kernel walks through each process's pages, under a lock of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from processes.tree import Process, ProcessTable, Stat

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MIB = 2**20


@dataclass(frozen=True)
class TreeUsage:
    """What a process and its descendants use: memory in MiB, CPU in percent of one core; `seconds` since it started."""

    memory_mb: int
    cpu_percent: float
    seconds: float


@dataclass(frozen=True)
class _Reading:
    at_s: float
    cpu_ticks: int


class UsageMeter:
    """CPU is the mean since the reading before; of a process that was not there then, since its start."""

    def __init__(self) -> None:
        self._before: dict[Process, _Reading] = {}

    def read(self, roots: Mapping[str, int]) -> dict[str, TreeUsage]:
        """Returns the usage of each process tree by the name that its root's id is given under; one that has ended is left out."""
        table = ProcessTable()
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        trees = {name: tree for name, pid in roots.items() if (tree := table.tree(pid))}
        usage = {name: self._usage(tree, now) for name, tree in trees.items()}
        self._before = {tree[0].process: _Reading(now, _cpu_ticks(tree)) for tree in trees.values()}
        return usage

    def _usage(self, tree: Sequence[Stat], now: float) -> TreeUsage:
        root = tree[0].process
        started_s = root.started / _TICKS_PER_S
        before = self._before.get(root, _Reading(started_s, 0))
        # ticks go away with a process whose parent has ended before it
        ticks = max(0, _cpu_ticks(tree) - before.cpu_ticks)
        elapsed_s = max(now - before.at_s, 1 / _TICKS_PER_S)
        return TreeUsage(
            memory_mb=sum(stat.resident_pages for stat in tree) * _PAGE_BYTES // _MIB,
            cpu_percent=round(100 * ticks / _TICKS_PER_S / elapsed_s, 1),
            seconds=round(now - started_s, 1),
        )


def _cpu_ticks(tree: Sequence[Stat]) -> int:
    return sum(stat.cpu_ticks for stat in tree)

"""Ending exactly what `up` started: the daemons by pid file, and whatever their containers left by the marker in its environment."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from minicluster.daemons import MARKER, read_pids
from minicluster.errors import ClusterError
from minicluster.layout import Layout
from minicluster.processes import Process, marked

logger = logging.getLogger(__name__)

# a NodeManager ends its containers itself: SIGTERM, yarn.nodemanager.sleep-delay-before-sigkill.ms (2 s), SIGKILL, and some slack
_NODEMANAGERS_S = 8.0
_TERM_S = 5.0
_KILL_S = 10.0
_POLL_S = 0.05


def stop_cluster(layout: Layout, identity: str) -> None:
    """End all processes of the cluster, NodeManagers first, so that they end their containers while YARN still stands.

    Raises:
        ClusterError: a process does not end even by SIGKILL.
    """
    daemons = read_pids(layout)
    nodemanagers = [process for name, process in daemons.items() if name.startswith("nm")]
    marker = f"{MARKER}={identity}"

    def left() -> list[Process]:
        return [process for process in {*daemons.values(), *marked(marker)} if process.runs()]

    _signal(nodemanagers, signal.SIGTERM)
    _wait(lambda: [process for process in nodemanagers if process.runs()], _NODEMANAGERS_S)
    _signal(left(), signal.SIGTERM)
    if _wait(left, _TERM_S):
        _signal(daemons.values(), signal.SIGKILL, group=True)
        _signal(left(), signal.SIGKILL)
    remaining = _wait(left, _KILL_S)
    if remaining:
        pids = ", ".join(str(process.pid) for process in remaining)
        raise ClusterError(
            f"processes {pids} of the cluster in {layout.work} do not end",
            "see what blocks them (ps -o pid,stat,wchan,cmd), then run down again",
        )
    for name in daemons:
        (layout.pid / name).unlink()
        _reap(daemons[name])


def stop_process(process: Process, number: signal.Signals) -> None:
    """Signal one daemon and wait for its end.

    Raises:
        ClusterError: it does not end in time.
    """
    process.signal(number)
    if _wait(lambda: [process] if process.runs() else [], _NODEMANAGERS_S):
        raise ClusterError(f"process {process.pid} does not end by {number.name}", "run down: it goes on to SIGKILL")
    _reap(process)


def _signal(processes: Iterable[Process], number: signal.Signals, *, group: bool = False) -> None:
    for process in processes:
        process.signal(number, group=group)
        process.signal(signal.SIGCONT, group=group)  # a paused one takes no other signal than SIGKILL


def _wait(left: Callable[[], list[Process]], limit_s: float) -> list[Process]:
    """Wait until none is left, and give back those that are when the time is over."""
    deadline = time.monotonic() + limit_s
    while (remaining := left()) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return remaining


def _reap(process: Process) -> None:
    """Collect the exit status where the daemon is this process's own child (a cluster started from Python)."""
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)

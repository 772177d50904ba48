"""Becomes a slot's command, which the kernel kills when the TaskManager dies: `python -I -S die_with_parent.py PARENT CPUS COMMAND…`.

CPUS are the numbers of those that the command may run on, joined by commas; blank leaves it those that it has.

A program of its own rather than a `preexec_fn`: that makes subprocess fork for real, and gRPC's fork handlers then abort the child now and
then (seen: SIGABRT, "epoll_wait error: Bad file descriptor"). Without one subprocess uses vfork, which runs no handlers.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when the thread that started it ends; it stays over exec."""

CANT_START = 127
"""The shell's exit code for a command that can't be started."""


def main() -> int:
    """Returns only when the command can't be started."""
    parent, cpus, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        return 128 + signal.SIGKILL  # the TaskManager died before the kernel knew of it
    _bind(cpus)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]} can't be started: {error.strerror}\n")
        return CANT_START


def _bind(cpus: str) -> None:
    try:
        if cpus:
            os.sched_setaffinity(0, map(int, cpus.split(",")))
    except OSError as error:  # CPUs can be taken from a container while it runs
        sys.stderr.write(f"not bound to the CPUs {cpus}: {error.strerror}\n")


if __name__ == "__main__":
    sys.exit(main())

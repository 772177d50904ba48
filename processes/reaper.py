"""Runs a command and outlives all that it starts: `python -I -S reaper.py PARENT GRACE CPUS COMMAND…`.

It is to a slot, or to the job's main, what init is to a machine: orphans fall to it, whatever session they have gone into (prctl(2),
PR_SET_CHILD_SUBREAPER). Once the command has ended, what it has left behind has GRACE seconds from SIGTERM to SIGKILL. The reaper ends
last, with the command's exit code; so its end says that nothing of the command runs any more, and that no lease is held by it.

SIGTERM does the same to a command that still runs. SIGHUP, which the kernel sends when PARENT dies, kills all at once.

CPUS are the numbers of those that the command may run on, joined by commas; blank leaves it those that it has.

A program of its own rather than a `preexec_fn`: that makes subprocess fork for real, and gRPC's fork handlers then abort the child now and
then (seen: SIGABRT, "epoll_wait error: Bad file descriptor"). Without one subprocess uses vfork, which runs no handlers.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys
import time
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when the thread that started it ends; it stays over exec."""

_PR_SET_CHILD_SUBREAPER = 36

_WAITED_FOR = (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP)

KILLED_S = 2.0
"""How long the end of killed processes is waited for: one that waits for a lost device in the kernel can't end."""

_AGAIN_S = 0.02
"""Between two SIGKILLs: what forked between the look for it and the signal was missed."""

_CANT_START = 127
"""The shell's exit code for a command that can't be started."""

_KILLED = 128 + signal.SIGKILL


class Reaper:
    """What has become of the command so far, and when the rest is killed."""

    def __init__(self, command: int, grace_s: float) -> None:
        self._command, self._grace_s = command, grace_s
        self._code: int | None = None
        self._kill_at = math.inf

    def run(self) -> int:
        """Returns the command's exit code once nothing is left of it, or what is left can't be ended."""
        while self._reap():
            if self._code is not None:
                self._terminate()
            left = self._kill_at - time.monotonic()
            if left < -KILLED_S:
                _say(f"not ended within {KILLED_S:g} s of SIGKILL, a device may hold them: {_descendants()}")
                break
            if left <= 0:
                _send(signal.SIGKILL)
            self._obey(_next_signal(left if left > 0 else _AGAIN_S))
        return _KILLED if self._code is None else self._code

    def _reap(self) -> bool:
        """Takes note of those that have ended; returns whether others are left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            if pid == self._command:
                code = os.waitstatus_to_exitcode(status)
                self._code = code if code >= 0 else 128 - code

    def _obey(self, number: int | None) -> None:
        if number == signal.SIGTERM:
            self._terminate()
        elif number == signal.SIGHUP:
            self._kill_at = min(self._kill_at, time.monotonic())

    def _terminate(self) -> None:
        if self._kill_at == math.inf:
            self._kill_at = time.monotonic() + self._grace_s
            _send(signal.SIGTERM)


def main() -> int:
    """Returns the exit code."""
    parent, grace, cpus, *command = sys.argv[1:]
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGHUP)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
    if os.getppid() != int(parent):
        return _KILLED  # it died before the kernel knew of it
    reaper = os.getpid()
    told, tell = os.pipe()
    pid = os.fork()
    if not pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(tell)
        os.read(told, 1)
        os._exit(_become(command, cpus, reaper))
    # The command stays in the container's process group, so that YARN's signals reach it. We leave it, before the command begins: when YARN
    # kills the group, someone has to be left who ends what has left it, too.
    os.setsid()
    os.close(tell)
    return Reaper(pid, float(grace)).run()


def _become(command: list[str], cpus: str, reaper: int) -> int:
    """Returns only when the command can't be started."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != reaper:
        return _KILLED
    _bind(cpus)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, and exec would leave so
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        _say(f"{command[0]} can't be started: {error.strerror}")
        return _CANT_START


def _next_signal(timeout_s: float) -> int | None:
    """Returns the next one of those that are waited for; None when none has come in time."""
    happened = signal.sigwaitinfo(_WAITED_FOR) if timeout_s == math.inf else signal.sigtimedwait(_WAITED_FOR, timeout_s)
    return happened.si_signo if happened else None


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value)


def _bind(cpus: str) -> None:
    try:
        if cpus:
            os.sched_setaffinity(0, map(int, cpus.split(",")))
    except OSError as error:  # CPUs can be taken from a container while it runs
        _say(f"not bound to the CPUs {cpus}: {error.strerror}")


def _say(words: str) -> None:
    with suppress(OSError):  # nobody may read it any more
        os.write(2, f"{words}\n".encode())


def _send(number: signal.Signals) -> None:
    for pid in _descendants():
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _descendants() -> list[int]:
    """Returns all that we have to end, parents first. The imports of `processes.tree` would take 3 MB more of each slot's memory."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - see above
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123 - see above
            parents[int(name)] = int(stat.read().rpartition(b")")[2].split()[1])
    found = [os.getpid()]
    for parent in found:
        found += [pid for pid, its_parent in parents.items() if its_parent == parent]
    return found[1:]


if __name__ == "__main__":
    sys.exit(main())

"""Starts and ends a user's command, with all that it starts: see `processes.reaper`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from processes import reaper
from processes.tree import Process, tree_of

_POLL_S = 0.02
"""Nothing tells of the end of a process that is not our child."""


class ReapedProcess:
    """A command and what it starts. Start it from the main thread: it is killed when the thread that started it ends.

    Args:
        command: what to run.
        environment: all its variables.
        directory: where it runs.
        output: gets its standard output; standard error is a pipe, `errors`.
        grace_s: seconds from SIGTERM to SIGKILL, when it is stopped, and for what it leaves behind.
        cpus: what it may run on; none: as this process.
        descriptors: files that it inherits; they stay open until nothing of it runs any more.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        output: IO[bytes],
        grace_s: float,
        cpus: Iterable[int] = (),
        descriptors: Sequence[int] = (),
    ) -> None:
        self._grace_s = grace_s
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper.__file__, str(os.getpid()), str(grace_s), ",".join(map(str, cpus)), *command],
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            pass_fds=tuple(descriptors),
        )
        assert self._process.stderr is not None
        self.errors: IO[bytes] = self._process.stderr

    @property
    def pid(self) -> int | None:
        """Returns the id of the process above all of it; None when nothing runs any more: then the id may be another's."""
        return self._process.pid if self._process.poll() is None else None

    def wait(self) -> int:
        """Returns the command's exit code, 128 + n for signal n, as a shell does, once nothing of it runs any more."""
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def stop(self, *, at_once: bool = False) -> bool:
        """Ends it: SIGTERM, and SIGKILL for what still runs after the grace period, or SIGKILL `at_once`.

        Returns:
            Whether nothing of it runs any more; what waits for a lost device in the kernel can't end.
        """
        self._process.send_signal(signal.SIGHUP if at_once else signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait((0.0 if at_once else self._grace_s) + 2 * reaper.KILLED_S)
            return True
        return _kill(tree_of(self._process.pid))  # the reaper was stopped, or hangs itself


def _kill(tree: Sequence[Process]) -> bool:
    for process in tree:
        process.send(signal.SIGKILL)
    deadline = time.monotonic() + reaper.KILLED_S
    while any(process.is_alive() for process in tree):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True

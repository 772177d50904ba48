"""Runs one short program to its end: within a time limit, whatever it prints, and with nothing of it left behind."""

from __future__ import annotations

import errno
import logging
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

logger = logging.getLogger(__name__)

HEAD_BYTES = 64 * 1024
"""How much of an output's beginning is kept, in bytes."""

TAIL_BYTES = 4096
"""How much of an output's end is kept, in bytes."""

LINGER_SECONDS = 1.0
"""How long output may still come after a program's exit: a `tee` behind it flushes then, but a background process never closes the pipe."""

REAP_SECONDS = 1.0
"""How long a killed program may take to go: one that hangs in a device driver's call can't be killed, and isn't waited for."""


@dataclass
class Output:
    """The beginning and the end of what was printed to one pipe; what lies between is dropped while it runs."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytes = b""
    size: int = 0

    def take(self, chunk: bytes) -> None:
        """Keeps of the next piece what is to be kept."""
        self.head += chunk[: HEAD_BYTES - len(self.head)]
        self.tail = (self.tail + chunk)[-TAIL_BYTES:]
        self.size += len(chunk)

    def beginning(self) -> str:
        """The first `HEAD_BYTES` as text."""
        return self.head.decode(errors="replace")

    def end(self) -> str:
        """The last `TAIL_BYTES` as text, without blank lines around it."""
        return self.tail.decode(errors="replace").strip()

    def is_cut(self) -> bool:
        """Whether `beginning()` isn't all."""
        return self.size > len(self.head)


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes:
        code: its exit status, negative for the signal that ended it; None when it ran into the time limit and was killed.
        stdout: what it printed.
        stderr: what it said besides.
    """

    code: int | None
    stdout: Output
    stderr: Output


def run_to_end(command: Sequence[str], environment: Mapping[str, str], limit: float) -> Ended:
    """Runs `command` as a direct child in a process group of its own, and kills the whole group in the end.

    Args:
        command: the program's path and its arguments; no shell reads them.
        environment: all the environment variables that it gets.
        limit: seconds that it may take.

    Raises:
        OSError: when it can't be started.
    """
    deadline = time.monotonic() + limit
    process = _start(command, environment)
    try:
        stdout, stderr, exited = _follow(process, deadline)
    finally:
        _end(process)
    return Ended(process.returncode if exited else None, stdout, stderr)


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    def start(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            arguments,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    try:
        return start(command)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        # Java starts a script without a `#!` line through the shell, so Flink's users may have one
        return start(["/bin/sh", *command])


def _follow(process: subprocess.Popen[bytes], deadline: float) -> tuple[Output, Output, bool]:
    """Reads both pipes until they are closed and the program has exited; returns what came, and whether it has exited in time."""
    assert process.stdout is not None
    assert process.stderr is not None
    outputs: dict[IO[bytes], Output] = {process.stdout: Output(), process.stderr: Output()}
    exited = False
    with selectors.DefaultSelector() as selector, os.fdopen(_exit_of(process.pid), "rb", 0) as exit_pipe:
        for pipe in (*outputs, exit_pipe):
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if chunk := os.read(key.fd, 65536):
                    outputs[key.fileobj].take(chunk)  # type: ignore[index]
                    continue
                selector.unregister(key.fileobj)
                if key.fileobj is exit_pipe:
                    exited = True
                    deadline = min(deadline, time.monotonic() + LINGER_SECONDS)
    return outputs[process.stdout], outputs[process.stderr], exited


def _exit_of(pid: int) -> int:
    """Returns a descriptor that comes to its end when the child exits: one wait serves it and the pipes (a pidfd needs Linux 5.3)."""
    read_end, write_end = os.pipe()

    def wait() -> None:
        # a child that was killed may be reaped before this thread wakes up; then nobody reads the other end any more
        with os.fdopen(write_end, "wb"), suppress(ChildProcessError):
            # the child stays a zombie, and so its process group's number stays its own
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    threading.Thread(target=wait, name=f"exit of {pid}", daemon=True).start()
    return read_end


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills what is left of the group, the program included, and forgets it."""
    # before the program is reaped: until then no other group can have this number
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except PermissionError:
        logger.warning("Process %d runs as another user (setuid) and can't be killed", process.pid)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(REAP_SECONDS)
    except subprocess.TimeoutExpired:
        logger.warning("Process %d was killed but does not end; it probably hangs in a call of a device's kernel module", process.pid)

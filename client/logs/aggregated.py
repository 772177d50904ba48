"""Aggregated logs of an ended application, read by Hadoop's own reader: `yarn logs` knows every layout and format of its version."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from client.errors import ENVIRONMENT, ClientError
from client.logs.files import LogFile
from client.logs.frame import CHUNK, content, next_frame
from client.skein_driver.driver_log import meaningful_line

_QUICK_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Halves the start of a short-lived JVM."""

_NONE = "Can not find the logs for the application"
"""What `yarn logs` of 3.1 to 3.5 says, beside its exit code 255, when there are none."""


class AggregatedLogs:
    """See `client.logs.source.Source`. Holds everything in a file of this machine, since `yarn logs` gives it in an order of its own, once.

    `failure` is why more could not be read, empty when all was.
    """

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self._pieces: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self.failure = ""

    def fill(self, stream: IO[bytes]) -> None:
        """Takes in what `yarn logs` writes. A file that was aggregated in parts comes in parts."""
        while frame := next_frame(stream):
            begins = self._spool.tell()
            for piece in content(stream, frame.length):
                self._spool.write(piece)
            self._pieces.setdefault((frame.container, frame.name), []).append((begins, self._spool.tell() - begins))

    def files(self) -> list[LogFile]:
        """Returns the files of all containers."""
        return [LogFile(container, name, sum(size for _, size in parts)) for (container, name), parts in self._pieces.items()]

    def read(self, file: LogFile, start: int) -> Iterator[bytes]:
        """Yields a file from `start` on."""
        for begins, size in self._pieces.get((file.container, file.name), ()):
            skipped = min(start, size)
            start -= skipped
            yield from self._range(begins + skipped, size - skipped)

    def _range(self, begins: int, size: int) -> Iterator[bytes]:
        while size > 0:
            self._spool.seek(begins)
            piece = self._spool.read(min(CHUNK, size))
            yield piece
            begins, size = begins + len(piece), size - len(piece)


@contextmanager
def aggregated(application: str, owner: str, environ: Mapping[str, str]) -> Iterator[AggregatedLogs]:
    """Reads the aggregated logs of `owner`'s application; gone when the context ends. There may be none.

    Raises:
        ClientError: when there is no Hadoop client here, or it can't read them.
    """
    command = [_program(environ), "logs", "-applicationId", application, "-appOwner", owner]
    options = " ".join(filter(None, (_QUICK_JVM, environ.get("HADOOP_CLIENT_OPTS"))))
    with tempfile.TemporaryFile(prefix="treadle-logs-") as spool, tempfile.TemporaryFile() as errors:
        logs = AggregatedLogs(spool)
        environment = {**environ, "HADOOP_CLIENT_OPTS": options}
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as process:
            assert process.stdout is not None
            try:
                logs.fill(process.stdout)
            except BaseException:
                process.kill()
                raise
        said = _said(errors)
        if process.returncode and _NONE not in said:
            failure = _unreadable(application, said)
            if not logs.files():
                raise failure
            logs.failure = failure.cause
        yield logs


def _program(environ: Mapping[str, str]) -> str:
    """Returns `yarn` from PATH, as skein finds it, or else of HADOOP_HOME."""
    homes = [str(Path(home, "bin")) for home in (environ.get("HADOOP_YARN_HOME"), environ.get("HADOOP_HOME")) if home]
    found = shutil.which("yarn", path=os.pathsep.join([environ.get("PATH", os.defpath), *homes]))
    if found is None:
        cause = "no Hadoop client here: its `yarn logs` reads the logs of applications that have ended, and there is no `yarn` on PATH"
        raise ClientError(cause, "put Hadoop's bin directory on PATH, or set HADOOP_HOME", ENVIRONMENT)
    return found


def _said(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read().decode(errors="replace")


def _unreadable(application: str, said: str) -> ClientError:
    cause = f"the logs of {application} can't be read: {meaningful_line('', said)}"
    remedy = f"run `yarn logs -applicationId {application}` and mend what it reports; they are kept for yarn.log-aggregation.retain-seconds"
    return ClientError(cause, remedy, ENVIRONMENT)

"""Containers of `--master local[N]`: TaskManagers as plain processes of this machine, each in a directory of its own."""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from protocol.launch import CERTIFICATE, FILE, KEY, TREADLE_ZIP
from protocol.local_store import SOCKET
from protocol.outcome import Outcome
from yarn_am.events import Completed, Granted

logger = logging.getLogger(__name__)

NODE = "localhost"
_PREFIX = "local-"

GRACE_S = 5.0
"""Seconds between SIGTERM and SIGKILL at the end."""


class LocalContainers:
    """See `yarn_am.containers.Containers`.

    Args:
        directory: the application's; a directory for each TaskManager is made in it, such as `tm-0`.
        groups: how many TaskManagers of each group.
        shipped: names in it of what travels with the job; each TaskManager finds them in its own.
    """

    def __init__(self, directory: Path, groups: Mapping[str, int], shipped: Sequence[str]) -> None:
        self._directory, self._groups, self._shipped = directory, groups, shipped
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._events: queue.SimpleQueue[Granted | Completed | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Starts all TaskManagers at once."""
        for group, count in self._groups.items():
            for i in range(count):
                self._start(f"{group}-{i}")

    def events(self) -> Iterator[Granted | Completed]:
        """Yields a grant for each process started, a completion for each that ended."""
        while (event := self._events.get()) is not None:
            yield event

    def request(self, task_manager_id: str, group: str) -> None:
        """Starts one more; the group is in its name."""
        self._start(task_manager_id)

    def stop(self, container_id: str) -> str | None:
        """Ends a TaskManager and what it started, at once."""
        name = container_id.removeprefix(_PREFIX)
        _signal_group(self._processes[name], signal.SIGKILL)
        return name

    def exclude(self, hosts: Collection[str]) -> None:
        """There is one node, which is never excluded."""

    def publish(self, url: str) -> None:
        """Leaves the address in `am.json` for the follower, whole or not at all."""
        temporary = self._directory / ".am.json"
        temporary.write_text(f'{{"rest": "{url}"}}\n')
        temporary.rename(self._directory / "am.json")

    def finish(self, outcome: Outcome, *, retriable: bool = False) -> None:
        """Ends every TaskManager and what it started; there is one attempt."""
        for process in self._processes.values():
            _signal_group(process, signal.SIGTERM)
        for name, process in self._processes.items():
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                logger.warning("Killing TaskManager %s, which did not end within %g s", name, GRACE_S)
            _signal_group(process, signal.SIGKILL)
            process.wait()
        self._events.put(None)

    def _start(self, name: str) -> None:
        directory = self._directory / name
        directory.mkdir()
        for shared in (FILE, TREADLE_ZIP, CERTIFICATE, KEY, *self._shipped):
            (directory / shared).symlink_to(Path("..") / shared)
        command = [sys.executable, "-I", "-m", "task_manager", "--launch", FILE, "--local", f"../{SOCKET}", "--id", name]
        with (directory / "taskmanager.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._processes[name] = process
        self._events.put(Granted(f"{_PREFIX}{name}", NODE, {}))
        threading.Thread(target=self._wait, args=(name, process), daemon=True).start()

    def _wait(self, name: str, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        self._events.put(Completed(f"{_PREFIX}{name}", name, code if code >= 0 else 128 - code, ""))


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        logger.debug("Process group %d has ended already", process.pid)

"""What holds an application's log files: NodeManagers while it runs, aggregated logs afterwards, or a directory of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from client.logs import files as log_files
from client.logs.files import LogFile, Task

_IDENTITY_BYTES = 4096
"""Bytes of a TaskManager's log among which its id is."""


class Source(Protocol):
    """Where log files are read; a file that is gone at its turn is as one without content."""

    def files(self) -> list[LogFile]:
        """Returns the files that are there now."""

    def read(self, file: LogFile, start: int) -> Iterator[bytes]:
        """Yields a file's content from byte `start` on, to where it ends now."""


class Naming:
    """Knows which TaskManager a container is, from the first words of its log, once it has said so."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def tasks(self, source: Source, files: list[LogFile], *, patient: bool) -> dict[LogFile, Task]:
        """Returns whose output each file is, without those that are nobody's.

        `patient` leaves out a container that has not said yet what it is; otherwise YARN's number names it.
        """
        containers: dict[str, list[LogFile]] = {}
        for file in files:
            containers.setdefault(file.container, []).append(file)
        named: dict[LogFile, Task] = {}
        for container, group in containers.items():
            owner = self._owner(source, container, group) or ("" if patient else log_files.nameless(container))
            named |= {file: task for file in group if owner and (task := log_files.task(file, owner)) is not None}
        return named

    def _owner(self, source: Source, container: str, files: list[LogFile]) -> str | None:
        if container not in self._owners and (owner := _owner(source, files)) is not None:
            self._owners[container] = owner
        return self._owners.get(container)


def _owner(source: Source, files: list[LogFile]) -> str | None:
    if log_files.is_master(file.name for file in files):
        return "am"
    heads = (_head(source, file).decode(errors="replace") for file in files if log_files.may_identify(file.name))
    return next((owner for words in heads if (owner := log_files.task_manager(words)) is not None), None)


def _head(source: Source, file: LogFile) -> bytes:
    """Returns a file's first bytes."""
    words = b""
    for piece in source.read(file, 0):
        words += piece
        if len(words) >= _IDENTITY_BYTES:
            break
    return words[:_IDENTITY_BYTES]

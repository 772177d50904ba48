"""Log files of a local application: they lie in its directory, each TaskManager's in one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from client.logs.files import LogFile
from client.logs.frame import CHUNK

_SUFFIXES = (".log", ".err")
_MASTER = "local-am"


class LogDirectory:
    """See `client.logs.source.Source`. Containers are named as `yarn_am.local_containers` names them, by the directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def files(self) -> list[LogFile]:
        """Returns the log files of the application master and of all TaskManagers."""
        homes = {_MASTER: self._directory} | {f"local-{log.parent.name}": log.parent for log in self._directory.glob("*/*.log")}
        return [
            LogFile(container, path.name, path.stat().st_size)
            for container, home in homes.items()
            for path in sorted(home.iterdir())
            if path.suffix in _SUFFIXES
        ]

    def read(self, file: LogFile, start: int) -> Iterator[bytes]:
        """Yields a file from `start` on."""
        home = self._directory if file.container == _MASTER else self._directory / file.container.removeprefix("local-")
        with (home / file.name).open("rb") as stream:
            stream.seek(start)
            while piece := stream.read(CHUNK):
                yield piece

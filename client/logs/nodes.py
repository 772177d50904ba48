"""Log files that lie on NodeManagers, read over their REST; no JVM. They serve a container's files until its application's end."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from client.hadoop import rest
from client.logs.files import LogFile
from client.logs.frame import content, next_frame
from client.yarn.application_containers import Container

logger = logging.getLogger(__name__)

_AT_ONCE = 8
_LOCAL = "LOCAL"
"""YARN's `ContainerLogAggregationType` of files on the node's own disk."""

_GROWTH = 1 << 16
"""Bytes asked for beyond those known: a file grows between the look at its size and the request."""


class NodeManagers:
    """See `client.logs.source.Source`. `silent` tells of containers whose files could not be listed at the last look, and why."""

    def __init__(self) -> None:
        self._nodes: dict[str, str] = {}
        self.silent: dict[str, str] = {}

    def know(self, containers: Iterable[Container]) -> None:
        """Adds containers; those that YARN lists no more stay, since their files do."""
        self._nodes |= {container.id: container.node for container in containers}

    def files(self) -> list[LogFile]:
        """Returns the files of all known containers, those of silent nodes left out."""
        self.silent = {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return [file for files in pool.map(self._files, self._nodes) for file in files]

    def read(self, file: LogFile, start: int) -> Iterator[bytes]:
        """Yields what is there from `start` on.

        A NodeManager gives the first or the last n bytes, and says with them how long the file is by now.

        Raises:
            rest.RestError: when the node does not give it.
        """
        wanted = max(0, file.size - start) + _GROWTH
        while True:
            with rest.stream(f"{self._logs(file.container)}/{quote(file.name, safe='')}?size=-{wanted}") as response:
                frame = next_frame(response)
                if frame is None:  # an empty file
                    return
                given = min(wanted, frame.length)
                begins = frame.length - given
                if begins <= start:
                    yield from _from(content(response, given), start - begins)
                    return
            wanted = frame.length - start + _GROWTH

    def _files(self, container: str) -> list[LogFile]:
        try:
            return _listed(container, rest.get_json(self._logs(container)))
        except rest.RestError as error:
            logger.debug("no list of the logs of %s: %s", container, error)
            self.silent[container] = str(error)
            return []

    def _logs(self, container: str) -> str:
        return f"{self._nodes[container]}/ws/v1/node/containers/{container}/logs"


def _listed(container: str, tree: Any) -> list[LogFile]:
    """One object, or a list of them where some files were aggregated already."""
    infos = (tree or {}).get("containerLogsInfo") or []
    infos = [infos] if isinstance(infos, dict) else infos
    found = [item for info in infos if info.get("logAggregationType", _LOCAL) == _LOCAL for item in _several(info.get("containerLogInfo"))]
    return [LogFile(container, str(item["fileName"]), int(item.get("fileSize") or 0)) for item in found]


def _several(tree: Any) -> list[Any]:
    if not tree:
        return []
    return tree if isinstance(tree, list) else [tree]


def _from(pieces: Iterator[bytes], start: int) -> Iterator[bytes]:
    """Drops the first `start` bytes."""
    for piece in pieces:
        if start < len(piece):
            yield piece[start:]
        start = max(0, start - len(piece))

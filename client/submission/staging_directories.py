"""The directories on HDFS that skein stages applications in, seen and deleted by hdfs-native, without a JVM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from client.application.lookup import is_application_id
from client.hadoop import hdfs_address
from client.hadoop.configuration import HadoopConfiguration

_OURS = "/treadle.zip"
"""What is in every application's directory that Treadle submitted, and in no other one of skein's."""


@dataclass(frozen=True)
class Staged:
    """An application's directory, and when it was made: seconds since the epoch."""

    application: str
    since: float


class StagingDirectories:
    """Those of one user; nothing is connected before it is used.

    What goes wrong is an OSError or RuntimeError, also where the default file system is no HDFS.
    """

    def __init__(self, hadoop: HadoopConfiguration, user: str) -> None:
        self._hadoop = hadoop
        self._path = hdfs_address.staging(hadoop, user)
        self._connected: Any = None

    def applications(self) -> list[Staged]:
        """Returns the directories that are there."""
        try:
            found = list(self._client().list_status(self._path))
        except FileNotFoundError:
            return []
        named = [(str(each.path).rpartition("/")[2], each.modification_time / 1000) for each in found if each.isdir]
        return [Staged(name, since) for name, since in named if is_application_id(name)]

    def is_ours(self, application: str) -> bool:
        """Returns whether Treadle submitted it, and not another program by skein."""
        return any(str(each.path).endswith(_OURS) for each in self._client().list_status(f"{self._path}/{application}", True))

    def delete(self, application: str) -> bool:
        """Deletes an application's directory, and returns whether there was one."""
        return bool(self._client().delete(f"{self._path}/{application}", True))

    def _client(self) -> Any:
        if self._connected is None:
            from hdfs_native import Client

            uri = self._hadoop.default_filesystem()
            if not uri.startswith("hdfs:"):
                raise OSError(f"fs.defaultFS is {uri}, which is no HDFS")
            self._connected = Client(hdfs_address.url(self._hadoop, uri), config=hdfs_address.settings(self._hadoop))
        return self._connected

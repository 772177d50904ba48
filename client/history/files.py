"""The directory of histories, read: on HDFS by hdfs-native, without a JVM, or on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from client.errors import ENVIRONMENT, ClientError
from protocol.history import HistoryDirectory


class HistoryFiles(Protocol):
    """A directory with a directory in it for each application; what is not there raises FileNotFoundError, all else ClientError."""

    def applications(self) -> list[str]:
        """Returns the names of its directories, that changed last first."""

    def names(self, application: str) -> list[str]:
        """Returns the names of an application's files."""

    def read(self, application: str, name: str) -> bytes:
        """Returns the content of a file."""


class LocalHistoryFiles:
    """On this machine."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def applications(self) -> list[str]:
        """See `HistoryFiles`."""
        found = [each for each in self._directory.iterdir() if each.is_dir()]
        return [each.name for each in sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)]

    def names(self, application: str) -> list[str]:
        """See `HistoryFiles`."""
        return [each.name for each in (self._directory / application).iterdir()]

    def read(self, application: str, name: str) -> bytes:
        """See `HistoryFiles`."""
        return (self._directory / application / name).read_bytes()


class HdfsHistoryFiles:
    """On HDFS."""

    def __init__(self, directory: HistoryDirectory) -> None:
        self._directory = directory
        self._connected: Any = None

    def applications(self) -> list[str]:
        """See `HistoryFiles`."""
        found = [each for each in self._list(self._directory.path) if each.isdir]
        return [_name(each) for each in sorted(found, key=lambda each: each.modification_time, reverse=True)]

    def names(self, application: str) -> list[str]:
        """See `HistoryFiles`."""
        return [_name(each) for each in self._list(f"{self._directory.path}/{application}")]

    def read(self, application: str, name: str) -> bytes:
        """See `HistoryFiles`."""
        path = f"{self._directory.path}/{application}/{name}"
        with self._errors(path):
            return bytes(self._client().read(path).read())

    def _list(self, path: str) -> list[Any]:
        with self._errors(path):
            return list(self._client().list_status(path))

    def _client(self) -> Any:
        if self._connected is None:
            from hdfs_native import Client

            self._connected = Client(self._directory.url, config=dict(self._directory.settings))
        return self._connected

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except (OSError, RuntimeError) as error:
            # a Java trace comes with line ends, or as Rust prints a text, with their escapes
            said = re.split(r"\n|\\n", str(error).strip(), maxsplit=1)[0]
            raise ClientError(f"{self._directory.url}{path} can't be read: {said}", _remedy(said), ENVIRONMENT) from error


def open_files(directory: HistoryDirectory) -> HistoryFiles:
    """Returns what reads a directory; nothing is connected yet."""
    if urlsplit(directory.url).scheme == "file":
        return LocalHistoryFiles(Path(directory.path))
    return HdfsHistoryFiles(directory)


def _name(status: Any) -> str:
    return str(status.path).rstrip("/").rpartition("/")[2]


def _remedy(said: str) -> str:
    if "Permission denied" in said or "AccessControl" in said:
        return "ask its owner, or name another directory with --dir"
    if "GSS" in said or "Kerberos" in said or "SASL" in said.upper():
        return "run `kinit`"
    return "`submit doctor` looks into HDFS"

"""Where the application master's history goes: a directory on HDFS, by hdfs-native, without a JVM; or on this machine."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from protocol.history import HistoryDirectory

_FILE_MODE, _DIRECTORY_MODE = 0o640, 0o750
"""A history shows what its owner ran; the group of the directory that it lies in may read it."""


class HistoryError(Exception):
    """The file system did not do its part; one line."""


class HistoryStore(Protocol):
    """One application's directory."""

    def write(self, name: str, data: bytes) -> None:
        """Writes a file whole, in place of any before; raises HistoryError."""

    def mark(self, name: str) -> None:
        """Writes an empty file; raises HistoryError."""


class LocalHistoryStore:
    """On this machine."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, name: str, data: bytes) -> None:
        """See `HistoryStore`."""
        temporary = self._directory / f".{name}.writing"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_bytes(data)
            temporary.replace(self._directory / name)
        except OSError as error:
            raise HistoryError(f"{self._directory / name}: {error.strerror}") from error

    def mark(self, name: str) -> None:
        """See `HistoryStore`."""
        self.write(name, b"")


class HdfsHistoryStore:
    """On HDFS; connected when something is first written."""

    def __init__(self, directory: HistoryDirectory, application: str, environ: Mapping[str, str]) -> None:
        self._url = _url(directory, environ)
        self._settings = dict(directory.settings)
        self._parent, self._directory = directory.path, f"{directory.path.rstrip('/')}/{application}"
        self._client: Any = None

    def write(self, name: str, data: bytes) -> None:
        """See `HistoryStore`; a rename puts it in place, so that whoever reads meets the whole of one or the other."""
        self._attempt(name, data)

    def mark(self, name: str) -> None:
        """See `HistoryStore`."""
        self._attempt(name, b"")

    def _attempt(self, name: str, data: bytes) -> None:
        path, temporary = f"{self._directory}/{name}", f"{self._directory}/.{name}.writing"
        try:
            from hdfs_native import WriteOptions

            client = self._connected()
            if not data:
                client.create(path, WriteOptions(permission=_FILE_MODE, overwrite=True)).close()
                return
            with client.create(temporary, WriteOptions(permission=_FILE_MODE, overwrite=True)) as file:
                file.write(data)
            client.rename(temporary, path, overwrite=True)
        except Exception as error:
            raise HistoryError(f"{self._url}{path}: {_first_line(error)}") from error
        except BaseException as error:  # how a panic of hdfs-native's arrives
            if type(error).__name__ != "PanicException":
                raise
            raise HistoryError(f"{self._url}{path}: hdfs-native gave up: {error}") from error

    def _connected(self) -> Any:
        if self._client is None:
            from hdfs_native import Client

            client = Client(self._url, config=self._settings)
            client.mkdirs(self._directory, _DIRECTORY_MODE, create_parent=True)
            self._client = client
        return self._client


def store_of(directory: HistoryDirectory, application: str, environ: Mapping[str, str]) -> HistoryStore:
    """Returns the store of an application's history."""
    if urlsplit(directory.url).scheme == "file":
        return LocalHistoryStore(Path(directory.path, application))
    return HdfsHistoryStore(directory, application, environ)


def _url(directory: HistoryDirectory, environ: Mapping[str, str]) -> str:
    """Returns what to connect to, by the name that a token is filed under.

    Hadoop files a NameNode's under `ip:port` (`hadoop.security.token.service.use_ip`), a nameservice's under its name; hdfs-native would
    not find the one by a host name.
    """
    parts = urlsplit(directory.url)
    by_name = directory.settings.get("hadoop.security.token.service.use_ip") == "false"
    if not parts.port or by_name or not os.path.exists(environ.get("HADOOP_TOKEN_FILE_LOCATION", "")):  # noqa: PTH110 - "" is no path
        return directory.url
    try:
        return f"{parts.scheme}://{socket.gethostbyname(parts.hostname or '')}:{parts.port}"
    except OSError:  # hdfs-native says so when it connects
        return directory.url


def _first_line(error: Exception) -> str:
    # a Java trace comes with line ends, or as Rust prints a text, with their escapes
    return re.split(r"\n|\\n", str(error).strip() or repr(error), maxsplit=1)[0]

"""HDFS as an Arrow filesystem without a JVM: a handler over hdfs-native.

Not hdfs-native's fsspec class: under pyarrow that one writes at 9 MB/s, and its move, copy, mtime and odd names are broken.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from pyarrow.fs import FileInfo, FileSelector, FileSystemHandler, FileType

from treadle.hadoop_site import check_token_file, client_settings
from treadle.libraries import needed

with needed("hdfs-native", "hdfs://"):
    import hdfs_native

_CHUNK = 1 << 20
"""Bytes: smaller writes and reads cost a call each (reference figures: reads in chunks of 64 KiB take five times as long)."""

_COPY_CHUNK = 4 << 20

_FORBIDDEN = "AccessControlException"
"""Hadoop's class of what a user may not do, which no second try changes."""


_inherited: list[Any] = []
"""Clients of a parent process, kept because their destructors wait for threads that this process does not have."""


@contextmanager
def _as_os_errors(what: str) -> Iterator[None]:
    """Makes one-line OSErrors of what hdfs-native raises: OSErrors and RuntimeErrors with a Java trace, and panics, no Exceptions even."""
    try:
        yield
    except OSError as error:
        raise type(error)(f"{what}: {_first_line(error)}") from None
    except RuntimeError as error:
        kind = PermissionError if _FORBIDDEN in str(error) else OSError
        raise kind(f"{what}: {_first_line(error)}") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise OSError(f"{what}: hdfs-native gave up: {error}") from None


def _first_line(error: Exception) -> str:
    # a trace comes with line ends, or as Rust prints a text, with their escapes
    return re.split(r"\n|\\n", str(error).strip(), maxsplit=1)[0]


class _Writer(io.RawIOBase):
    """hdfs-native's writer, given `bytes` only: any other buffer it converts item by item."""

    def __init__(self, path: str, writer: Any) -> None:
        self._path, self._writer = path, writer

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        with _as_os_errors(self._path):
            return int(self._writer.write(bytes(data)))

    def close(self) -> None:
        if not self.closed:
            super().close()
            with _as_os_errors(self._path):
                self._writer.close()


class _Reader(io.RawIOBase):
    """hdfs-native's reader, with its errors turned into OSError."""

    def __init__(self, path: str, reader: Any) -> None:
        self._path, self._reader = path, reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        with _as_os_errors(self._path):
            return bytes(self._reader.read(size))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _as_os_errors(self._path):
            self._reader.seek(offset, whence)
            return int(self._reader.tell())

    def tell(self) -> int:
        return int(self._reader.tell())


class NativeHandler(FileSystemHandler):  # type: ignore[misc]  # pyarrow has no types
    """Arrow's filesystem operations on one NameNode or nameservice; picklable, equal by URL, usable after a fork."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pid = -1
        self._opened: Any = None

    def __reduce__(self) -> tuple[type[NativeHandler], tuple[str]]:
        return NativeHandler, (self._url,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NativeHandler) and other._url == self._url

    def __hash__(self) -> int:
        return hash(self._url)

    @property
    def _client(self) -> Any:
        # a forked child has the parent's client but not the threads that serve it: to use it hangs, and so does to let go of it
        if self._pid != os.getpid():
            _inherited.append(self._opened)
            check_token_file(os.environ)
            with _as_os_errors(self._url):
                self._opened = hdfs_native.Client(self._url, config=client_settings(self._url, os.environ))
            self._pid = os.getpid()
        return self._opened

    def get_type_name(self) -> str:
        """Returns the scheme."""
        return self._url.partition(":")[0]

    def normalize_path(self, path: str) -> str:
        """Returns the path as it stands."""
        return path

    def get_file_info(self, paths: list[str]) -> list[FileInfo]:
        """Returns what is at each path."""
        return [self._info(path) for path in paths]

    def get_file_info_selector(self, selector: FileSelector) -> list[FileInfo]:
        """Returns what is below a directory."""
        try:
            with _as_os_errors(selector.base_dir):
                statuses = list(self._client.list_status(selector.base_dir, selector.recursive))
        except FileNotFoundError:
            if selector.allow_not_found:
                return []
            raise
        if len(statuses) == 1 and not statuses[0].isdir and statuses[0].path.rstrip("/") == selector.base_dir.rstrip("/"):
            raise NotADirectoryError(f"{selector.base_dir} is a file")
        return [_file_info(status.path, status) for status in statuses]

    def create_dir(self, path: str, recursive: bool) -> None:
        """Creates a directory; one that is there already is fine."""
        with _as_os_errors(path):
            self._client.mkdirs(path, create_parent=recursive)

    def delete_dir(self, path: str) -> None:
        """Deletes a directory with all that is in it."""
        self._delete(path, recursive=True)

    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> None:
        """Deletes all that is in a directory."""
        for info in self.get_file_info_selector(FileSelector(path, allow_not_found=missing_dir_ok)):
            self._delete(info.path, recursive=True)

    def delete_root_dir_contents(self) -> None:
        """Deletes all that there is."""
        self.delete_dir_contents("/")

    def delete_file(self, path: str) -> None:
        """Deletes a file."""
        if self._info(path).type == FileType.Directory:
            raise IsADirectoryError(f"{path} is a directory")
        self._delete(path, recursive=False)

    def move(self, src: str, dest: str) -> None:
        """Moves a file or directory; what is at `dest` is replaced, in one step."""
        self.replace(src, dest)

    def copy_file(self, src: str, dest: str) -> None:
        """Copies a file through this process; HDFS has no copy of its own."""
        with self.open_input_stream(src) as source, self.open_output_stream(dest, None) as target:
            while data := source.read(_COPY_CHUNK):
                target.write(data)

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """Opens a file for reading from its start."""
        return self.open_input_file(path)

    def open_input_file(self, path: str) -> pa.NativeFile:
        """Opens a file for reading anywhere."""
        with _as_os_errors(path):
            return pa.PythonFile(_Reader(path, self._client.read(path)), "r")

    def open_output_stream(self, path: str, metadata: Any) -> pa.NativeFile:
        """Opens a file for writing, replacing what is there; parents are created; HDFS keeps no metadata."""
        return self._create(path, overwrite=True)

    def open_append_stream(self, path: str, metadata: Any) -> pa.NativeFile:
        """Opens a file for writing at its end; HDFS keeps no metadata."""
        with _as_os_errors(path):
            return _output(path, self._client.append(path))

    def create_exclusive(self, path: str) -> None:
        """Creates an empty file; of several that try at once, one succeeds.

        Raises:
            FileExistsError: when there is something of this name.
        """
        self._create(path, overwrite=False).close()

    def replace(self, source: str, destination: str) -> None:
        """Moves a file over whatever has the name `destination`, in one step of the NameNode."""
        with _as_os_errors(f"{source} to {destination}"):
            self._client.rename(source, destination, overwrite=True)

    def _create(self, path: str, overwrite: bool) -> pa.NativeFile:
        with _as_os_errors(path):
            options = hdfs_native.WriteOptions(overwrite=overwrite, create_parent=True)
            return _output(path, self._client.create(path, options))

    def _delete(self, path: str, recursive: bool) -> None:
        with _as_os_errors(path):
            if not self._client.delete(path, recursive):
                raise FileNotFoundError("does not exist")

    def _info(self, path: str) -> FileInfo:
        try:
            with _as_os_errors(path):
                return _file_info(path, self._client.get_file_info(path))
        except FileNotFoundError:
            return FileInfo(path, FileType.NotFound)


def _output(path: str, writer: Any) -> pa.NativeFile:
    return pa.PythonFile(io.BufferedWriter(_Writer(path, writer), _CHUNK), "w")


def _file_info(path: str, status: Any) -> FileInfo:
    mtime_ns = status.modification_time * 10**6
    if status.isdir:
        return FileInfo(path, FileType.Directory, mtime_ns=mtime_ns)
    return FileInfo(path, FileType.File, size=status.length, mtime_ns=mtime_ns)

"""One opener for every storage: Arrow's filesystem interface from a URI, and the two operations that Arrow lacks.

`file://`, `s3://`, `gs://` and plain paths are pyarrow's own. `hdfs://` and `viewfs://` are hdfs-native behind `treadle.hdfs`, because
libhdfs puts a JVM into the process, which costs seconds and memory, takes over SIGTERM and hangs after a fork.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from treadle.libraries import needed

if TYPE_CHECKING:
    import pyarrow.fs

    from treadle.hdfs import NativeHandler


def open_filesystem(uri: str | os.PathLike[str], driver: Literal["native", "libhdfs"] = "native") -> tuple[pyarrow.fs.FileSystem, str]:
    """Returns the filesystem that `uri` names, and the path within it.

    Args:
        uri: a URI with the scheme file, hdfs, viewfs, s3 or gs, or a plain path, relative ones against the working directory.
        driver: for hdfs and viewfs: hdfs-native, or Arrow's libhdfs for sites whose client configuration only Java understands.

    Raises:
        ValueError: for a scheme that nothing here reads, and for another driver.
        OSError: when the filesystem refuses.
        ModuleNotFoundError: saying what to install.
    """
    with needed("pyarrow", "open_filesystem"):
        import pyarrow
        import pyarrow.fs

    text = absolute_uri(uri)
    parts = urlsplit(text, allow_fragments=False)
    if parts.scheme in ("hdfs", "viewfs"):
        return _open_hdfs(parts.scheme, parts.netloc, driver), unquote(parts.path) or "/"
    if not parts.scheme:
        return pyarrow.fs.LocalFileSystem(), text
    try:
        filesystem, path = pyarrow.fs.FileSystem.from_uri(text)
    except pyarrow.ArrowInvalid as error:
        raise ValueError(
            f"{text!r} can't be opened ({error}); accepted are file://, hdfs://, viewfs://, s3://, gs:// and plain paths"
        ) from error
    return filesystem, path


def absolute_uri(uri: str | os.PathLike[str]) -> str:
    """Returns `uri` as it stands, and a plain path against the working directory: other processes have another one."""
    text = os.fspath(uri)
    return text if urlsplit(text).scheme else os.path.abspath(text)  # noqa: PTH100 - pathlib's absolute() keeps `..`, resolve() follows links


def create_exclusive(filesystem: pyarrow.fs.FileSystem, path: str) -> None:
    """Creates an empty file; of several that try at once, one succeeds on local files and HDFS.

    Object stores have no such operation in pyarrow: there the last writer wins unnoticed.

    Raises:
        FileExistsError: when there is something of this name.
    """
    handler = _native_handler(filesystem)
    if handler is not None:
        handler.create_exclusive(path)
    elif filesystem.type_name == "local":
        Path(path).touch(exist_ok=False)
    else:
        _create_if_absent(filesystem, path)


def replace(filesystem: pyarrow.fs.FileSystem, source: str, destination: str) -> None:
    """Moves a file over whatever has the name `destination`: in one step on local files and HDFS; object stores copy and delete."""
    handler = _native_handler(filesystem)
    if handler is not None:
        handler.replace(source, destination)
    elif filesystem.type_name == "local":
        Path(source).replace(destination)
    else:
        filesystem.move(source, destination)


def _open_hdfs(scheme: str, authority: str, driver: str) -> pyarrow.fs.FileSystem:
    import pyarrow.fs

    if driver == "libhdfs":
        return pyarrow.fs.HadoopFileSystem(f"{scheme}://{authority}" if authority else "default", 0)
    if driver != "native":
        raise ValueError(f"driver {driver!r} is unknown; accepted are 'native' and 'libhdfs'")
    from treadle import hadoop_site
    from treadle.hdfs import NativeHandler

    namenode = hadoop_site.namenode(authority, os.environ) if scheme == "hdfs" else authority
    return pyarrow.fs.PyFileSystem(NativeHandler(f"{scheme}://{namenode}"))


def _native_handler(filesystem: pyarrow.fs.FileSystem) -> NativeHandler | None:
    import pyarrow.fs

    if not isinstance(filesystem, pyarrow.fs.PyFileSystem):
        return None
    from treadle.hdfs import NativeHandler

    return filesystem.handler if isinstance(filesystem.handler, NativeHandler) else None


def _create_if_absent(filesystem: pyarrow.fs.FileSystem, path: str) -> None:
    import pyarrow.fs

    if filesystem.get_file_info(path).type != pyarrow.fs.FileType.NotFound:
        raise FileExistsError(f"{path} exists")
    filesystem.open_output_stream(path).close()

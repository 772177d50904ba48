"""Puts what travels with a job where `--master local` looks for it, as a NodeManager would (Hadoop's `FileUtil.unTar` and `unZip`)."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from client.command_line.shipping import local_path
from client.errors import USAGE, ClientError
from conf.settings import ARCHIVE, Shipped

_PERMISSIONS = 0o777


@contextmanager
def placed(directory: Path, shipped: Sequence[Shipped]) -> Iterator[None]:
    """Has files linked and archives unpacked in `directory`; what was unpacked is gone again afterwards.

    Raises:
        ClientError: when an archive can't be unpacked.
    """
    with ExitStack() as unpacked:
        for each in shipped:
            source, target = local_path(each.source), directory / each.name
            assert source is not None  # client.command_line.shipping has refused others
            if each.kind == ARCHIVE:
                unpacked.callback(shutil.rmtree, target, ignore_errors=True)
                unpack(source, target)
            else:
                target.symlink_to(source)
        yield


def unpack(archive: Path, directory: Path) -> None:
    """Unpacks it into a new directory.

    Raises:
        ClientError: when it can't be unpacked.
    """
    directory.mkdir()
    try:
        if archive.name.lower().endswith(".zip"):
            _unzip(archive, directory)
        else:
            # Python's own filters refuse the absolute links that a virtual environment is made of
            subprocess.run(["tar", "-xf", str(archive), "-C", str(directory)], check=True, stderr=subprocess.PIPE, text=True)
    except (OSError, zipfile.BadZipFile) as error:
        raise _undone(archive, str(error)) from error
    except subprocess.CalledProcessError as error:
        raise _undone(archive, error.stderr.strip().partition("\n")[0]) from error


def _unzip(archive: Path, directory: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            path = Path(opened.extract(entry, directory))
            if mode := entry.external_attr >> 16 & _PERMISSIONS:
                path.chmod(mode)


def _undone(archive: Path, reason: str) -> ClientError:
    return ClientError(f"{archive} can't be unpacked: {reason}", "make it anew: it may be cut off", USAGE)

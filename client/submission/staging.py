"""The files that an application's containers find in their directory, written into one directory on this machine."""

from __future__ import annotations

import importlib.resources
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from client.command_line.shipping import ARCHIVE_SUFFIXES, local_path
from conf.settings import ARCHIVE, Shipped
from protocol.launch import FILE, TREADLE_ZIP, Launch
from protocol.wire import to_bytes

if TYPE_CHECKING:  # its home moved with 3.11 and the old one goes with 3.14
    from importlib.abc import Traversable

OVERLAY = "treadle-overlay.jar"
"""Name of the overlay jar; any name that ends in .jar is on the class path of skein's application master."""

_FIRST_DAY_OF_ZIP = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Localised:
    """What YARN puts into a container's directory as `name`: from `uri`, unpacked when it `is_archive`."""

    name: str
    uri: str
    is_archive: bool


@dataclass(frozen=True)
class StagedFiles:
    """Where what was staged lies; `script` is None for a job that is a command."""

    launch: Path
    treadle_zip: Path
    script: Path | None
    shipped: tuple[Localised, ...] = ()


def stage(directory: Path, launch: Launch, script: Path | None) -> StagedFiles:
    """Writes `launch.json`, `treadle.zip` and a copy of the job's script under its own name.

    Raises:
        OSError: when a file can't be read or written.
    """
    staged = StagedFiles(directory / FILE, directory / TREADLE_ZIP, None if script is None else directory / script.name)
    staged.launch.write_bytes(to_bytes(launch))
    write_treadle_zip(staged.treadle_zip)
    if script is not None:
        shutil.copyfile(script, directory / script.name)
    return staged


def link_shipped(directory: Path, shipped: Sequence[Shipped]) -> tuple[Localised, ...]:
    """Links what lies on this machine into subdirectories of `directory`, under names of which a URI loses nothing.

    Raises:
        OSError: when a link can't be made.
    """
    return tuple(_linked(directory / str(i), each) for i, each in enumerate(shipped))


def _linked(directory: Path, shipped: Shipped) -> Localised:
    path = local_path(shipped.source)
    if path is None:
        return Localised(shipped.name, shipped.source, shipped.kind == ARCHIVE)
    # YARN tells an archive's format by the name that it was uploaded with
    suffix = next((suffix for suffix in ARCHIVE_SUFFIXES if path.name.lower().endswith(suffix)), "") if shipped.kind == ARCHIVE else ""
    directory.mkdir()
    link = directory / f"{shipped.name.removesuffix(suffix)}{suffix}"
    link.symlink_to(path)
    return Localised(shipped.name, f"file://{link}", shipped.kind == ARCHIVE)


def write_treadle_zip(target: Path) -> None:
    """Writes the package `treadle` and nothing else, the same bytes for the same sources: dates and modes do not enter."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in sorted(_files(importlib.resources.files("treadle"), "treadle")):
            archive.writestr(zipfile.ZipInfo(name, _FIRST_DAY_OF_ZIP), source.read_bytes(), zipfile.ZIP_DEFLATED)


def _files(directory: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in directory.iterdir():
        name = f"{prefix}/{entry.name}"
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files(entry, name)
        elif entry.is_file():
            yield name, entry

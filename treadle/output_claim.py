"""Whose an output directory is: a second attempt of an application goes on in its own, and only there.

A claim is the name of an empty file: it is there whole or not at all, whenever the attempt that makes it dies, and HDFS makes it at once.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from treadle import storage
from treadle.outages import outlast
from treadle.part_files import SUCCESS

if TYPE_CHECKING:
    from treadle.fragments import Fragment

PREFIX = ".treadle-claim-"
"""Of the names of claims; made only by an application that may have a second attempt."""

_PART = re.compile(r"part-(\d+)\.parquet")


@dataclass(frozen=True)
class Claim:
    """The application, and a digest of the input files in their order: what makes part n the same part n."""

    application: str
    input: str

    @property
    def name(self) -> str:
        """Returns the name of the file that makes it."""
        return f"{PREFIX}{self.application}-{self.input}"

    @classmethod
    def of(cls, fragments: Sequence[Fragment], environment: Mapping[str, str] = os.environ) -> Claim | None:
        """Returns the claim of this job's main, None where there is no second attempt."""
        if int(environment.get("TREADLE_ATTEMPTS", "1")) < 2:  # noqa: PLR2004 - with one attempt there is none to go on
            return None
        paths = "\n".join(fragment.path for fragment in fragments)
        return cls(environment["TREADLE_APPLICATION"], hashlib.sha256(paths.encode()).hexdigest())


def claim_output(uri: str, claim: Claim | None, fragments: Sequence[Fragment]) -> frozenset[int]:
    """Makes sure that the output is a new or empty directory, as Spark's default save mode does, or one that this very claim is on.

    Returns:
        The numbers of the fragments that an earlier attempt has done.

    Raises:
        FileExistsError: when there is anything else.
        OSError: when the directory can't be made.
    """
    done = outlast(partial(_taken_up, uri, claim, fragments))
    if done is None and claim is not None:
        outlast(partial(_make, uri, claim))
    return done or frozenset()


def _taken_up(uri: str, claim: Claim | None, fragments: Sequence[Fragment]) -> frozenset[int] | None:
    """Returns what an earlier attempt has done; None in a directory that is new or empty, and is there now."""
    import pyarrow.fs

    filesystem, path = storage.open_filesystem(uri)
    info = filesystem.get_file_info(path)
    if info.type == pyarrow.fs.FileType.File:
        raise FileExistsError(f"the output {uri} is a file; name a new or empty directory")
    if info.type == pyarrow.fs.FileType.NotFound:
        filesystem.create_dir(path, recursive=True)
        return None
    entries = filesystem.get_file_info(pyarrow.fs.FileSelector(path))
    if not entries:
        return None
    names = [entry.base_name for entry in entries]
    if claim is None or [name for name in names if name.startswith(PREFIX)] != [claim.name]:
        raise FileExistsError(f"the output {uri} is not empty (it holds {names[0]}); name another directory or delete this one first")
    return _done(names, fragments)


def _make(uri: str, claim: Claim) -> None:
    """Of two that claim at the same moment the later one sees the other, or both do, and whoever does gives up."""
    import pyarrow.fs

    filesystem, path = storage.open_filesystem(uri)
    with suppress(FileExistsError):  # made by a try that failed later
        storage.create_exclusive(filesystem, f"{path}/{claim.name}")
    others = [info.base_name for info in filesystem.get_file_info(pyarrow.fs.FileSelector(path)) if info.base_name != claim.name]
    if others:
        filesystem.delete_file(f"{path}/{claim.name}")
        raise FileExistsError(f"the output {uri} is not empty any more (it holds {others[0]}); name another directory")


def rows_done(uri: str, done: frozenset[int]) -> int:
    """Returns how many rows the parts of an earlier attempt have, by their footers."""
    import pyarrow.fs
    import pyarrow.parquet

    filesystem, path = storage.open_filesystem(uri)
    parts = [info.path for info in filesystem.get_file_info(pyarrow.fs.FileSelector(path)) if _number(info.base_name) in done]
    return sum(pyarrow.parquet.read_metadata(part, filesystem=filesystem).num_rows for part in parts)


def _done(names: Sequence[str], fragments: Sequence[Fragment]) -> frozenset[int]:
    """A fragment without rows leaves no part; it is only known to be done when all are."""
    if SUCCESS in names:
        return frozenset(fragment.number for fragment in fragments)
    return frozenset(number for name in names if (number := _number(name)) is not None)


def _number(name: str) -> int | None:
    match = _PART.fullmatch(name)
    return int(match[1]) if match else None

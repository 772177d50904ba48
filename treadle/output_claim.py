"""Whose an output directory is: a second attempt of an application goes on in its own, and only there."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from treadle import storage
from treadle.outages import outlast
from treadle.part_files import SUCCESS

if TYPE_CHECKING:
    import pyarrow.fs

    from treadle.fragments import Fragment

FILE = ".treadle-claim"
"""Written into an output only when the application may have a second attempt: on HDFS it costs a part of a second."""

_PART = re.compile(r"part-(\d+)\.parquet")


@dataclass(frozen=True)
class Claim:
    """The application, and a digest of the input files in their order: what makes part n the same part n."""

    application: str
    input: str

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
        outlast(partial(_write, uri, claim))
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
    if claim is None or _claimed(filesystem, path, names) != claim:
        raise FileExistsError(f"the output {uri} is not empty (it holds {names[0]}); name another directory or delete this one first")
    return _done(names, fragments)


def _write(uri: str, claim: Claim) -> None:
    filesystem, path = storage.open_filesystem(uri)
    with filesystem.open_output_stream(f"{path}/{FILE}") as file:
        file.write(json.dumps(asdict(claim)).encode())


def rows_done(uri: str, done: frozenset[int]) -> int:
    """Returns how many rows the parts of an earlier attempt have, by their footers."""
    import pyarrow.fs
    import pyarrow.parquet

    filesystem, path = storage.open_filesystem(uri)
    parts = [info.path for info in filesystem.get_file_info(pyarrow.fs.FileSelector(path)) if _number(info.base_name) in done]
    return sum(pyarrow.parquet.read_metadata(part, filesystem=filesystem).num_rows for part in parts)


def _claimed(filesystem: pyarrow.fs.FileSystem, path: str, names: Sequence[str]) -> Claim | None:
    if FILE not in names:
        return None
    with filesystem.open_input_stream(f"{path}/{FILE}") as file:
        text = file.read()
    try:
        return Claim(**json.loads(text))
    except (TypeError, ValueError):  # somebody else's file of that name, or half of ours: the attempt died right then
        return None


def _done(names: Sequence[str], fragments: Sequence[Fragment]) -> frozenset[int]:
    """A fragment without rows leaves no part; it is only known to be done when all are."""
    if SUCCESS in names:
        return frozenset(fragment.number for fragment in fragments)
    return frozenset(number for name in names if (number := _number(name)) is not None)


def _number(name: str) -> int | None:
    match = _PART.fullmatch(name)
    return int(match[1]) if match else None

"""What travels with a job, read from its keys: pure; whether it is there to travel is `client.command_line.shipping`'s to see."""

from __future__ import annotations

from collections.abc import Iterator

from conf.errors import Problem
from conf.option import Option
from conf.reading import Reader
from conf.settings import ARCHIVE, PLAIN, PYTHON, Shipped
from conf.shipping_options import (
    MASTER_ENVIRONMENT,
    PYTHON_ARCHIVES,
    PYTHON_FILES,
    SHIP_ARCHIVES,
    SHIP_FILES,
    TASK_MANAGER_ENVIRONMENT,
)

_LISTS = ((SHIP_FILES, PLAIN), (SHIP_ARCHIVES, ARCHIVE), (PYTHON_ARCHIVES, ARCHIVE), (PYTHON_FILES, PYTHON))

_OURS = ("TREADLE_", "SKEIN_")
_OF_DEVICES = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES")
_OF_RANKS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_SET_BY_US = frozenset((*_OF_DEVICES, *_OF_RANKS))
_LONGEST_VARIABLE = 128 * 1024 - 1
"""Linux takes no longer `NAME=value` for a process (MAX_ARG_STRLEN, with the zero that ends it)."""


def read_shipped(reader: Reader) -> tuple[Shipped, ...]:
    """Returns what is shipped, in the order of the keys and of each list."""
    return tuple(shipped for option, kind in _LISTS for shipped in _read_list(reader, option, kind))


def read_variables(reader: Reader, prefix: str) -> dict[str, str]:
    """Returns the variables whose keys begin with the prefix, name → value as it was written."""
    variables = {key.removeprefix(prefix): entry.value for key, entry in reader.entries.items() if key.startswith(prefix)}
    for name, value in variables.items():
        if reason := _refused(name, value):
            key, where = _where(prefix + name, reader.origin(prefix + name))
            reader.problems.append(Problem(key, f"{where} {name!r}: {reason[0]}", reason[1]))
    return variables


def is_variable(key: str) -> bool:
    """Returns whether the key is that of a variable."""
    return key.startswith((MASTER_ENVIRONMENT, TASK_MANAGER_ENVIRONMENT))


def _read_list(reader: Reader, option: Option[tuple[str, ...]], kind: str) -> Iterator[Shipped]:
    for written in reader.optional(option) or ():
        origin = reader.origin(option.key)
        source, named, name = written.rpartition("#") if "#" in written else (written, "", "")
        if not source.strip() or (named and not name):
            key, where = _where(option.key, origin)
            reader.problems.append(Problem(key, f"{where} has {written!r}, neither path nor path#name", "write data.csv or data.csv#name"))
        else:
            yield Shipped(kind, source, name or source.rstrip("/").rpartition("/")[2], option.key, origin)


def _where(key: str, origin: str) -> tuple[str, str]:
    """The key of a problem, and where that is in words: a flag is both."""
    return (origin, origin) if origin.startswith("--") else (key, f"{key} ({origin})")


def _refused(name: str, value: str) -> tuple[str, str] | None:
    """Why a variable can't be set, and the remedy."""
    if not name or "=" in name or "\0" in name:
        return "not a variable's name", "write --env NAME=VALUE, or end the key in the variable's name"
    if name in _SET_BY_US or name.startswith(_OURS):
        return f"{name} is Treadle's to set", "leave it out, or choose another name"
    if "\0" in value:
        return "its value holds a zero byte, which no variable can", "encode it, such as in base64"
    if (size := len(f"{name}={value}".encode(errors="surrogateescape"))) > _LONGEST_VARIABLE:
        return f"{size} bytes, and Linux takes {_LONGEST_VARIABLE} at most", "put it into a file and ship that with --files"
    return None

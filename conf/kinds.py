"""What a value can be: how its text is read, and what is accepted in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from conf.lists import split_list
from conf.units import INT_MAX, LONG_MAX, parse_bytes, parse_decimal, parse_integer, parse_nanoseconds

T = TypeVar("T")

NO_RESOURCES = "none"
"""The whole value that stands for an empty list of external resources (Flink's `ExternalResourceOptions.NONE`)."""

_MIB = 1024 * 1024
_MILLISECOND = 10**6

# Hadoop's ResourceUtils.RESOURCE_NAME_PATTERN: [dotted namespace "/"] name
_LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"
_RESOURCE_TYPE = re.compile(rf"(({_LABEL}\.)*{_LABEL}/)?[a-zA-Z][\w.-]*", re.ASCII)

# part of the name of a skein service and of each TaskManager's id: train-0
_GROUP_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*", re.ASCII)
_BUILT_IN_TYPES = {
    "memory": "taskmanager.memory.process.size",
    "memory-mb": "taskmanager.memory.process.size",
    "vcores": "taskmanager.cpu.cores",
}


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of value.

    `parse` raises ValueError with the reason. `accepted` completes "write …". `stand_in` takes the place of a value that was refused, so
    that reading goes on to the next problem. `unitless` names the unit of a bare number where that surprises. `trims` tells whether blanks
    around the text are dropped.
    """

    name: str
    accepted: str
    parse: Callable[[str], T]
    stand_in: T
    unitless: str | None = None
    trims: bool = True


def whole_number(minimum: int, maximum: int = INT_MAX) -> Kind[int]:
    """A whole number of a range."""
    return Kind("whole number", f"a whole number from {minimum}", lambda text: _in_range(parse_integer(text), minimum, maximum), minimum)


def one_of(*words: str) -> Kind[str]:
    """One of some words; the first stands in."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError("not one of them")
        return text

    return Kind("word", " or ".join(words), parse, words[0])


def size_in_mib(minimum: int) -> Kind[int]:
    """A size, read as whole MiB rounded down (Flink asks YARN for floor(bytes / 1 MiB))."""
    accepted = f"a size with a unit, such as 4g or 1024m, from {minimum}m"

    def parse(text: str) -> int:
        size = parse_bytes(text)
        if text.isdecimal() and size // _MIB < minimum <= size:
            raise ValueError(f"{size} bytes is less than {minimum} MiB; for MiB write {size}m")
        return _in_range(size // _MIB, minimum, INT_MAX, " MiB")

    return Kind("size", accepted, parse, minimum, unitless="bytes")


def _in_range(value: int, minimum: int, maximum: int, unit: str = "") -> int:
    if value < minimum:
        raise ValueError(f"less than {minimum}{unit}")
    if value > maximum:
        raise ValueError(f"more than {maximum}{unit}")
    return value


def _parse_milliseconds(text: str) -> int:
    return _in_range(parse_nanoseconds(text) // _MILLISECOND, 1, LONG_MAX, " ms")


def _parse_vcores(text: str) -> int:
    value = parse_integer(text)
    return value if value == -1 else _in_range(value, 1, INT_MAX)


def _parse_interval(text: str) -> int:
    return 0 if parse_nanoseconds(text) == 0 else _parse_milliseconds(text)


def _parse_positive(text: str) -> float:
    value = parse_decimal(text)
    if not 0 < value <= INT_MAX:
        raise ValueError(f"not above 0 and up to {INT_MAX}")
    return value


def _parse_absolute_path(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("not an absolute path")
    return text


def _parse_hdfs_directory(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if separator and (scheme != "hdfs" or "/" not in rest):
        raise ValueError("not hdfs://HOST:PORT/path")
    return text


def _parse_resource_type(text: str) -> str:
    if text in _BUILT_IN_TYPES:
        raise ValueError(f"built into YARN and set by {_BUILT_IN_TYPES[text]}")
    if not _RESOURCE_TYPE.fullmatch(text):
        raise ValueError("not the name of a YARN resource type")
    return text


def _parse_boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("neither true nor false")
    return text.lower() == "true"


def _parse_group_names(text: str) -> tuple[str, ...]:
    names = split_list(text)
    for name in names:
        if not _GROUP_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not letters, digits and - after a letter")
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is there twice")
    return names


def _parse_names(text: str) -> tuple[str, ...]:
    return () if text == NO_RESOURCES else split_list(text)


BOOLEAN = Kind("boolean", "true or false", _parse_boolean, False)
TEXT: Kind[str] = Kind("text", "some text", str, "")
ABSOLUTE_PATH = Kind("path", "an absolute path, such as /var/tmp/treadle-leases", _parse_absolute_path, "/")
HDFS_DIRECTORY = Kind(
    "HDFS directory",
    f"a path on HDFS (a relative one is below the user's home directory there), hdfs://HOST:PORT/path, or {NO_RESOURCES}",
    _parse_hdfs_directory,
    NO_RESOURCES,
)
DURATION_MS = Kind("duration", "a duration such as 500 ms, 10 s or 5 min, from 1 ms", _parse_milliseconds, 1)
INTERVAL_MS = Kind("duration", "a duration such as 500 ms or 10 s; 0 for never", _parse_interval, 0)
CORES = Kind("number", "a number above 0, such as 2 or 0.5", _parse_positive, 1.0)
RATE = Kind("number", "a number above 0, such as 10 or 0.5", _parse_positive, 1.0)
VCORES = Kind("whole number", "a whole number from 1, or -1 for as many as slots", _parse_vcores, -1)
AMOUNT = whole_number(1, LONG_MAX)
RESOURCE_TYPE = Kind(
    "YARN resource type", "a type that the cluster counts, such as yarn.io/gpu or example.com/rdma", _parse_resource_type, ""
)
GROUP_NAMES: Kind[tuple[str, ...]] = Kind(
    "list", "names between semicolons, each letters, digits and - after a letter, such as train;io", _parse_group_names, ()
)
NAMES: Kind[tuple[str, ...]] = Kind("list", f"names between semicolons, such as gpu;fpga, or {NO_RESOURCES}", _parse_names, (), trims=False)

"""Frozen dataclasses to JSON bytes and back, checked field by field.

Only what the records of this package need: str, int, float, bool, None, tuples, string-keyed mappings, nested dataclasses.
"""

from __future__ import annotations

import dataclasses
import json
import math
import reprlib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

MAX_BYTES = 1 << 20
"""Longest accepted record: skein's store lives in a heap of 128 MiB."""

_LARGEST = (1 << 63) - 1

_SHOWN = 120
"""How many characters of a wrong value a message shows: whoever sent it shall not fill our log."""


class MalformedRecordError(ValueError):
    """Bytes that are not the expected record; the message says which field and shows what was there."""


def to_bytes(record: Any) -> bytes:
    """Returns the record as compact JSON, fields in order of declaration."""
    return json.dumps(dataclasses.asdict(record), separators=(",", ":")).encode()


def from_bytes(kind: type[T], data: bytes) -> T:
    """Returns the record of class `kind` that `data` holds.

    Raises:
        MalformedRecordError: for anything but one JSON object with exactly the fields of `kind` in their types.
    """
    if len(data) > MAX_BYTES:
        raise MalformedRecordError(f"{kind.__name__}: {len(data)} bytes, at most {MAX_BYTES} are accepted")
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedRecordError(f"{kind.__name__}: not JSON: {data[:80]!r}") from error
    return typing.cast(T, _read(kind, tree, kind.__name__))


def _read(kind: Any, tree: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _read_record(typing.cast(type[Any], kind), tree, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return tuple(_read(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(_expect(list, tree, where)))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _read(arguments[1], value, f"{where}.{key}") for key, value in _expect(dict, tree, where).items()}
    if isinstance(kind, types.UnionType):
        return None if tree is None else _read(next(a for a in arguments if a is not type(None)), tree, where)
    if kind is float:
        return _float(tree, where)
    if kind is int and type(tree) is int and abs(tree) > _LARGEST:
        raise MalformedRecordError(f"{where}: {_shown(tree)} where a number of 64 bits was expected")
    return _expect(kind, tree, where)


def _float(tree: Any, where: str) -> float:
    """A number that JSON can say again: Python's reader takes NaN, Infinity and 1e999, which no other reader of ours does."""
    try:
        number = float(tree) if type(tree) is int else _expect(float, tree, where)
    except OverflowError as error:
        raise MalformedRecordError(f"{where}: {_shown(tree)} is too large") from error
    if not math.isfinite(number):
        raise MalformedRecordError(f"{where}: {number} where a finite number was expected")
    return number


def _read_record(kind: type[Any], tree: Any, where: str) -> Any:
    hints = typing.get_type_hints(kind)
    names = {field.name for field in dataclasses.fields(kind)}
    given = _expect(dict, tree, where)
    if names != given.keys():
        raise MalformedRecordError(f"{where}: fields {_shown(sorted(given))} where {sorted(names)} were expected")
    try:
        return kind(**{name: _read(hints[name], given[name], f"{where}.{name}") for name in sorted(names)})
    except ValueError as error:
        raise error if isinstance(error, MalformedRecordError) else MalformedRecordError(f"{where}: {error}") from error


def _expect(kind: type[T], tree: Any, where: str) -> T:
    if type(tree) is not kind:
        raise MalformedRecordError(f"{where}: {_shown(tree)} where {kind.__name__} was expected")
    return tree


def _shown(tree: Any) -> str:
    text = reprlib.repr(tree)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

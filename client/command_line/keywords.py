"""What a Python call names its options by: the flags of `submit run`, without their dashes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from client.command_line.flags import Flags
from conf.errors import ConfigError, Problem

_TEXTS = tuple(field.name for field in dataclasses.fields(Flags) if field.default is None)
_LISTS = {"files": "shipped_files", "archives": "archives", "py_files": "py_files"}
"""Keyword → the field of `Flags` that holds as many as there are."""

_VARIABLES = "env"


def flags_of(
    keywords: Mapping[str, object], resources: Mapping[str, int | str], conf: Mapping[str, object], files: Sequence[str | os.PathLike[str]]
) -> Flags:
    """Returns the flags that a call means, each value as a command line would have it; None is a flag that was left out.

    Raises:
        ConfigError: with each keyword that is none, or whose value is not of its form.
    """
    given = {keyword: value for keyword, value in keywords.items() if value is not None}
    if unknown := [keyword for keyword in given if keyword not in (*_TEXTS, *_LISTS, _VARIABLES)]:
        raise ConfigError([_unknown(keyword) for keyword in unknown])
    variables = given.get(_VARIABLES, {})
    if not isinstance(variables, Mapping):
        raise ConfigError([Problem(_VARIABLES, f"{_VARIABLES} is {variables!r}, no mapping", 'write env={"NAME": "VALUE"}')])
    named: dict[str, Any] = {keyword: str(given[keyword]) for keyword in _TEXTS if keyword in given}
    named |= {field: _words(given[keyword]) for keyword, field in _LISTS.items() if keyword in given}
    return Flags(
        **named,
        variables=tuple(f"{name}={value}" for name, value in variables.items()),
        resources=tuple(f"{name}={amount}" for name, amount in resources.items()),
        definitions=tuple(f"{key}={value}" for key, value in conf.items()),
        files=tuple(os.fspath(file) for file in files),
    )


def _words(value: object) -> tuple[str, ...]:
    """One path or several."""
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return tuple(str(each) for each in several)


def _unknown(keyword: str) -> Problem:
    known = [*_TEXTS, *_LISTS, _VARIABLES, "command", "master", "resources", "conf", "properties_files"]
    nearest = get_close_matches(keyword, known, n=1)
    hint = f"did you mean {nearest[0]}? " if nearest else ""
    return Problem(keyword, f"submit() has no {keyword!r}", f"{hint}there are {', '.join(known)}; conf={{key: value}} sets any option")

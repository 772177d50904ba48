"""Numbers of options, told in our words when they are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from client.errors import USAGE, ClientError


class Number(click.ParamType):  # type: ignore[type-arg]  # not generic in older versions of click
    """A number between two others, both included; `accepted` completes "write …"."""

    name = "number"

    def __init__(self, least: float, most: float, accepted: str) -> None:
        self._least, self._most, self._accepted = least, most, accepted

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Returns the number behind a text; a default is one already."""
        if not isinstance(value, str):
            return value
        try:
            number = self._parse()(value)
            if number < self._least:
                raise ValueError(f"less than {self._least}")
            if number > self._most:
                raise ValueError(f"more than {self._most}")
        except ValueError as error:
            flag = param.opts[0] if param else "the number"
            raise ClientError(f"{flag} is {value!r}: {error}", f"write {self._accepted}", USAGE) from error
        return number

    def _parse(self) -> Callable[[str], float]:
        from conf.units import parse_decimal, parse_integer

        return parse_integer if isinstance(self._least, int) else parse_decimal


_DAY_S = 86_400
_GREATEST = 2**31 - 1

SECONDS = Number(0.5, _DAY_S, f"a number of seconds from 0.5 to {_DAY_S}")
COUNT = Number(1, _GREATEST, "a whole number from 1")
COUNT_OR_NONE = Number(0, _GREATEST, "a whole number from 0")

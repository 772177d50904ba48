"""Typed values out of text, with every problem gathered on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from conf.entry import Entry
from conf.errors import Problem
from conf.option import Option

T = TypeVar("T")


class Reader:
    """Reads options from entries, and goes on after what is wrong.

    Attributes:
        problems: everything that can't be met.
        refused: those of them that are in one value by itself, whatever the others are.
        warnings: what is read otherwise than it is written, or left out.
    """

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries
        self.problems: list[Problem] = []
        self.refused: list[Problem] = []
        self.warnings: list[str] = []

    def optional(self, option: Option[T]) -> T | None:
        """The value, or None when the key is absent or blank (an empty `-D` takes a value back) or its value is refused."""
        entry = self.entries.get(option.key)
        if entry is None or not entry.value.strip():
            return None
        try:
            return option.kind.parse(self._trimmed(option, entry))
        except ValueError as error:
            self.refuse(option, entry, str(error))
            return None

    def required(self, option: Option[T]) -> T:
        """The value; a stand-in after noting the problem when there is none."""
        entry = self.entries.get(option.key)
        if entry is None:
            self.problems.append(Problem(option.key, f"{option.key} is not set", f"write {option.kind.accepted}"))
        elif not entry.value.strip():
            self.refuse(option, entry, "blank")
        else:
            value = self.optional(option)
            return option.kind.stand_in if value is None else value
        return option.kind.stand_in

    def refuse(self, option: Option[T], entry: Entry, reason: str) -> None:
        """Note that the entry's value isn't what the option accepts."""
        cause = f"{option.key} is {entry.value!r} ({entry.origin}): {reason}"
        problem = Problem(option.key, cause, f"write {option.kind.accepted}")
        self.problems.append(problem)
        self.refused.append(problem)

    def origin(self, key: str) -> str:
        """Where the key was given."""
        return self.entries[key].origin

    def _trimmed(self, option: Option[T], entry: Entry) -> str:
        text = entry.value.strip()
        if not option.kind.trims:
            return entry.value
        if text != entry.value:
            self.warnings.append(f"{option.key} is {entry.value!r} ({entry.origin}): trimmed to {text!r}")
        if option.kind.unitless and text.isdecimal():
            self.warnings.append(f"{option.key} is {text} ({entry.origin}): no unit, so {option.kind.unitless}")
        return text

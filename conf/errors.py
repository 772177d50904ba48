"""What is wrong with a configuration, in the user's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that can't be met: the key (or flag, or file), one line of cause with the value, one line of remedy."""

    key: str
    cause: str
    remedy: str


class ConfigError(Exception):
    """Everything that is wrong with a configuration, all at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.cause for problem in problems))
        self.problems = tuple(problems)

"""What an option is: a key, its kind of value, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from conf.kinds import Kind

T = TypeVar("T")

RESOURCE_PREFIX = "external-resource."
"""What the key of every option of an external resource begins with."""


@dataclass(frozen=True)
class Option(Generic[T]):
    """A key, what its value can be, and what it is for."""

    key: str
    kind: Kind[T]
    description: str


@dataclass(frozen=True)
class ResourceOption(Generic[T]):
    """An option that each external resource has: `external-resource.<name>.<suffix>`."""

    suffix: str
    kind: Kind[T]
    description: str

    def of(self, name: str) -> Option[T]:
        """The option of the resource `name`."""
        return Option(f"{RESOURCE_PREFIX}{name}.{self.suffix}", self.kind, self.description)

"""Which drivers are installed here: their entry points are read, nothing of theirs is imported."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points

from client.command_line.driver_names import GROUP


@dataclass(frozen=True)
class InstalledDriver:
    """A name for `driver-factory.class`, the distribution that brings it, and the object it stands for."""

    name: str
    distribution: str
    version: str
    object: str


def installed() -> tuple[InstalledDriver, ...]:
    """Returns every driver of Treadle's own environment on this machine, by name."""
    entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return tuple(
        InstalledDriver(
            entry.name, entry.dist.metadata["Name"] if entry.dist else "", entry.dist.version if entry.dist else "", entry.value
        )
        for entry in entries
    )

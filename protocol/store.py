"""The store between the application master and its TaskManagers: an interface of four calls.

Two implementations exist: `protocol.skein_store` over skein's key-value store on YARN, and `protocol.local_store` over a
Unix socket for `--master local[N]`. Whatever implements `Store` passes the contract suite in `tests/test_stores.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class StoreClosedError(Exception):
    """The store has gone, and with it the application master that held it."""


@dataclass(frozen=True)
class Change:
    """One change of a key: its new value, or None when the key was deleted."""

    key: str
    value: bytes | None


class Store(Protocol):
    """Small control records by key. Nothing large and nothing secret goes in: YARN shows it on a page."""

    def put(self, key: str, value: bytes, *, owned: bool = False) -> None:
        """Sets a key. An `owned` one is deleted when the container of this process ends."""

    def get(self, prefix: str) -> dict[str, bytes]:
        """Returns every key that starts with `prefix`, and its value."""

    def watch(self, prefix: str) -> Iterator[Change]:
        """Yields what is there under `prefix`, then every change, until the store closes.

        The subscription exists when this returns, and before the first read, so that no change is missed; a value that was written
        between the two may be yielded twice.

        Raises:
            StoreClosedError: when the store ends while this iterator waits.
        """

    def close(self) -> None:
        """Gives up the connection; iterators of `watch` end."""

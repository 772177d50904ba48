"""The store in one process: what the local store's server keeps, and what tests of the application master and TaskManager use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue

from protocol.store import Change, StoreClosedError


class MemoryStore:
    """Values by key, with owners; see `protocol.store.Store`. Safe to use from several threads."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._owners: dict[str, str] = {}
        self._watchers: list[tuple[str, SimpleQueue[Change | None]]] = []
        self._lock = threading.Lock()
        self._closed = False

    def put(self, key: str, value: bytes, *, owned: bool = False, owner: str = "") -> None:
        """Sets a key; an `owned` one goes with `disown(owner)`."""
        with self._lock:
            self._refuse_when_closed()
            self._values[key] = value
            self._owners.pop(key, None)
            if owned:
                self._owners[key] = owner
            self._tell(Change(key, value))

    def get(self, prefix: str) -> dict[str, bytes]:
        """Returns every key that starts with `prefix`, and its value."""
        with self._lock:
            self._refuse_when_closed()
            return self._matching(prefix)

    def watch(self, prefix: str) -> Iterator[Change]:
        """Yields what is there, then every change; see `Store.watch`."""
        queue: SimpleQueue[Change | None] = SimpleQueue()
        with self._lock:
            self._refuse_when_closed()
            self._watchers.append((prefix, queue))
            for key, value in self._matching(prefix).items():
                queue.put(Change(key, value))
        return self._changes(prefix, queue)

    def disown(self, owner: str = "") -> None:
        """Deletes every key of an owner: its container has ended."""
        with self._lock:
            for key in [key for key, name in self._owners.items() if name == owner]:
                del self._values[key], self._owners[key]
                self._tell(Change(key, None))

    def close(self) -> None:
        """Ends every iterator of `watch` with `StoreClosedError`."""
        with self._lock:
            self._closed = True
            for _, queue in self._watchers:
                queue.put(None)

    def _changes(self, prefix: str, queue: SimpleQueue[Change | None]) -> Iterator[Change]:
        try:
            while (change := queue.get()) is not None:
                yield change
            raise StoreClosedError("the store was closed")
        finally:
            with self._lock:
                self._watchers.remove((prefix, queue))

    def _matching(self, prefix: str) -> dict[str, bytes]:
        return {key: value for key, value in self._values.items() if key.startswith(prefix)}

    def _tell(self, change: Change) -> None:
        for prefix, queue in self._watchers:
            if change.key.startswith(prefix):
                queue.put(change)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StoreClosedError("the store was closed")

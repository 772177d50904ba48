"""The store on YARN: skein's key-value store, in the memory of skein's application master.

skein is imported where the store is opened, since it costs half a second: containers that never talk to YARN don't pay for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protocol.skein_import import import_skein
from protocol.store import Change, StoreClosedError


class SkeinStore:
    """See `protocol.store.Store`.

    Args:
        application: a `skein.ApplicationClient`.
        container_id: skein's name of this container (`taskmanager_0`), the owner of owned keys; None in the application master.
        patience_s: how long a call may take before the application master counts as gone; None to wait for ever.
    """

    def __init__(self, application: Any, container_id: str | None, patience_s: float | None = None) -> None:
        from skein import kv

        self._kv, self._operations, self._container_id = application.kv, kv, container_id
        self._patience_s = patience_s
        self._application = application
        self._queues: list[Any] = []

    @classmethod
    def from_current(cls, patience_s: float) -> SkeinStore:
        """Returns the store of the application whose container this is."""
        skein = import_skein()
        return cls(skein.ApplicationClient.from_current(), skein.properties.container_id, patience_s)

    def put(self, key: str, value: bytes, *, owned: bool = False) -> None:
        """Sets a key; an `owned` one is deleted by skein when this container ends."""
        owner = {"owner": self._container_id} if owned else {}
        self._apply(self._operations.put(key, value, **owner))

    def get(self, prefix: str) -> dict[str, bytes]:
        """Returns every key that starts with `prefix`, and its value."""
        return dict(self._apply(self._operations.get_prefix(prefix) if prefix else self._operations.get_range()))

    def watch(self, prefix: str) -> Iterator[Change]:
        """Yields what is there, then every change; see `Store.watch`."""
        queue = self._kv.events(prefix=prefix) if prefix else self._kv.events()
        self._queues.append(queue)
        return self._changes(prefix, queue)

    def _changes(self, prefix: str, queue: Any) -> Iterator[Change]:
        for key, value in self.get(prefix).items():
            yield Change(key, value)
        try:
            for event in queue:
                yield Change(event.key, event.result.value if event.result else None)
        except ConnectionError as error:
            raise StoreClosedError("the application master has gone") from error

    def _apply(self, operation: Any) -> Any:
        """A paused process or a cut network leaves a call without an answer; skein's own methods would wait for ever."""
        try:
            return self._kv._apply_op(operation, timeout=self._patience_s)
        except ConnectionError as error:
            raise StoreClosedError("the application master has gone") from error
        except TimeoutError as error:
            raise StoreClosedError(f"the application master has not answered for {self._patience_s:g} s") from error

    def close(self) -> None:
        """Ends every iterator of `watch`, and the connection."""
        for queue in self._queues:
            queue.put(StoreClosedError("the store was closed"))
        self._application.close()

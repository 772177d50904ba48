"""The store of `--master local[N]`: a `MemoryStore` in the application master's process, reached over a Unix socket.

The socket lies in the application's directory, which only its user can enter. A connection is an owner: when it closes, for whatever
reason, its owned keys go, as skein's do when a container ends.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Iterator
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

from protocol.memory_store import MemoryStore
from protocol.store import Change, StoreClosedError
from protocol.wire import MAX_BYTES

logger = logging.getLogger(__name__)

_CALL_BYTES = 4 * MAX_BYTES
"""Longest call: a record of `MAX_BYTES` takes twice that in hexadecimal digits, and has a key."""

SOCKET = "store.sock"
"""Name of the socket in the application's directory. Always reached by a relative path: a Unix socket's may have 107 bytes."""


class LocalStoreServer:
    """Serves a `MemoryStore` to the TaskManagers of this machine, one thread a connection."""

    def __init__(self, store: MemoryStore, address: Path) -> None:
        self._store = store
        self._listener = Listener(str(address), family="AF_UNIX", backlog=128)
        threading.Thread(target=self._accept, name="local-store", daemon=True).start()

    def close(self) -> None:
        """Takes no more connections; those that are there end with the store."""
        self._listener.close()

    def _accept(self) -> None:
        for number in range(1 << 62):
            try:
                connection = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, f"connection-{number}"), daemon=True).start()

    def _serve(self, connection: Connection[Any, Any], owner: str) -> None:
        try:
            with contextlib.suppress(EOFError, OSError, StoreClosedError), connection:
                self._answer_all(connection, owner)
        finally:
            self._store.disown(owner)

    def _answer_all(self, connection: Connection[Any, Any], owner: str) -> None:
        try:
            while True:
                self._answer(connection, owner, json.loads(connection.recv_bytes(_CALL_BYTES)))
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            logger.warning("Closing %s, which sent no call of this store's: %r", owner, error)

    def _answer(self, connection: Connection[Any, Any], owner: str, call: dict[str, Any]) -> None:
        if call["call"] == "put":
            self._store.put(call["key"], bytes.fromhex(call["value"]), owned=call["owned"], owner=owner)
            _send(connection, {})
        elif call["call"] == "get":
            _send(connection, {key: value.hex() for key, value in self._store.get(call["prefix"]).items()})
        else:
            for change in self._store.watch(call["prefix"]):
                _send(connection, {"key": change.key, "value": None if change.value is None else change.value.hex()})


class LocalStore:
    """A TaskManager's side; see `protocol.store.Store`."""

    def __init__(self, address: Path) -> None:
        self._address = str(address)
        self._connection = self._connect()
        self._lock = threading.Lock()
        self._streams: list[Connection[Any, Any]] = []

    def put(self, key: str, value: bytes, *, owned: bool = False) -> None:
        """Sets a key; an `owned` one lives as long as this object's connection."""
        self._ask({"call": "put", "key": key, "value": value.hex(), "owned": owned})

    def get(self, prefix: str) -> dict[str, bytes]:
        """Returns every key that starts with `prefix`, and its value."""
        return {key: bytes.fromhex(value) for key, value in self._ask({"call": "get", "prefix": prefix}).items()}

    def watch(self, prefix: str) -> Iterator[Change]:
        """Yields what is there, then every change; see `Store.watch`."""
        stream = self._connect()
        self._streams.append(stream)
        _send(stream, {"call": "watch", "prefix": prefix})
        return _changes(stream)

    def close(self) -> None:
        """Closes every connection, which gives up the owned keys."""
        for connection in (self._connection, *self._streams):
            connection.close()

    def _connect(self) -> Connection[Any, Any]:
        try:
            return Client(self._address, family="AF_UNIX")
        except OSError as error:
            raise StoreClosedError(f"no store at {self._address}: {error}") from error

    def _ask(self, call: dict[str, Any]) -> Any:
        with self._lock:
            try:
                _send(self._connection, call)
                return json.loads(self._connection.recv_bytes())
            except (EOFError, OSError) as error:
                raise StoreClosedError("the application master has gone") from error


def _changes(stream: Connection[Any, Any]) -> Iterator[Change]:
    while True:
        try:
            change = json.loads(stream.recv_bytes())
        except (EOFError, OSError) as error:
            raise StoreClosedError("the application master has gone") from error
        yield Change(change["key"], None if change["value"] is None else bytes.fromhex(change["value"]))


def _send(connection: Connection[Any, Any], tree: Any) -> None:
    connection.send_bytes(json.dumps(tree).encode())

"""Skein's application master, as far as its store goes: a real gRPC server with the application's key pair, and what is behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from client.skein_driver.credentials import Credentials
from protocol.skein_import import import_skein

import_skein()

import grpc  # noqa: E402 - skein comes first, which sets it up
from skein.proto import skein_pb2, skein_pb2_grpc  # noqa: E402


class Store(skein_pb2_grpc.AppMasterServicer):  # type: ignore[misc]  # generated code
    """`answers` is called with each key and value that is put, and returns what is put in answer."""

    def __init__(self, answers: Callable[[str, bytes], Mapping[str, bytes]]) -> None:
        self._answers, self._lock = answers, threading.Lock()
        self.values: dict[str, bytes] = {}

    def PutKey(self, request: Any, _context: Any) -> Any:  # noqa: N802 - skein's name
        with self._lock:
            self.values |= {request.key: request.value} | self._answers(request.key, request.value)
        return skein_pb2.PutKeyResponse()

    def GetRange(self, request: Any, _context: Any) -> Any:  # noqa: N802 - skein's name
        with self._lock:
            found = [skein_pb2.KeyValue(key=key, value=value) for key, value in self.values.items() if key == request.start]
        return skein_pb2.GetRangeResponse(count=len(found), result=found)


@contextmanager
def serving(store: Store, pair: Credentials) -> Iterator[str]:
    """Yields its address."""
    server = grpc.server(ThreadPoolExecutor(4))
    credentials = grpc.ssl_server_credentials([(pair.key, pair.certificate)], pair.certificate, require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    skein_pb2_grpc.add_AppMasterServicer_to_server(store, server)
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()

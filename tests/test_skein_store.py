"""The store over skein, whose application master answers too late or not at all; real gRPC, no cluster."""

import socket
import time

import pytest

from protocol.skein_import import import_skein
from protocol.skein_store import SkeinStore
from protocol.store import StoreClosedError


def store_at(address):
    skein = import_skein()
    application = skein.ApplicationClient(f"127.0.0.1:{address[1]}", "application_1_0001", security=skein.Security.new_credentials())
    return SkeinStore(application, "tm_0", 0.5)


@pytest.mark.parametrize(
    "call", [lambda store: store.put("heartbeats/tm-0", b"", owned=True), lambda store: store.get("ready")], ids=["put", "get"]
)
def test_a_master_that_hangs_counts_as_gone_in_time(call):
    with socket.create_server(("127.0.0.1", 0)) as server:
        store, started = store_at(server.getsockname()), time.monotonic()
        with pytest.raises(StoreClosedError, match=r"has not answered for 0\.5 s"):
            call(store)
        assert time.monotonic() - started < 60
        store.close()


def test_a_master_that_has_ended_is_gone():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    store = store_at(address)
    with pytest.raises(StoreClosedError, match="has gone"):
        store.put("heartbeats/tm-0", b"")
    store.close()

"""One contract suite over every store that needs no cluster; skein's passes the same through the application tests."""

import threading
from pathlib import Path

import pytest

from protocol.local_store import LocalStore, LocalStoreServer
from protocol.memory_store import MemoryStore
from protocol.store import Change, StoreClosedError


class MemoryPair:
    def __init__(self, directory: Path):
        self.master = MemoryStore()
        self.task_manager = self.master

    def end_of_task_manager(self):
        self.master.disown()


class LocalPair:
    def __init__(self, directory: Path):
        self.master = MemoryStore()
        self.server = LocalStoreServer(self.master, directory / "s")
        self.task_manager = LocalStore(directory / "s")

    def end_of_task_manager(self):
        self.task_manager.close()


@pytest.fixture(params=[MemoryPair, LocalPair])
def pair(request, tmp_path):
    return request.param(tmp_path)


def test_a_value_put_on_one_side_is_read_on_the_other(pair):
    pair.task_manager.put("taskmanagers/tm-0", b"\x00one")
    pair.master.put("job", b"two")
    assert pair.master.get("taskmanagers/") == {"taskmanagers/tm-0": b"\x00one"}
    assert pair.task_manager.get("") == {"taskmanagers/tm-0": b"\x00one", "job": b"two"}


def test_watch_yields_what_is_there_and_then_changes(pair):
    pair.master.put("job", b"early")
    changes = pair.task_manager.watch("job")
    assert next(changes) == Change("job", b"early")
    pair.master.put("other", b"not watched")
    pair.master.put("job", b"late")
    assert next(changes) == Change("job", b"late")


def test_owned_keys_go_with_their_owner_and_others_stay(pair):
    pair.task_manager.put("taskmanagers/tm-0", b"here", owned=True)
    pair.task_manager.put("failures/tm-0", b"stays")
    changes = pair.master.watch("taskmanagers/")
    assert next(changes) == Change("taskmanagers/tm-0", b"here")
    pair.end_of_task_manager()
    assert next(changes) == Change("taskmanagers/tm-0", None)
    assert pair.master.get("") == {"failures/tm-0": b"stays"}


def test_a_waiting_watcher_ends_when_the_store_closes(pair):
    changes = pair.task_manager.watch("job")
    ended = threading.Event()

    def wait():
        with pytest.raises(StoreClosedError):
            next(changes)
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    pair.master.close()
    assert ended.wait(60)


def test_a_closed_store_refuses(pair):
    pair.master.close()
    with pytest.raises(StoreClosedError, match=r"closed|gone"):
        pair.task_manager.put("job", b"")


def test_no_server_is_a_closed_store(tmp_path):
    with pytest.raises(StoreClosedError, match="no store at"):
        LocalStore(tmp_path / "nowhere")

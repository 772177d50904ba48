"""Messages that make no sense, or can't be true: refused, logged once, and nothing else happens."""

import dataclasses
import json
import logging
import threading
from multiprocessing.connection import Client

import pytest
from test_cluster_state import granted, registration, running, state
from test_on_yarn import wait_for

from protocol import keys
from protocol.local_store import LocalStore, LocalStoreServer
from protocol.memory_store import MemoryStore
from protocol.outcome import FAILED, Outcome
from protocol.records import VERSION, DeviceLost, SlotResult
from protocol.store import Change
from protocol.usage import Heartbeat, SlotUsage
from protocol.wire import MAX_BYTES, MalformedRecordError, from_bytes, to_bytes
from yarn_am import tap
from yarn_am.events import Heard, LostDevice, Registered, SlotEnded
from yarn_am.job_main import EVENTS_FILE
from yarn_am.json_lines import follow
from yarn_am.messages import Messages

GOOD = json.loads(to_bytes(registration(0)))
HEARTBEAT = Heartbeat(VERSION, "tm-0", "c0", 1, 100, 1.0, (), ())


def altered(record, **fields):
    return json.dumps({**json.loads(to_bytes(record)), **fields}).encode()


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (b"\xff\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b" " * (MAX_BYTES + 1), "at most 1048576 are accepted"),
        (b"{}", "fields [] where"),
        (altered(registration(0), more=1), "fields"),
        (altered(registration(0), ports=[]), "one or more from 1 to 65535"),
        (altered(registration(0), ports=[-1]), "one or more from 1 to 65535"),
        (altered(registration(0), ports=[70000]), "one or more from 1 to 65535"),
        (altered(registration(0), ports=[True]), "where int was expected"),
        (altered(registration(0), pid=10**30), "64 bits"),
        (altered(registration(0), slots="x" * 100_000), "where list was expected"),
        (to_bytes(registration(1)), "it belongs under 'taskmanagers/tm-1'"),
        (altered(registration(0), task_manager_id="\ud800"), "it belongs under"),
    ],
)
def test_a_malformed_registration_is_logged_once_and_shortly(value, complaint, caplog):
    messages = Messages()
    for _ in range(3):
        assert messages.event_of(Change(keys.registration("tm-0"), value)) is None
    (record,) = caplog.records
    assert complaint in record.getMessage()
    assert len(record.getMessage()) < 600


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 10**400, "1e999"])
def test_a_number_that_json_cant_say_is_refused(number):
    text = altered(HEARTBEAT, cpu_percent=0.5).replace(b"0.5", json.dumps(number).strip('"').encode())
    with pytest.raises(MalformedRecordError, match="cpu_percent"):
        from_bytes(Heartbeat, text)


@pytest.mark.parametrize("code", [-1, 256, 1 << 40])
def test_an_exit_code_that_no_process_has_is_refused(code):
    text = altered(SlotResult("tm-0/slot-0", 1, ""), exit_code=code)
    with pytest.raises(MalformedRecordError, match="where 0 to 255 was expected"):
        from_bytes(SlotResult, text)


@pytest.mark.parametrize("value", [b"", b"{}", b'{"user":"ann"}', json.dumps({"user": "x" * 300, "host": "h"}).encode()])
def test_a_malformed_request_to_stop_stops_nothing(value, caplog):
    assert Messages().event_of(Change(keys.STOP, value)) is None
    assert "Ignored a malformed value under 'stop'" in caplog.text


def test_nonsense_under_ever_new_keys_does_not_fill_the_log(caplog):
    messages = Messages()
    for number in range(3000):
        messages.event_of(Change(keys.heartbeat(f"tm-{number}"), b"nonsense"))
    assert len(caplog.records) == 1000


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (registration(0, slots=2), "it has 2 slots where 1 were asked for"),
        (registration(0, slots=10_000), "it has 10000 slots"),
        (dataclasses.replace(registration(0), slots=registration(1).slots), "its slots are ['tm-1/slot-0']"),
        (registration(0, version=1), "its protocol version is 1"),
        (registration(9), "no such TaskManager"),
    ],
)
def test_a_registration_that_cant_be_true_is_refused_and_the_true_one_is_taken(wrong, reason, caplog):
    cluster = state()
    cluster.handle(granted(0), 0)
    assert cluster.handle(Registered(wrong), 1) == []
    assert reason in caplog.text
    assert len(caplog.text) < 600
    cluster.handle(Registered(registration(0)), 2)
    assert [each.id for each in cluster.task_managers.registered()] == ["tm-0"]


def test_a_container_that_yarn_never_granted_is_not_registered():
    cluster = state()
    cluster.handle(granted(0), 0)
    cluster.handle(Registered(registration(0, container="container_of_another_application")), 1)
    assert cluster.task_managers.registered() == []


@pytest.mark.parametrize(
    "wrong",
    [
        dataclasses.replace(HEARTBEAT, version=1),
        dataclasses.replace(HEARTBEAT, slots=(SlotUsage("tm-1/slot-0", 1, 1.0, 1.0),)),
        dataclasses.replace(HEARTBEAT, slots=(SlotUsage("tm-0/slot-0", 1, 1.0, 1.0),) * 1000),
    ],
)
def test_a_heartbeat_that_tells_of_others_is_refused_and_logged_once(wrong, caplog):
    cluster = running()
    caplog.clear()
    for second in range(5):
        cluster.handle(Heard(wrong), second)
    assert cluster.task_managers["tm-0"].heartbeat is None
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_a_lost_device_of_somebody_elses_slot_stops_nobody():
    cluster = running()
    lost = DeviceLost(VERSION, "tm-0", "c0", "gpu", "GPU-1", ("tm-1/slot-0",), "gone")
    assert cluster.handle(LostDevice(lost), 5) == []


@pytest.mark.parametrize("slot", ["tm-0/slot-7", "tm-9/slot-0", "", "x" * 10_000])
def test_the_result_of_a_slot_that_takes_no_part_counts_for_nothing(slot):
    cluster = running()
    assert cluster.handle(SlotEnded(SlotResult(slot, 1, "")), 5) == []
    assert cluster.outcome is None


@pytest.mark.parametrize("line", [b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000, b"1", b"\xff"])
def test_a_line_that_is_no_json_is_skipped_and_the_next_one_is_read(line, tmp_path):
    (tmp_path / EVENTS_FILE).write_bytes(line + b'\n{"event": "good"}\n')
    stop = threading.Event()
    stop.set()
    assert list(follow(tmp_path / EVENTS_FILE, stop)) == [{"event": "good"}]


@pytest.mark.parametrize("line", [{"event": "granted"}, {"event": "granted", "container": "c", "node": "n", "resources": [1]}])
def test_a_line_of_the_tap_without_its_fields_is_an_error_that_its_reader_names(line):
    with pytest.raises((AttributeError, KeyError)):
        tap.granted(line)


def test_the_local_store_closes_a_connection_that_sends_nonsense_and_serves_the_others(tmp_path, caplog):
    store = MemoryStore()
    server = LocalStoreServer(store, tmp_path / "s")
    good = LocalStore(tmp_path / "s")
    for call in (b"nonsense", b"{}", b"[]", b'{"call": "put", "key": "k", "value": "xyz", "owned": true}', b"[" * 100_000):
        with Client(str(tmp_path / "s"), family="AF_UNIX") as bad:
            bad.send_bytes(call)
            with pytest.raises((EOFError, ConnectionError)):
                bad.recv_bytes()
    good.put("key", b"value")
    assert store.get("") == {"key": b"value"}
    wait_for(lambda: caplog.text.count("sent no call of this store's") == 5, "the complaints")  # which come after the connection is closed
    good.close()
    server.close()


def test_yarn_can_be_told_of_a_command_whose_bytes_are_no_text():
    assert Outcome(FAILED, 1, "\udcff failed").to_diagnostics() == "\\udcff failed [exit code 1]"


def test_the_known_good_ones_pass():
    assert Messages().event_of(Change(keys.registration("tm-0"), json.dumps(GOOD).encode())) == Registered(registration(0))

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.launch import Job, Launch
from protocol.outcome import Outcome, from_diagnostics
from protocol.records import VERSION, Device, DeviceLost, JobDeployment, Registration, RegistrationFailure, Slot, SlotResult
from protocol.usage import DeviceUsage, Heartbeat, SlotUsage
from protocol.wire import MAX_BYTES, MalformedRecordError, from_bytes, to_bytes

DEVICE = Device("gpu", "0", "GPU-nm1-0000", {"name": "Fake A100"})
REGISTRATION = Registration(1, "tm-0", "container_1", "nm1", "127.0.0.11", (4711, 4712), 99, (Slot("tm-0/slot-0", (DEVICE,)),))
USAGE = DeviceUsage("gpu", "GPU-nm1-0000", 97, 1024, None, None, 61.5)
RECORDS = [
    REGISTRATION,
    RegistrationFailure(1, "tm-0", "container_1", "nm1", "too few", "ask less", "stderr"),
    JobDeployment("command", "train.py", ("python", "train.py"), "", {"tm-0/slot-0": 0}, "127.0.0.11", 4711, 1, {"tm-0/slot-0": 2}),
    SlotResult("tm-0/slot-0", 3, "boom"),
    DeviceLost(1, "tm-0", "container_1", "gpu", "GPU-nm1-0000", ("tm-0/slot-0",), "Xid 79, GPU has fallen off the bus"),
    Heartbeat(1, "tm-0", "container_1", 7, 61, 12.5, (SlotUsage("tm-0/slot-0", 50, 99.0, 3.5),), (USAGE,)),
    Launch(VERSION, Job("main", ("job.py", "--x")), {"parallelism.default": "1"}, "/usr/bin/python3", "/opt/treadle/bin/python"),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_records_come_back_as_they_were(record):
    assert from_bytes(type(record), to_bytes(record)) == record


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"[]", r"\[\] where dict was expected"),
        (b"{}", r"fields \[\] where .*container_id"),
        (to_bytes(REGISTRATION).replace(b"[4711,", b'["4711",'), r"Registration.ports\[0\]: '4711' where int"),
        (to_bytes(REGISTRATION).replace(b"[4711,", b"[true,"), r"Registration.ports\[0\]: True where int"),
        (to_bytes(REGISTRATION).replace(b'"pid":99', b'"pid":99,"extra":1'), "fields .*extra"),
        (to_bytes(REGISTRATION).replace(b'"index":"0"', b'"index":0'), r"Registration.slots\[0\].devices\[0\].index: 0 where str"),
        (b"[" * 100_000, "not JSON"),
        (b" " * (MAX_BYTES + 1), "at most"),
    ],
)
def test_malformed_bytes_are_named(data, message):
    with pytest.raises(MalformedRecordError, match=message):
        from_bytes(Registration, data)


def test_a_field_of_wrong_value_is_malformed():
    with pytest.raises(MalformedRecordError, match="kind 'pipeline' where 'command' or 'dask'"):
        from_bytes(JobDeployment, to_bytes(RECORDS[2]).replace(b'"kind":"command"', b'"kind":"pipeline"'))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_malformed(data):
    with contextlib.suppress(MalformedRecordError):
        assert isinstance(from_bytes(SlotResult, data), SlotResult)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_any_tree_under_a_field_is_its_type_or_malformed(tree):
    data = json.dumps({"slot_id": tree, "exit_code": 0, "log_tail": "", "attempt": 0, "start": 0}).encode()
    if isinstance(tree, str):
        assert from_bytes(SlotResult, data).slot_id == tree
    else:
        with pytest.raises(MalformedRecordError, match="slot_id"):
            from_bytes(SlotResult, data)


@given(st.sampled_from(["SUCCEEDED", "FAILED", "KILLED"]), st.integers(0, 255), st.text())
def test_an_outcome_survives_yarns_diagnostics(status, exit_code, text):
    outcome = Outcome(status, exit_code, text)
    assert from_diagnostics(status, outcome.to_diagnostics()) == outcome


@pytest.mark.parametrize(("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("KILLED", 3), ("UNDEFINED", 1)])
def test_diagnostics_of_others_have_the_code_of_their_status(status, code):
    assert from_diagnostics(status, "Application killed by user") == Outcome(status, code, "Application killed by user")

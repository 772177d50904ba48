"""Whatever bytes, text or script output arrive: an answer or the one error that its reader knows, never another."""

import contextlib
import dataclasses
import json
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf import files, flink_yaml, lists, units
from drivers.device import DriverError
from drivers.script_output import ScriptOutput
from protocol import keys
from protocol.launch import Launch
from protocol.records import (
    DeviceExclusions,
    DeviceLost,
    Ending,
    JobDeployment,
    Registration,
    RegistrationFailure,
    SlotResult,
    StopRequest,
)
from protocol.store import Change
from protocol.usage import Heartbeat
from protocol.wire import MalformedRecordError, from_bytes, to_bytes
from yarn_am.messages import Messages

RECORDS = (
    Registration,
    RegistrationFailure,
    DeviceLost,
    JobDeployment,
    SlotResult,
    Heartbeat,
    Launch,
    StopRequest,
    Ending,
    DeviceExclusions,
)
PREFIXES = (keys.REGISTRATIONS, keys.FAILURES, keys.LOST_DEVICES, keys.RESULTS, keys.HEARTBEATS, keys.STOP, "")

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8)


def resembling(kind):
    """JSON with the fields of a record, each of which may be of its type or anything else."""
    return st.fixed_dictionaries(
        {field.name: of_type(typing.get_type_hints(kind)[field.name]) | TREES for field in dataclasses.fields(kind)}
    )


def of_type(kind):
    if dataclasses.is_dataclass(kind):
        return resembling(kind)
    if typing.get_origin(kind) is tuple:
        return st.lists(of_type(typing.get_args(kind)[0]), max_size=3)
    return {int: st.integers(), float: st.floats(), str: st.text()}.get(kind, TREES)


BYTES = st.binary() | st.one_of([resembling(kind) for kind in RECORDS]).map(lambda tree: json.dumps(tree).encode())


@pytest.mark.parametrize("kind", RECORDS)
@given(st.data())
def test_a_record_is_read_or_refused_and_what_is_read_can_be_written(kind, data):
    value = data.draw(BYTES | resembling(kind).map(lambda tree: json.dumps(tree).encode()))
    try:
        record = from_bytes(kind, value)
    except MalformedRecordError:
        return
    assert from_bytes(kind, to_bytes(record)) == record
    json.dumps(dataclasses.asdict(record), allow_nan=False)


@given(st.sampled_from(PREFIXES), st.text(), st.none() | BYTES)
def test_any_change_of_the_store_is_an_event_or_nothing(prefix, rest, value):
    Messages().event_of(Change(prefix + rest, value))


@given(st.text() | st.lists(st.sampled_from(["0", "1", ",", ": ", "uuid=", "name=a", ";", "\n", " ", "GPU-1"])).map("".join))
def test_any_output_of_a_discovery_script_is_read_or_a_driver_error(text):
    try:
        devices = ScriptOutput.parse(text).devices("VISIBLE")
    except DriverError:
        return
    assert len({device.uuid for device in devices}) == len(devices)


CONFIGURATION = st.text() | st.lists(
    st.sampled_from(
        [
            "a",
            "a.b",
            ":",
            ": ",
            "- ",
            "\n",
            "\n  ",
            "'",
            '"',
            "[",
            "]",
            "{",
            "}",
            "#",
            "&x ",
            "*x",
            "|",
            "!!python/object:os ",
            "?",
            "1",
            "~",
        ]
    )
).map("".join)


@given(CONFIGURATION)
def test_any_configuration_text_is_lines_or_problems(text):
    lines, problems = flink_yaml.read_yaml(text, "config.yaml")
    assert all(isinstance(line.key, str) for line in lines)
    assert all(problem.cause and problem.remedy for problem in problems)
    flink_yaml.read_list(text)


@pytest.mark.parametrize("name", ["config.yaml", "flink-conf.yaml"])
@given(content=st.binary() | CONFIGURATION.map(lambda text: text.encode(errors="surrogatepass")))
def test_any_configuration_file_is_entries_or_problems(name, content, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / name
    path.write_bytes(content)
    assert all(problem.cause and problem.remedy for problem in files.read_file(path).problems)


@pytest.mark.parametrize("parse", [lists.split_list, units.parse_integer, units.parse_decimal, units.parse_bytes, units.parse_nanoseconds])
@given(text=st.text() | st.from_regex(r"-?[0-9]{1,30}(\.[0-9]*)? ?[a-zA-Z]{0,3}"))
def test_any_value_is_parsed_or_a_value_error(parse, text):
    with contextlib.suppress(ValueError):
        parse(text)

"""What a discovery script prints and what the drivers make of it: indices in the first line, properties after it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from discovery_scripts import WriteScript, driver, indices, writer

from drivers.device import DriverError, FoundDevice
from drivers.discovery_script import DiscoveryScriptDriver
from drivers.script_process import HEAD_BYTES


@pytest.fixture
def script(tmp_path: Path) -> WriteScript:
    return writer(tmp_path)


FIRST_LINES = [
    ("0,1", ["0", "1"]),
    (" 0 , 1 ", ["0", "1"]),
    (",0,,1,", ["0", "1"]),
    ("1,0,1", ["1", "0"]),
    ("GPU-abc,MIG-def", ["GPU-abc", "MIG-def"]),
    ("0000:3b:00.0", ["0000:3b:00.0"]),
    ("0,1\r", ["0", "1"]),
    ("", []),
    (" , ", []),
    ("\n0,1", []),
]


@pytest.mark.parametrize(("printed", "found"), FIRST_LINES)
def test_the_first_line_is_split_at_commas(script: WriteScript, printed: str, found: list[str]) -> None:
    assert indices(script(f"printf '%s\\n' '{printed}'")) == found


def test_a_script_that_prints_nothing_at_all_finds_nothing(script: WriteScript) -> None:
    assert driver(script("exit 0")).discover(1) == []


def test_a_first_line_without_end_is_refused(script: WriteScript) -> None:
    with pytest.raises(DriverError, match=f"first line is longer than {HEAD_BYTES} bytes"):
        driver(script("head -c 3000000 /dev/zero | tr '\\0' 7")).discover(1)


def test_properties_may_follow_the_first_line(script: WriteScript, caplog: pytest.LogCaptureFixture) -> None:
    path = script(
        """[ "$TREADLE_DISCOVERY_PROPERTIES" = 1 ] || exit 1
        echo 0,1,2
        echo '1: uuid=GPU-bb;name=Tesla T4;note=a=b;memory='
        echo '0: uuid=GPU-aa;memory=15360'"""
    )
    found = DiscoveryScriptDriver({"discovery-script.path": str(path), "visibility-variable": "SHOWN"}).discover(3)
    assert found == [
        FoundDevice("0", "GPU-aa", {"memory": "15360"}, {"SHOWN": "GPU-aa"}),
        FoundDevice("1", "GPU-bb", {"name": "Tesla T4", "note": "a=b", "memory": ""}, {"SHOWN": "GPU-bb"}),
        FoundDevice("2", "2", {}, {"SHOWN": "2"}),
    ]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("further", ["done", "1", "0: fine", "5: uuid=GPU-x", "0: uuid=GPU-x;odd", "0: index=7", "0: =x"])
def test_other_lines_are_warned_of_and_ignored(script: WriteScript, caplog: pytest.LogCaptureFixture, further: str) -> None:
    assert driver(script(f"echo 0; echo; echo '{further}'")).discover(1) == [FoundDevice("0", "0")]
    assert f"Only the first line of a discovery script counts; ignored 1 more: {further}" in caplog.text


def test_two_devices_with_one_uuid_are_refused(script: WriteScript) -> None:
    with pytest.raises(DriverError, match="0 and 1 have the same uuid, GPU-x"):
        driver(script("echo 0,1; echo '0: uuid=GPU-x'; echo '1: uuid=GPU-x'")).discover(2)

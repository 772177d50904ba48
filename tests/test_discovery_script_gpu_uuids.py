"""GPUs that a discovery script gives by number, and their uuids from a small nvidia-smi."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from discovery_scripts import WriteScript, writer
from gpu_node import Node

from drivers.device import FoundDevice
from drivers.discovery_script import DiscoveryScriptDriver, GpuDiscoveryScriptDriver


@pytest.fixture
def script(tmp_path: Path) -> WriteScript:
    return writer(tmp_path)


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    node = Node(tmp_path)
    monkeypatch.setenv("PATH", node.path)
    yield node
    node.close()


def uuids_of(path: Path, factory: type[DiscoveryScriptDriver] = GpuDiscoveryScriptDriver, **params: str) -> list[str]:
    return [device.uuid for device in factory({"discovery-script.path": str(path), **params}).discover(2)]


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("1,0", ["GPU-0001", "GPU-0000"]),
        ("0,9", ["GPU-0000", "9"]),
        ("GPU-0001,0000:10:00.0", ["GPU-0001", "0000:10:00.0"]),
        ("0,1\n0: uuid=GPU-told;name=T4\n1: name=T4", ["GPU-told", "GPU-0001"]),
    ],
)
def test_gpus_given_by_number_get_their_uuids_from_nvidia_smi(script: WriteScript, gpus: Node, printed: str, found: list[str]) -> None:
    assert uuids_of(script(f"echo '{printed}'")) == found


def test_a_slot_sees_the_gpu_by_its_uuid(script: WriteScript, gpus: Node) -> None:
    found = GpuDiscoveryScriptDriver({"discovery-script.path": str(script("echo 1"))}).discover(1)
    assert found == [FoundDevice("1", "GPU-0001", {}, {"CUDA_VISIBLE_DEVICES": "GPU-0001"})]


@pytest.mark.parametrize(
    ("variable", "found"),
    [("FPGA_DEVICES", ["0", "1"]), ("", ["0", "1"]), ("CUDA_VISIBLE_DEVICES", ["GPU-0000", "GPU-0001"])],
)
def test_other_devices_are_not_taken_for_gpus(script: WriteScript, gpus: Node, variable: str, found: list[str]) -> None:
    assert uuids_of(script("echo 0,1"), DiscoveryScriptDriver, **{"visibility-variable": variable}) == found


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("#!/no/such/shell\n", "cannot start nvidia-smi: No such file or directory"),
        ("#!/bin/sh\necho 'could not talk to the driver'; exit 9\n", "nvidia-smi ended with 9: could not talk to the driver"),
    ],
)
def test_numbers_stay_numbers_where_nvidia_smi_can_not_tell(
    script: WriteScript, gpus: Node, caplog: pytest.LogCaptureFixture, program: str, why: str
) -> None:
    gpus.install(program)
    assert uuids_of(script("echo 0,1")) == ["0", "1"]
    assert why in caplog.text
    assert "leased by their bare indices" in caplog.text


def test_a_watched_gpu_is_not_lost_when_nvidia_smi_fails_once(script: WriteScript, gpus: Node) -> None:
    driver = GpuDiscoveryScriptDriver({"discovery-script.path": str(script("echo 0,1")), "discovery-script.health": "true"})
    assert [device.uuid for device in driver.discover(2)] == ["GPU-0000", "GPU-0001"]
    gpus.install("#!/bin/sh\nexit 9\n")
    assert driver.health("GPU-0000") is None

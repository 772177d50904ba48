"""What `drivers.device` promises, held against every installed driver: who registers one gives it a line here."""

from __future__ import annotations

import configparser
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from driver_process import ROOT, ask, build_nvml, nvml_environment

from drivers.contract import DriverContract
from drivers.device import DeviceUsage, FoundDevice
from drivers.loading import GROUP, installed

Environment = dict[str, str]
FLINK_GPU = "org.apache.flink.externalresource.gpu.GPUDriverFactory"


def declared() -> set[str]:
    """The drivers of setup.cfg: in an environment with others installed besides, those are not ours to test."""
    setup = configparser.ConfigParser(delimiters="=")
    setup.read(ROOT / "setup.cfg")
    return {line.partition(" = ")[0] for line in setup["options.entry_points"][GROUP].splitlines() if line}


def nothing(directory: Path) -> Environment:
    return {}


def nvml_with_a_gpu_and_a_mig_device(directory: Path) -> Environment:
    return nvml_environment(
        build_nvml(directory),
        directory / "nvml.tsv",
        ("gpu", "GPU-aaaa", "A100", 40 * 2**30, "00000000:10:00.0", 0, 1),
        ("gpu", "GPU-bbbb", "A100", 40 * 2**30, "00000000:11:00.0", 1, 1),
        ("mig", 1, "MIG-1111", "A100 MIG 1g.5gb", 5 * 2**30),
    )


def nvidia_smi_with_two_gpus(directory: Path) -> Environment:
    shutil.copy(ROOT / "minicluster/nvidia-smi", directory)
    (directory / "gpus").write_text("2 node1\n")
    return {"PATH": f"{directory}{os.pathsep}{os.environ['PATH']}"}


def an_rdma_device_with_two_ports(directory: Path) -> Environment:
    for port in ("1", "2"):
        (directory / "mlx5_0/ports" / port).mkdir(parents=True)
        (directory / "mlx5_0/ports" / port / "state").write_text("4: ACTIVE\n")
    return {}


CASES: dict[str, tuple[dict[str, str], Callable[[Path], Environment]]] = {
    "list": ({"addresses": "mlx5_0;mlx5_1"}, nothing),
    "infiniband": ({"root": "{directory}"}, an_rdma_device_with_two_ports),
    "nvidia": ({}, nvml_with_a_gpu_and_a_mig_device),
    "discovery-script": ({}, nvidia_smi_with_two_gpus),
    FLINK_GPU: ({}, nvidia_smi_with_two_gpus),
}
"""Installed name → the least parameters that it works with, and what makes an environment in which it finds at least one device, from a
`{directory}`."""


class Asked:
    """A driver that is asked in a process of its own, since a loaded NVML stays loaded."""

    def __init__(self, factory: str, params: dict[str, str], environment: Environment) -> None:
        self._question = (factory, params, environment)

    def discover(self, amount: int) -> list[FoundDevice]:
        answer = ask(*self._question)
        assert "answers" in answer.content, answer.content
        first, second = answer.content["answers"]
        assert first == second
        return [FoundDevice(**device) for device in first]

    def health(self, device_uuid: str) -> str | None:
        return ask(*self._question).content["health"].get(device_uuid)

    def usage(self, device_uuids: Sequence[str]) -> dict[str, DeviceUsage]:
        return {uuid: DeviceUsage(**told) for uuid, told in ask(*self._question).content["usage"].items()}

    def release(self, device_uuids: Sequence[str]) -> None:
        assert ask(*self._question).content["released"] is None


def test_every_driver_of_ours_has_a_case():
    assert CASES.keys() == declared()
    assert declared() <= set(installed())


@pytest.fixture(scope="module", params=CASES)
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    params, prepare = CASES[request.param]
    directory = tmp_path_factory.mktemp("driver")
    return Asked(request.param, {key: value.format(directory=directory) for key, value in params.items()}, prepare(directory))


class TestOurDrivers(DriverContract):
    @pytest.fixture
    def driver(self, asked: Asked) -> Asked:
        return asked

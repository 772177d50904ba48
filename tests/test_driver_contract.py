"""What `drivers.device` promises, held against every installed driver: who registers one gives it a line here."""

from __future__ import annotations

import configparser
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from driver_process import ROOT, Answer, ask, build_nvml, nvml_environment

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


CASES: dict[str, tuple[dict[str, str], Callable[[Path], Environment]]] = {
    "list": ({"addresses": "mlx5_0;mlx5_1"}, nothing),
    "nvidia": ({}, nvml_with_a_gpu_and_a_mig_device),
    "discovery-script": ({}, nvidia_smi_with_two_gpus),
    FLINK_GPU: ({}, nvidia_smi_with_two_gpus),
}
"""Installed name → the least parameters that it works with, and what makes an environment in which it finds at least one device."""


@pytest.fixture(scope="module", params=CASES)
def answer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answer:
    params, prepare = CASES[request.param]
    return ask(request.param, params, prepare(tmp_path_factory.mktemp("driver")))


def test_every_driver_of_ours_has_a_case():
    assert CASES.keys() == declared()
    assert declared() <= set(installed())


def test_devices_are_found(answer):
    assert answer.content.get("answers"), answer.content
    assert answer.devices


def test_every_device_has_an_index_and_a_uuid_of_its_own(answer):
    for identity in ("index", "uuid"):
        values = [device[identity] for device in answer.devices]
        assert all(isinstance(value, str) and value.strip() for value in values)
        assert len(set(values)) == len(values)


def test_properties_and_visibility_are_text(answer):
    for device in answer.devices:
        for mapping in (device["properties"], device["visibility"]):
            assert all(isinstance(text, str) for item in mapping.items() for text in item)


def test_visibility_values_can_be_joined_by_commas(answer):
    assert [value for device in answer.devices for value in device["visibility"].values() if not value or "," in value] == []


def test_asking_twice_gives_the_same(answer):
    first, second = answer.content["answers"]
    assert first == second

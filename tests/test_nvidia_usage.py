"""What the nvidia driver says of its devices' use, with the real pynvml on the NVML of tests/fakes/nvml.c."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from driver_process import ask, build_nvml, nvml_environment

GPU = ("gpu", "GPU-aaaa", "A100", 40 * 2**30, "00000000:10:00.0", 0, 1)
SPLIT = ("gpu", "GPU-bbbb", "A100", 40 * 2**30, "00000000:11:00.0", 1, 1)
MIG = ("mig", 1, "MIG-1111", "A100 MIG 1g.5gb", 5 * 2**30)
USE = (("use", 0, 87, 3 * 2**30, 61, 250_500), ("use", 1, 5, 2**30, 40, 90_000))
BUSY = {"utilization": 87, "memory_used_mb": 3072, "memory_total_mb": 40960, "temperature_c": 61, "power_w": 250.5}
OF_MIG = {"utilization": None, "memory_used_mb": 0, "memory_total_mb": 5120, "temperature_c": 40, "power_w": 90.0}
NOT_SUPPORTED, NO_PERMISSION, UNKNOWN = 3, 4, 999


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_nvml(tmp_path_factory.mktemp("nvml"))


def usage(library: Path, directory: Path, *lines: tuple[object, ...]) -> Any:
    return ask("nvidia", {}, nvml_environment(library, directory / "nvml.tsv", *lines)).content["usage"]


def test_gpus_and_mig_devices_tell_what_they_can(library, tmp_path):
    assert usage(library, tmp_path, GPU, SPLIT, MIG, *USE) == {"GPU-aaaa": BUSY, "MIG-1111": OF_MIG}


@pytest.mark.parametrize(
    ("function", "result", "unknown"),
    [
        ("nvmlDeviceGetUtilizationRates", NOT_SUPPORTED, ["utilization"]),
        ("nvmlDeviceGetTemperature", NO_PERMISSION, ["temperature_c"]),
        ("nvmlDeviceGetPowerUsage", UNKNOWN, ["power_w"]),
    ],
)
def test_what_a_gpu_does_not_tell_is_unknown(library, tmp_path, function, result, unknown):
    told = usage(library, tmp_path, GPU, *USE[:1], ("fail", function, 0, result))
    assert told == {"GPU-aaaa": BUSY | dict.fromkeys(unknown)}

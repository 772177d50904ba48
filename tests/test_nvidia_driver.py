"""The nvidia driver with the real pynvml, on an NVML that tests/fakes/nvml.c is compiled to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driver_process import LIBRARY, Answer, ask, build_nvml, nvml_environment

from drivers.device import DriverError
from drivers.nvidia import NvidiaDriver

GIB = 2**30
LOST, NO_PERMISSION, NOT_SUPPORTED, FUNCTION_NOT_FOUND, UNKNOWN = 15, 4, 3, 13, 999

FIRST = ("gpu", "GPU-aaaa", "NVIDIA A100-SXM4-40GB", 40 * GIB, "00000000:10:00.0", 0, 0b01)
SECOND = ("gpu", "GPU-bbbb", "NVIDIA A100-SXM4-40GB", 40 * GIB, "00000000:11:00.0", 0, 0b10)
SPLIT = ("gpu", "GPU-cccc", "NVIDIA A100-SXM4-40GB", 40 * GIB, "00000000:12:00.0", 1, 0b10)
SMALL = ("mig", 0, "MIG-1111", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", 4864 * 2**20)
LARGE = ("mig", 2, "MIG-2222", "NVIDIA A100-SXM4-40GB MIG 3g.20gb", 19968 * 2**20)

Discover = Callable[..., Answer]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_nvml(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def discover(library: Path, tmp_path: Path) -> Discover:
    def discover(*lines: tuple[object, ...], **params: str) -> Answer:
        return ask(
            "nvidia",
            {key.replace("_", "-"): value for key, value in params.items()},
            nvml_environment(library, tmp_path / "nvml.tsv", *lines),
        )

    return discover


def uuids(answer: Answer) -> list[str]:
    return [device["uuid"] for device in answer.devices]


def test_a_gpu_with_all_that_nvml_tells(discover):
    assert discover(FIRST).devices == [
        {
            "index": "0",
            "uuid": "GPU-aaaa",
            "properties": {
                "name": "NVIDIA A100-SXM4-40GB",
                "memory": "40960",
                "pci_bus_id": "00000000:10:00.0",
                "minor_number": "0",
                "numa_node": "0",
            },
            "visibility": {"CUDA_VISIBLE_DEVICES": "GPU-aaaa"},
        }
    ]


def test_all_gpus_in_the_order_of_nvml_however_few_are_asked_for(discover):
    assert [(device["index"], device["uuid"]) for device in discover(SECOND, FIRST).devices] == [("0", "GPU-bbbb"), ("1", "GPU-aaaa")]


def test_a_node_without_gpus_has_an_empty_list(discover):
    assert discover().devices == []


def test_a_gpu_in_mig_mode_is_its_mig_devices(discover):
    small, large = discover(SPLIT, SMALL, LARGE).devices
    assert small == {
        "index": "0:0",
        "uuid": "MIG-1111",
        "properties": {
            "name": "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
            "memory": "4864",
            "mig_profile": "1g.5gb",
            "parent_uuid": "GPU-cccc",
            "pci_bus_id": "00000000:12:00.0",
            "minor_number": "0",
            "numa_node": "1",
        },
        "visibility": {"CUDA_VISIBLE_DEVICES": "MIG-1111"},
    }
    assert (large["index"], large["properties"]["mig_profile"], large["properties"]["memory"]) == ("0:2", "3g.20gb", "19968")


def test_gpus_with_and_without_mig_side_by_side(discover):
    answer = discover(FIRST, SPLIT, LARGE, SECOND)
    assert [(device["index"], device["uuid"]) for device in answer.devices] == [("0", "GPU-aaaa"), ("1:2", "MIG-2222"), ("2", "GPU-bbbb")]


def test_a_gpu_in_mig_mode_without_instances_contributes_nothing(discover):
    assert uuids(discover(SPLIT, FIRST)) == ["GPU-aaaa"]
    assert discover(SPLIT).devices == []


@pytest.mark.parametrize("result", [NOT_SUPPORTED, FUNCTION_NOT_FOUND])
@pytest.mark.parametrize(
    ("function", "missing"),
    [
        ("nvmlDeviceGetMigMode", set()),
        ("nvmlDeviceGetMemoryInfo", {"memory"}),
        ("nvmlDeviceGetPciInfo_v3", {"pci_bus_id"}),
        ("nvmlDeviceGetMemoryAffinity", {"numa_node"}),
        ("nvmlDeviceGetMinorNumber", {"minor_number"}),
    ],
)
def test_what_nvml_does_not_tell_is_left_out(discover, function, missing, result):
    (device,) = discover(FIRST, ("fail", function, -1, result)).devices
    assert {"name", "memory", "pci_bus_id", "numa_node", "minor_number"} - device["properties"].keys() == missing


def test_nvlink_is_told_of_both_ends(discover):
    third = ("gpu", "GPU-dddd", *FIRST[2:])
    first, second, other = discover(FIRST, SECOND, third, ("nvlink", 0, 1)).devices
    assert (first["properties"]["nvlink"], second["properties"]["nvlink"]) == ("GPU-bbbb", "GPU-aaaa")
    assert "nvlink" not in other["properties"]


@pytest.mark.parametrize("result", [NOT_SUPPORTED, FUNCTION_NOT_FOUND, LOST])
def test_gpus_whose_links_nvml_does_not_tell_are_found_all_the_same(discover, result):
    answer = discover(FIRST, SECOND, ("nvlink", 0, 1), ("fail", "nvmlDeviceGetP2PStatus", -1, result))
    assert uuids(answer) == ["GPU-aaaa", "GPU-bbbb"]
    assert all("nvlink" not in device["properties"] for device in answer.devices)


def test_mig_devices_have_the_minor_number_of_their_gpu(discover):
    (device,) = discover(FIRST, SPLIT, LARGE, ("minor", 1, 5)).devices[1:]
    assert device["properties"]["minor_number"] == "5"


@pytest.mark.parametrize("nodes", [0, 0b11])
def test_no_or_several_nearest_numa_nodes_are_no_numa_node(discover, nodes):
    (device,) = discover((*FIRST[:-1], nodes)).devices
    assert "numa_node" not in device["properties"]


@pytest.mark.parametrize(
    "function", ["nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetUUID", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetMigMode"]
)
def test_a_lost_gpu_is_left_out_with_a_warning_that_names_it(discover, function):
    answer = discover(FIRST, SECOND, ("fail", function, 0, LOST))
    assert uuids(answer) == ["GPU-bbbb"]
    assert "WARNING GPU 0 is left out, NVML says: GPU is lost" in answer.log


def test_a_gpu_that_the_cgroup_denies_is_left_out_without_a_warning(discover):
    answer = discover(FIRST, SECOND, ("fail", "nvmlDeviceGetHandleByIndex_v2", 1, NO_PERMISSION))
    assert uuids(answer) == ["GPU-aaaa"]
    assert "INFO GPU 1 is left out, NVML says: Insufficient Permissions" in answer.log


def test_when_every_gpu_fails_the_cause_names_each(discover):
    answer = discover(FIRST, SECOND, *(("fail", "nvmlDeviceGetHandleByIndex_v2", gpu, (LOST, NO_PERMISSION)[gpu]) for gpu in (0, 1)))
    assert answer.content["cause"] == "NVML gives no usable GPU: GPU 0: GPU is lost; GPU 1: Insufficient Permissions"
    assert "nvidia-smi -L" in answer.content["remedy"]


@pytest.mark.parametrize(
    ("function", "result", "words", "remedy"),
    [
        ("nvmlInitWithFlags", 9, "Driver Not Loaded", "modprobe nvidia"),
        ("nvmlInitWithFlags", NO_PERMISSION, "Insufficient Permissions", "/dev/nvidiactl"),
        ("nvmlInitWithFlags", 18, "RM has detected an NVML/RM version mismatch.", "reboot"),
        ("nvmlInitWithFlags", 29, "A Failure Of The Fake", "nvidia-smi -L"),
        ("nvmlDeviceGetCount_v2", UNKNOWN, "Unknown Error", "nvidia-smi -L"),
        ("nvmlShutdown", UNKNOWN, "Unknown Error", "nvidia-smi -L"),
    ],
)
def test_nvml_failing_as_a_whole_is_told_in_its_own_words(discover, function, result, words, remedy):
    content = discover(FIRST, ("fail", function, -1, result)).content
    assert content["cause"] == f"NVML says: {words}"
    assert remedy in content["remedy"]


@pytest.mark.parametrize("failure", [(), (("fail", "nvmlDeviceGetCount_v2", -1, UNKNOWN),), (("fail", "nvmlDeviceGetUUID", 0, LOST),)])
def test_nvml_is_shut_down_whatever_happens(discover, failure):
    assert discover(FIRST, *failure).content["in_use"] is False


def test_the_fake_would_tell_of_a_session_left_open(discover):
    assert discover(FIRST, ("fail", "nvmlShutdown", -1, UNKNOWN)).content["in_use"] is True


def test_a_node_without_nvml(tmp_path: Path):
    (tmp_path / LIBRARY).touch()  # an empty file can't be loaded, and it hides a real NVML
    content = ask("nvidia", {}, {"LD_LIBRARY_PATH": str(tmp_path)}).content
    assert content["cause"] == "NVML says: NVML Shared Library Not Found"
    assert "libnvidia-ml.so.1" in content["remedy"]


def test_an_environment_without_pynvml():
    content = ask("drivers.nvidia:NvidiaDriver", {}, {}, python=("-S",)).content  # -S: without installed packages
    assert content["cause"] == "the nvidia driver needs the Python module pynvml: No module named 'pynvml'"
    assert "pip install nvidia-ml-py" in content["remedy"]


def test_parameters_are_refused():
    with pytest.raises(DriverError, match=r"no parameter path, uuid$"):
        NvidiaDriver({"uuid": "GPU-aaaa", "path": "x"})


@pytest.mark.parametrize(("share", "found"), [("false", ["GPU-bbbb"]), ("true", ["GPU-bbbb", "GPU-aaaa"])])
def test_a_gpu_that_somebody_computes_on_is_left_out_or_comes_last(discover, share, found):
    answer = discover(FIRST, SECOND, ("process", 0, 4711), share_busy=share)
    assert uuids(answer) == found
    assert answer.content["remarks"] == "GPU 0 (GPU-aaaa) is busy with process 4711"


def test_remarks_tell_of_a_lost_gpu(discover):
    answer = discover(FIRST, SECOND, ("fail", "nvmlDeviceGetUUID", 0, LOST))
    assert answer.content["remarks"] == "GPU 0 is left out, NVML says: GPU is lost"

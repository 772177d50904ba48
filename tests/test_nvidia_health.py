"""What the nvidia driver says of GPUs that it watches, with the real pynvml on the NVML of tests/fakes/nvml.c."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driver_process import FAKES, ROOT, build_nvml, nvml_environment

FIRST = ("gpu", "GPU-aaaa", "A100", 40 * 2**30, "00000000:10:00.0", 0, 1)
SECOND = ("gpu", "GPU-bbbb", "A100", 40 * 2**30, "00000000:11:00.0", 0, 1)
SPLIT = ("gpu", "GPU-cccc", "A100", 40 * 2**30, "00000000:12:00.0", 1, 1)
MIG_0 = ("mig", 0, "MIG-0000", "A100 MIG 1g.5gb", 5 * 2**30)
MIG_2 = ("mig", 2, "MIG-2222", "A100 MIG 3g.20gb", 20 * 2**30)
INVALID_ARGUMENT, NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, FUNCTION_NOT_FOUND, LOST, RESET_REQUIRED, UNKNOWN = 2, 3, 4, 6, 13, 15, 16, 999
OF_GPU = (-1, -1)
"""GPU instance and compute instance of an Xid that names none."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_nvml(tmp_path_factory.mktemp("nvml"))


class Watched:
    """A node whose GPUs are watched."""

    def __init__(self, library: Path, directory: Path) -> None:
        self.state, self.log = directory / "nvml.tsv", directory / "log"
        self._library = library
        self._process: subprocess.Popen[str] | None = None

    def become(self, *lines: tuple[object, ...]) -> None:
        new = self.state.with_suffix(".new")
        self.environment = nvml_environment(self._library, new, *lines) | {"FAKE_NVML": str(self.state)}
        new.rename(self.state)

    def health(self) -> dict[str, Any]:
        process = self._running()
        assert process.stdin
        assert process.stdout
        process.stdin.write("look\n")
        process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        return answer

    def end(self) -> int:
        process = self._running()
        process.communicate(timeout=60)
        return process.returncode

    def stop(self) -> None:
        if self._process:
            with self._process:  # closes its pipes
                self._process.kill()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            with self.log.open("w") as log:
                self._process = subprocess.Popen(
                    [sys.executable, str(FAKES / "watch_driver.py"), "nvidia", "{}"],
                    env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
        return self._process


@pytest.fixture
def node(library: Path, tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(library, tmp_path)
    yield watched
    watched.stop()


def test_a_healthy_gpu_stays_so(node):
    node.become(FIRST, SECOND)
    assert [node.health() for _ in range(2)] == [{"GPU-aaaa": None, "GPU-bbbb": None}] * 2
    assert node.end() == 0


def test_a_gpu_that_falls_off_the_bus_is_lost_and_its_neighbour_is_not(node):
    node.become(FIRST, SECOND)
    node.health()
    node.become(FIRST, SECOND, ("lost", 0))
    assert node.health() == {"GPU-aaaa": "NVML says: GPU is lost", "GPU-bbbb": None}
    assert node.end() == 0


@pytest.mark.parametrize(("result", "words"), [(NOT_FOUND, "Not Found"), (UNKNOWN, "Unknown Error")])
def test_a_gpu_that_nvml_has_known_and_does_not_find_any_more_is_lost(node, result, words):
    node.become(FIRST)
    assert node.health() == {"GPU-aaaa": None}
    node.become(FIRST, ("fail", "nvmlDeviceGetHandleByUUID", 0, result))
    assert node.health() == {"GPU-aaaa": f"NVML says: {words}"}


def test_a_gpu_that_has_gone_altogether_is_lost(node):
    node.become(FIRST, SECOND)
    node.health()
    node.become(FIRST)
    assert node.health() == {"GPU-aaaa": None, "GPU-bbbb": "NVML says: Not Found"}


def test_a_driver_too_old_to_find_a_device_by_its_uuid_says_nothing_of_its_health(node):
    node.become(SPLIT, MIG_0, ("fail", "nvmlDeviceGetHandleByUUID", 0, NOT_FOUND))
    assert node.health() == {"MIG-0000": {"unknown": "NVML says: Not Found"}}


@pytest.mark.parametrize(
    ("function", "result"),
    [("nvmlDeviceGetMemoryInfo", LOST), ("nvmlDeviceGetTotalEccErrors", RESET_REQUIRED), ("nvmlDeviceGetRemappedRows", LOST)],
)
def test_whichever_question_a_gpu_fails_at_it_is_lost(node, function, result):
    node.become(FIRST)
    node.health()
    node.become(FIRST, ("fail", function, 0, result))
    assert node.health()["GPU-aaaa"].startswith("NVML says: GPU ")


def test_what_nvml_does_not_tell_is_unknown_and_may_be_told_later(node):
    node.become(FIRST, ("fail", "nvmlDeviceGetHandleByUUID", 0, NO_PERMISSION))
    assert node.health() == {"GPU-aaaa": {"unknown": "NVML says: Insufficient Permissions"}}
    node.become(FIRST)
    assert node.health() == {"GPU-aaaa": None}


@pytest.mark.parametrize(
    ("function", "result"),
    [
        ("nvmlDeviceGetMemoryInfo", NOT_SUPPORTED),
        ("nvmlDeviceGetTotalEccErrors", NOT_SUPPORTED),
        ("nvmlDeviceGetRemappedRows", INVALID_ARGUMENT),
        ("nvmlDeviceIsMigDeviceHandle", FUNCTION_NOT_FOUND),
        ("nvmlDeviceGetSupportedEventTypes", NOT_SUPPORTED),
        ("nvmlDeviceRegisterEvents", NO_PERMISSION),
        ("nvmlEventSetCreate", NOT_SUPPORTED),
        ("nvmlEventSetWait_v2", UNKNOWN),
    ],
)
def test_a_gpu_that_does_not_know_a_question_is_watched_by_the_others(node, function, result):
    unknown = ("fail", function, -1, result)
    node.become(FIRST, unknown)
    assert node.health() == {"GPU-aaaa": None}
    node.become(FIRST, unknown, ("lost", 0))
    assert node.health() == {"GPU-aaaa": "NVML says: GPU is lost"}


@pytest.mark.parametrize("xid", [79, 48, 1234])
def test_a_critical_xid_is_a_loss(node, xid):
    node.become(FIRST, SECOND)
    node.health()
    node.become(FIRST, SECOND, ("xid", 1, xid, *OF_GPU))
    health = node.health()
    assert health["GPU-aaaa"] is None
    assert health["GPU-bbbb"].split(",")[0] == f"Xid {xid}"
    assert node.health() == health


def test_an_xid_tells_why_a_gpu_does_not_answer(node):
    node.become(FIRST)
    node.health()
    node.become(FIRST, ("xid", 0, 48, *OF_GPU))
    assert node.health() == {"GPU-aaaa": "Xid 48, double-bit ECC error"}
    node.become(FIRST, ("xid", 0, 48, *OF_GPU), ("lost", 0))
    assert node.health() == {"GPU-aaaa": "Xid 48, double-bit ECC error; NVML says: GPU is lost"}


@pytest.mark.parametrize("xid", [13, 31, 43, 45, 68, 109])
def test_an_xid_that_is_the_applications_fault_is_none(node, xid):
    node.become(FIRST)
    node.health()
    node.become(FIRST, ("xid", 0, xid, *OF_GPU))
    assert node.health() == {"GPU-aaaa": None}
    assert f"INFO Xid {xid} of GPU-aaaa is the application's" in node.log.read_text()


def test_xids_from_before_the_watch_do_not_count(node):
    node.become(FIRST, ("xid", 0, 79, *OF_GPU))
    assert [node.health(), node.health()] == [{"GPU-aaaa": None}] * 2


@pytest.mark.parametrize(
    ("instances", "lost"), [(OF_GPU, ["MIG-0000", "MIG-2222"]), ((2, 0), ["MIG-2222"]), ((0, 0), ["MIG-0000"]), ((5, 0), [])]
)
def test_an_xid_of_a_gpu_is_one_of_its_mig_devices_unless_it_names_another(node, instances, lost):
    node.become(SPLIT, MIG_0, MIG_2)
    node.health()
    node.become(SPLIT, MIG_0, MIG_2, ("xid", 0, 95, *instances))
    assert [uuid for uuid, ailment in node.health().items() if ailment] == lost


def test_uncorrectable_errors_count_from_when_the_gpu_was_taken(node):
    node.become(FIRST, SECOND, ("ecc", 0, 5))
    assert node.health() == {"GPU-aaaa": None, "GPU-bbbb": None}
    node.become(FIRST, SECOND, ("ecc", 0, 5), ("ecc", 1, 2))
    assert node.health() == {"GPU-aaaa": None, "GPU-bbbb": "2 uncorrectable memory errors (ECC) since it was taken"}
    node.become(FIRST, SECOND, ("ecc", 0, 6))
    assert node.health()["GPU-aaaa"] == "1 uncorrectable memory errors (ECC) since it was taken"


def test_a_row_that_could_not_be_remapped_counts_from_then_on_too(node):
    node.become(FIRST, SECOND, ("rows", 0, 1))
    assert node.health() == {"GPU-aaaa": None, "GPU-bbbb": None}
    node.become(FIRST, SECOND, ("rows", 0, 1), ("rows", 1, 1))
    assert node.health() == {"GPU-aaaa": None, "GPU-bbbb": "a memory row could not be remapped"}

"""Which devices a TaskManager takes when YARN has assigned it GPUs, and when it has not."""

import sys
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from assigned_gpus import GPU, ME, gpu

from conf.settings import ExternalResource
from drivers.device import DriverError, FoundDevice
from task_manager.assigned import Assigned
from task_manager.devices import acquire
from task_manager.leases import Leases


@pytest.fixture
def take(monkeypatch, tmp_path):
    """Acquires the GPUs that `resource` asks for, on a node that shows `shown`."""

    def take(shown, assigned, resource=GPU):
        driver = SimpleNamespace(discover=lambda amount: shown, remarks="GPU 3 is left out")
        monkeypatch.setitem(sys.modules, "fake_drivers", SimpleNamespace(driver=lambda params: driver))
        with Leases(tmp_path, ME) as leases:
            held = acquire([resource], leases, ExitStack(), assigned=lambda: assigned)
            assert len(leases.descriptors()) == len(held["gpu"].devices)
            return [device.uuid for device in held["gpu"].devices]

    return take


def test_the_assigned_gpus_are_taken_and_no_others(take):
    assert take([gpu(i) for i in range(4)], Assigned(frozenset({"1", "3"}), {})) == ["GPU-1", "GPU-3"]


def test_an_assigned_gpu_that_is_not_shown_is_an_error(take):
    with pytest.raises(DriverError) as raised:
        take([gpu(0), gpu(1), gpu(2)], Assigned(frozenset({"1", "3"}), {}))
    assigned = "gpu: asked 2, YARN assigned /dev/nvidia1, /dev/nvidia3 to this container"
    assert raised.value.cause == f"{assigned}, among the 3 devices that the driver shows are of these: GPU-1"
    assert "nvidia-smi -L" in raised.value.remedy
    assert "allowed-gpu-devices" in raised.value.remedy
    assert raised.value.detail == "GPU 3 is left out"


def test_a_driver_that_has_no_more_to_show_is_told_of_the_assignment(monkeypatch, tmp_path):
    def discover(amount):
        if amount > 3:
            raise DriverError("the discovery script exited with 1", "look at it", "nvidia-smi shows 3")
        return [gpu(i) for i in range(amount)]

    monkeypatch.setitem(sys.modules, "fake_drivers", SimpleNamespace(driver=lambda params: SimpleNamespace(discover=discover)))
    with (
        Leases(tmp_path, ME) as leases,
        pytest.raises(DriverError, match=r"among the 3 devices .*: GPU-1$") as raised,
    ):
        acquire([GPU], leases, ExitStack(), assigned=lambda: Assigned(frozenset({"1", "3"}), {}))
    assert raised.value.detail == "nvidia-smi shows 3"


def test_gpus_that_tell_no_minor_number_are_left_to_the_leases(take):
    assert take([gpu(i, told=False) for i in range(4)], Assigned(frozenset({"1", "3"}), {})) == ["GPU-0", "GPU-1"]


def test_the_assignment_is_for_what_yarn_counts_as_gpus(take):
    resource = ExternalResource("gpu", 1, "fake_drivers:driver", "nvidia.com/mig", {})
    assert take([gpu(0), gpu(1)], Assigned(frozenset({"1"}), {}), resource) == ["GPU-0"]


def test_of_free_devices_the_nearest_are_leased_and_the_rest_is_given_back(take):
    shown = [FoundDevice(str(i), f"GPU-{i}", {"numa_node": str(i % 2)}) for i in range(4)]
    assert take(shown, None) == ["GPU-0", "GPU-2"]

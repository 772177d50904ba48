"""A device that was lost is kept out: by the application master's policy, by the next TaskManager, and in a whole application."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from submitting import running
from test_lost_devices import befall, wait_for, with_a_gpu_each

from conf.settings import ExternalResource
from drivers.device import DriverError, FoundDevice
from protocol import keys
from protocol.memory_store import MemoryStore
from protocol.records import VERSION, DeviceExclusions, DeviceLost, ExcludedDevice
from protocol.wire import to_bytes
from task_manager.devices import acquire
from task_manager.exclusions import excluded_devices
from task_manager.leases import Leases
from yarn_am.excluded_devices import ExcludedDevices

BAD = ExcludedDevice("nm1", "gpu", "GPU-0", "Xid 79")


def lost(uuid="GPU-0"):
    return DeviceLost(VERSION, "tm-0", "c0", "gpu", uuid, (), "Xid 79")


def test_a_lost_device_is_kept_out_on_its_node_and_let_in_again():
    excluded = ExcludedDevices(exclusion_s=100)
    excluded.add(lost(), "nm1", 0)
    excluded.add(lost(), "nm2", 50)
    assert [each.node for each in excluded.at(99)] == ["nm1", "nm2"]
    assert [each.node for each in excluded.at(100)] == ["nm2"]
    assert excluded.at(150) == ()


def test_a_device_that_is_lost_again_stays_out_longer():
    excluded = ExcludedDevices(exclusion_s=100)
    excluded.add(lost(), "nm1", 0)
    excluded.add(lost(), "nm1", 50)
    assert excluded.at(120) == (BAD,)


@pytest.mark.parametrize(("node", "found"), [("nm1", {"GPU-0": "Xid 79"}), ("nm2", {})])
def test_a_task_manager_heeds_what_is_kept_out_on_its_node(node, found):
    store = MemoryStore()
    assert excluded_devices(store, node) == {}
    store.put(keys.EXCLUDED_DEVICES, to_bytes(DeviceExclusions((BAD,))))
    assert excluded_devices(store, node) == found


def test_malformed_exclusions_keep_nothing_out(caplog):
    store = MemoryStore()
    store.put(keys.EXCLUDED_DEVICES, b"{}")
    assert excluded_devices(store, "nm1") == {}
    assert "Ignored malformed exclusions" in caplog.text


class TwoGpus:
    def __init__(self, params):
        self._params = params

    def discover(self, amount):
        return [FoundDevice(str(number), f"GPU-{number}") for number in range(2)]


def taken(directory, amount, on_missing="fail"):
    resource = ExternalResource("gpu", amount, f"{__name__}:TwoGpus", "yarn.io/gpu", {}, on_missing=on_missing)
    with Leases(directory, "container_me") as leases:
        held = acquire([resource], leases, ExitStack(), 60, excluded=lambda: {"GPU-0": "Xid 79"})
    return [device.uuid for device in held["gpu"].devices]


def test_another_device_is_taken_in_its_place(tmp_path):
    assert taken(tmp_path, 1) == ["GPU-1"]


def test_nobody_waits_for_it_and_the_shortage_says_why(tmp_path):
    with pytest.raises(DriverError, match="asked 2, found 2, of these 1 free; GPU-0 was lost before: Xid 79") as caught:
        taken(tmp_path, 2)
    assert "Have the lost devices looked at" in caught.value.remedy
    assert taken(tmp_path, 2, on_missing="warn") == ["GPU-1"]


def test_a_replacement_on_the_same_node_takes_another_gpu(tmp_path):
    """An Xid stays in nobody's memory but ours: the driver shows the GPU to the next TaskManager as if nothing had happened."""
    arguments, environment = with_a_gpu_each(tmp_path, 1, **{"restart-strategy.type": "fixed-delay"})
    home = tmp_path / "treadle-home/applications"
    job = ["sh", "-c", 'echo "$CUDA_VISIBLE_DEVICES" > new && mv new gpu; exec sleep 1000']

    def gpu_of(task_manager: str) -> str:
        return wait_for(lambda: next((file.read_text().strip() for file in home.glob(f"*/{task_manager}/gpu")), None))

    with running([*arguments, "--", *job], environment, tmp_path):
        assert gpu_of("tm-0") == "GPU-0"
        befall(tmp_path, "xid", 0, 79, -1, -1)
        assert gpu_of("tm-1") == "GPU-1"
        (log,) = home.glob("*/tm-1/taskmanager.log")
        assert "Leaving out GPU-0, which was lost on this node: " in log.read_text()

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.device import FoundDevice
from task_manager.dealing import deal, visibility

ORDER = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def gpus(count):
    return [FoundDevice(str(i), f"GPU-{i}", {}, {"CUDA_VISIBLE_DEVICES": f"GPU-{i}"}) for i in range(count)]


def indices(hands):
    return [[device.index for device in hand] for hand in hands]


@pytest.mark.parametrize(
    ("devices", "slots", "dealt"),
    [
        (0, 1, [[]]),
        (1, 1, [["0"]]),
        (2, 1, [["0", "1"]]),
        (4, 2, [["0", "1"], ["2", "3"]]),
        (5, 2, [["0", "1", "2"], ["3", "4"]]),
        (1, 3, [["0"], [], []]),
    ],
)
def test_neighbours_stay_together_and_the_first_slots_get_the_rest(devices, slots, dealt):
    assert indices(deal(gpus(devices), slots)) == dealt


@pytest.mark.parametrize(
    ("devices", "slots", "slots_per_device", "dealt"),
    [
        (2, 4, 2, [["0"], ["0"], ["1"], ["1"]]),
        (1, 4, 4, [["0"]] * 4),
        (2, 2, 2, [["0"], ["1"]]),
        (1, 4, 2, [["0"], ["0"], [], []]),
        (3, 2, 2, [["0", "1"], ["1", "2"]]),
    ],
)
def test_slots_per_device_lets_neighbours_share(devices, slots, slots_per_device, dealt):
    assert indices(deal(gpus(devices), slots, slots_per_device=slots_per_device)) == dealt


def test_assignment_to_the_task_manager_shows_all_to_every_slot():
    assert indices(deal(gpus(2), 3, assignment="task-manager")) == [["0", "1"]] * 3


@given(st.integers(0, 40), st.integers(1, 40), st.integers(1, 5))
def test_no_device_has_more_slots_than_it_may(devices, slots, slots_per_device):
    held = [device.uuid for hand in deal(gpus(devices), slots, slots_per_device=slots_per_device) for device in hand]
    assert set(held) == {device.uuid for device in gpus(devices)}
    assert all(held.count(uuid) <= slots_per_device for uuid in held)


@given(st.integers(0, 40), st.integers(1, 40))
def test_every_device_is_dealt_once_and_evenly(devices, slots):
    hands = deal(gpus(devices), slots)
    assert len(hands) == slots
    assert [device.uuid for hand in hands for device in hand] == [device.uuid for device in gpus(devices)]
    assert max(map(len, hands)) - min(map(len, hands)) <= 1


@given(st.integers(1, 12), st.integers(1, 5))
def test_with_slots_enough_every_device_has_all_the_slots_that_it_may(devices, slots_per_device):
    held = [device.uuid for hand in deal(gpus(devices), devices * slots_per_device, slots_per_device=slots_per_device) for device in hand]
    assert all(held.count(device.uuid) == slots_per_device for device in gpus(devices))


def test_a_slot_sees_its_own_devices_only():
    assert visibility([]) == {"CUDA_VISIBLE_DEVICES": "", "NVIDIA_VISIBLE_DEVICES": "void", **ORDER}
    assert visibility(gpus(2)) == {"CUDA_VISIBLE_DEVICES": "GPU-0,GPU-1", "NVIDIA_VISIBLE_DEVICES": "GPU-0,GPU-1", **ORDER}


def test_a_driver_may_tell_nvidias_container_runtime_something_else():
    gpu = FoundDevice("0", "GPU-0", {}, {"CUDA_VISIBLE_DEVICES": "GPU-0", "NVIDIA_VISIBLE_DEVICES": "0"})
    assert visibility([gpu])["NVIDIA_VISIBLE_DEVICES"] == "0"


def test_devices_of_other_kinds_have_variables_of_their_own():
    nic = FoundDevice("mlx5_0", "mlx5_0", {}, {"UCX_NET_DEVICES": "mlx5_0"})
    own = {"CUDA_VISIBLE_DEVICES": "GPU-0", "NVIDIA_VISIBLE_DEVICES": "GPU-0", "UCX_NET_DEVICES": "mlx5_0"}
    assert visibility([nic, *gpus(1)]) == own | ORDER


def test_slots_that_share_devices_share_near_ones():
    devices = [FoundDevice(str(i), f"GPU-{i}", {"numa_node": str(i % 2)}) for i in range(4)]
    assert indices(deal(devices, 2, slots_per_device=2)) == [["0", "2"], ["1", "3"]]

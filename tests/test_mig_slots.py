"""Slots with more MIG devices than CUDA uses."""

import pytest

from conf.settings import ExternalResource
from drivers.device import DriverError, FoundDevice
from task_manager.dealing import deal
from task_manager.mig import check


def mig(number):
    return FoundDevice(f"0:{number}", f"MIG-{number}", {"parent_uuid": "GPU-0"}, {"CUDA_VISIBLE_DEVICES": f"MIG-{number}"})


GPU = FoundDevice("1", "GPU-1", {"numa_node": "0"}, {"CUDA_VISIBLE_DEVICES": "GPU-1"})


def hands(resource, devices, slots):
    return deal(devices, slots, assignment=resource.assignment, slots_per_device=resource.slots_per_device)


def resource(**told):
    return ExternalResource("gpu", 4, "nvidia", "yarn.io/gpu", {}, **told)


@pytest.mark.parametrize(("devices", "slots"), [([mig(0), mig(1)], 1), ([mig(0), mig(1), mig(2)], 2), ([GPU, mig(0)], 1)])
def test_a_device_beside_a_mig_device_is_an_error(devices, slots):
    with pytest.raises(DriverError, match=r"^gpu: a slot would get .*MIG-0.*, but CUDA uses the first MIG device alone$") as raised:
        check(resource(), hands(resource(), devices, slots))
    assert f"taskmanager.numberOfTaskSlots to {len(devices)}, or external-resource.gpu.amount to {slots}" in raised.value.remedy


@pytest.mark.parametrize(("devices", "slots"), [([mig(0), mig(1)], 2), ([mig(0)], 3), ([GPU], 1), ([], 2)])
def test_one_mig_device_for_each_slot_is_fine(devices, slots, caplog):
    check(resource(), hands(resource(), devices, slots))
    assert caplog.messages == []


def test_where_on_missing_is_warn_it_is_a_warning(caplog):
    told = resource(on_missing="warn")
    check(told, hands(told, [mig(0), mig(1)], 1))
    assert "CUDA uses the first MIG device alone" in caplog.text


def test_slots_that_see_all_devices_are_warned(caplog):
    told = resource(assignment="task-manager")
    check(told, hands(told, [mig(0), mig(1)], 2))
    assert "Let each slot choose one" in caplog.text

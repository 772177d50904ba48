"""What a TaskManager makes of what its drivers say of their devices' use."""

import threading
import time

import pytest

from drivers.device import DeviceUsage, DriverError, FoundDevice
from protocol import usage
from task_manager.device_usage import DeviceUsageWatch
from task_manager.held_devices import HeldDevices

INTERVAL_S = 0.02


class Driver:
    """Answers `usage` with what a test has put into `says`; an exception is raised, an `Event` is waited for."""

    def __init__(self, says):
        self.says, self.asked = says, 0

    def usage(self, uuids):
        self.asked += 1
        if isinstance(self.says, threading.Event):
            self.says.wait()
            return {}
        if isinstance(self.says, Exception):
            raise self.says
        return {uuid: self.says[uuid] for uuid in uuids if uuid in self.says} if isinstance(self.says, dict) else self.says


def held(resource, driver, *uuids):
    return HeldDevices(resource, driver, tuple(FoundDevice(uuid, uuid) for uuid in uuids))


@pytest.fixture
def watch():
    started = []

    def watch(*of_drivers, interval_s=INTERVAL_S):
        watching = DeviceUsageWatch(of_drivers, interval_s)
        watching.start()
        started.append(watching)
        return watching

    yield watch
    for watching in started:
        watching.stop()


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited 60 s in vain"
        time.sleep(0.005)


def utilization(watching):
    return {usage.uuid: usage.utilization for usage in watching.latest()}


def test_what_a_driver_tells_is_told_of_each_device(watch):
    watching = watch(held("gpu", Driver({"a": DeviceUsage(7, 1, 2, 3, 4.5)}), "a", "b"), held("rdma", object(), "c"))
    wait_for(lambda: utilization(watching)["a"])
    nothing = (None,) * 5
    assert watching.latest() == (
        usage.DeviceUsage("gpu", "a", 7, 1, 2, 3, 4.5),
        usage.DeviceUsage("gpu", "b", *nothing),
        usage.DeviceUsage("rdma", "c", *nothing),
    )


def test_a_driver_that_hangs_holds_nobody_up_and_its_old_figures_go(watch):
    slow, hangs = Driver({"a": DeviceUsage(7)}), threading.Event()
    watching = watch(held("gpu", slow, "a"), held("other", Driver({"b": DeviceUsage(9)}), "b"))
    wait_for(lambda: utilization(watching) == {"a": 7, "b": 9})
    slow.says = hangs
    wait_for(lambda: utilization(watching) == {"a": None, "b": 9})
    hangs.set()


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (DriverError("NVML says: no", "Ask again"), "NVML says: no. Ask again"),
        (RuntimeError("boom"), "its driver failed: RuntimeError: boom"),
        ([1], "its driver answered [1] where a mapping of uuid to DeviceUsage was expected"),
        ({"a": 3}, "its driver answered {'a': 3} where a mapping of uuid to DeviceUsage was expected"),
        ({"a": DeviceUsage("7")}, "where a mapping of uuid to DeviceUsage was expected"),
    ],
)
def test_what_can_not_be_found_out_is_unknown_and_logged_once(watch, caplog, says, words):
    driver = Driver(says)
    watching = watch(held("gpu", driver, "a"))
    wait_for(lambda: driver.asked > 3)
    assert utilization(watching) == {"a": None}
    (said,) = caplog.messages
    assert words in said
    driver.says = {"a": DeviceUsage(1)}
    wait_for(lambda: utilization(watching) == {"a": 1})
    assert len(caplog.messages) == 2

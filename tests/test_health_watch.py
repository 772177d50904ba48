"""What a TaskManager makes of what its drivers say while it holds their devices."""

import logging
import queue
import threading
import time
from pathlib import Path

import pytest

from drivers.device import DriverError, FoundDevice
from protocol.records import VERSION, Device, DeviceLost, Slot
from task_manager.health import HealthWatch
from task_manager.held_devices import HeldDevices
from task_manager.identity import Identity

INTERVAL_S = 0.02
WITHIN_S = 60.0


class Driver:
    """Says of each device what a test has put into `says`; an exception is raised, an `Event` is waited for."""

    def __init__(self, **says):
        self.says, self.asked = says, queue.SimpleQueue()

    def discover(self, amount):
        return [FoundDevice(uuid, uuid) for uuid in self.says]

    def health(self, uuid):
        self.asked.put(uuid)
        says = self.says[uuid]
        if isinstance(says, threading.Event):
            says.wait()
            return None
        if isinstance(says, Exception):
            raise says
        return says

    def await_looks(self, count=2):
        """Waits until every device has been looked at `count` times from now on."""
        while not self.asked.empty():
            self.asked.get()
        for _ in range(count * len(self.says) + 1):
            self.asked.get(timeout=WITHIN_S)


class Losses(queue.Queue):
    """What a watch has emitted, and the watch."""

    watch: HealthWatch


def held(name, driver):
    return HeldDevices(name, driver, tuple(FoundDevice(uuid, uuid) for uuid in driver.says))


@pytest.fixture
def watch():
    """Starts a watch of drivers by resource; returns the queue of what it emits."""
    started = []

    def watch(slots=(), interval_s=INTERVAL_S, patience_s=30.0, **drivers):
        identity = Identity("tm-0", "container_1", "node1", "127.0.0.1", Path(), Path())
        health = HealthWatch([held(name, driver) for name, driver in drivers.items()], identity, slots, interval_s, patience_s)
        lost = Losses()
        health.start(lost.put)
        started.append(health)
        lost.watch = health
        return lost

    yield watch
    for health in started:
        health.stop()


def test_a_lost_device_is_told_of_once_with_the_slots_that_have_it(watch):
    def slot(number, *uuids):
        return Slot(f"tm-0/slot-{number}", tuple(Device("gpu", "0", uuid, {}) for uuid in uuids))

    driver = Driver(a=None, b=None)
    lost = watch((slot(0, "a"), slot(1, "b"), slot(2, "a", "b")), gpu=driver)
    driver.await_looks()
    driver.says["b"] = "fell\noff  the bus"
    assert lost.get(timeout=WITHIN_S) == DeviceLost(
        VERSION, "tm-0", "container_1", "gpu", "b", ("tm-0/slot-1", "tm-0/slot-2"), "fell off the bus"
    )
    del driver.says["b"]  # asking for it again would raise
    driver.await_looks()
    assert lost.empty()


def test_devices_of_the_same_uuid_are_told_apart_by_their_resource(watch):
    slots = (Slot("tm-0/slot-0", (Device("rdma", "0", "0", {}),)), Slot("tm-0/slot-1", (Device("gpu", "0", "0", {}),)))
    lost = watch(slots, gpu=Driver(**{"0": "broken"}), rdma=Driver(**{"0": None}))
    assert lost.get(timeout=WITHIN_S).slots == ("tm-0/slot-1",)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (DriverError("NVML says: no", "Ask again"), "NVML says: no. Ask again"),
        (RuntimeError("boom"), "its driver failed: RuntimeError: boom"),
        (True, "its driver answered True where None or a line of text was expected"),
    ],
)
def test_what_can_not_be_found_out_is_no_loss_and_logged_once(watch, caplog, says, words):
    caplog.set_level(logging.INFO, "task_manager.health")
    driver = Driver(a=says, b=None)
    lost = watch(gpu=driver)
    driver.await_looks(3)
    assert caplog.messages == [f"Can't find out how gpu a is, going on with it: {words}"]
    driver.says["a"] = None
    driver.await_looks(3)
    assert caplog.messages[1:] == ["The driver tells again how gpu a is"]
    assert lost.empty()


def test_a_driver_that_hangs_is_told_of_once_and_stops_nobody_else(watch, caplog):
    hangs = threading.Event()
    well = Driver(c=None)
    lost = watch(patience_s=0.05, gpu=Driver(a=hangs, b=None), rdma=well)
    well.await_looks(10)
    well.says["c"] = "broken"
    assert lost.get(timeout=WITHIN_S).uuid == "c"
    assert caplog.messages == ["The driver of gpu has not said within 0.05 s how a is; its devices stay in service"]
    hangs.set()


def test_an_interval_of_0_is_no_watch(watch):
    driver = Driver(a="broken")
    lost = watch(interval_s=0, gpu=driver)
    lost.watch.look_now({"gpu"})
    assert driver.asked.empty()


def test_a_driver_without_health_is_not_watched(watch):
    class Plain:
        says = ("a",)

    lost = watch(gpu=Plain())
    lost.watch.look_now({"gpu"})
    assert lost.empty()


def test_looking_now_does_not_wait_for_the_interval_and_is_done_when_it_returns(watch):
    driver = Driver(a=None)
    lost = watch(interval_s=3600, gpu=driver)
    driver.asked.get(timeout=WITHIN_S)
    driver.says["a"] = "broken"
    lost.watch.look_now({"gpu"})
    assert lost.get_nowait().uuid == "a"


def test_looking_now_waits_no_longer_than_its_limit(watch):
    hangs = threading.Event()
    lost = watch(gpu=Driver(a=hangs))
    begin = time.monotonic()
    lost.watch.look_now({"gpu"}, limit_s=0.05)
    assert 0.05 <= time.monotonic() - begin < 60
    hangs.set()


def test_after_the_end_nothing_is_asked_and_nothing_told(watch):
    driver = Driver(a=None)
    lost = watch(gpu=driver)
    driver.await_looks()
    lost.watch.stop()
    driver.says["a"] = "broken"
    assert lost.empty()

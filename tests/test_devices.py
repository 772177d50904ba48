"""Devices of a TaskManager: what drivers may answer, and what becomes of it."""

import sys
import threading
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace

import pytest

from conf.settings import ExternalResource
from drivers.device import DriverError, FoundDevice
from task_manager.devices import acquire, lease_key
from task_manager.held_devices import HeldDevices
from task_manager.leases import Leases


def gpu(number):
    return FoundDevice(str(number), f"GPU-{number}")


class Node:
    """A driver that shows the first `amount` of a node's devices, as Flink's script does, or raises when there are not so many."""

    def __init__(self, count=4, strict=False):
        self.count, self.strict, self.asked = count, strict, []

    def discover(self, amount):
        self.asked.append(amount)
        if self.strict and amount > self.count:
            raise DriverError("exit code 1", "look at the script", "only 2 GPUs")
        return [gpu(i) for i in range(min(amount, self.count))]


@pytest.fixture
def driver(monkeypatch):
    """Makes an object the driver that the dotted name `fakes:driver` loads."""

    def use(instance):
        monkeypatch.setitem(sys.modules, "fake_drivers", SimpleNamespace(driver=lambda params: instance))
        return instance

    return use


@pytest.fixture
def leases(tmp_path):
    with Leases(tmp_path, "container_me") as own:
        yield own


def resource(amount=2, yarn_type="yarn.io/gpu"):
    return ExternalResource("gpu", amount, "fake_drivers:driver", yarn_type, {})


def uuids(found):
    return [device.uuid for device in found["gpu"].devices]


def test_as_many_as_asked_for_are_leased(driver, leases):
    node = driver(Node())
    assert uuids(acquire([resource()], leases, ExitStack())) == ["GPU-0", "GPU-1"]
    assert node.asked == [2]
    assert len(leases.descriptors()) == 2


def test_two_resources_of_one_driver_get_different_devices(driver, leases):
    driver(Node())
    found = acquire([resource(), replace(resource(), name="big")], leases, ExitStack())
    assert [device.uuid for held in found.values() for device in held.devices] == ["GPU-0", "GPU-1", "GPU-2", "GPU-3"]


def test_a_resource_without_driver_is_not_discovered(leases):
    assert acquire([ExternalResource("fpga", 1, None, "yarn.io/fpga", {})], leases, ExitStack()) == {}


def test_devices_that_others_hold_are_passed_over(driver, leases, tmp_path):
    node = driver(Node())
    with Leases(tmp_path, "container_other") as other:
        other.take("GPU-0")
        other.take("GPU-2")
        assert uuids(acquire([resource()], leases, ExitStack())) == ["GPU-1", "GPU-3"]
    assert node.asked == [2, 3, 4]


@pytest.mark.parametrize("strict", [False, True], ids=["shows fewer", "refuses to show more"])
def test_too_few_free_devices_name_their_holders(driver, leases, tmp_path, strict):
    driver(Node(2, strict))
    with Leases(tmp_path, "container_other") as other:
        other.take("GPU-0")
        with pytest.raises(DriverError, match=r"gpu: asked 2, found 2, of these 1 free; GPU-0 is held by container_other \(pid") as caught:
            acquire([resource()], leases, ExitStack())
    assert "wait for their end" in caught.value.remedy
    assert caught.value.detail == ("only 2 GPUs" if strict else "")


def test_fewer_devices_than_granted_is_an_error(driver, leases):
    driver(Node(1))
    with pytest.raises(DriverError, match="gpu: asked 2, found 1, of these 1 free") as caught:
        acquire([resource()], leases, ExitStack())
    assert "YARN advertises more than it has" in caught.value.remedy


def test_what_a_script_said_beside_a_short_answer_is_told(driver, leases):
    driver(Node(1)).remarks = "GPU 1 has fallen off the bus"
    with pytest.raises(DriverError, match="found 1") as caught:
        acquire([resource()], leases, ExitStack())
    assert caught.value.detail == "GPU 1 has fallen off the bus"


def test_a_drivers_own_error_keeps_its_words(driver, leases):
    driver(Node(1, strict=True))
    with pytest.raises(DriverError, match="gpu: exit code 1") as caught:
        acquire([resource()], leases, ExitStack())
    assert (caught.value.remedy, caught.value.detail) == ("look at the script", "only 2 GPUs")


class Hangs(Node):
    """A driver that does not answer before `go` is set; the times that it was asked before, it does."""

    def __init__(self, answers=0, count=4):
        super().__init__(count)
        self.answers, self.go, self.answered, self.released = answers, threading.Event(), threading.Event(), False
        self.busy = True  # which would have it asked again

    def discover(self, amount):
        found = super().discover(amount)
        if len(self.asked) > self.answers:
            self.go.wait(60)
            self.answered.set()
        return found

    def release(self, uuids):
        self.released = True


@pytest.mark.parametrize("answers", [0, 1], ids=["the first time", "asked for more, since others hold some"])
def test_a_driver_that_hangs_is_named_and_its_late_answer_takes_nothing(driver, leases, tmp_path, answers):
    node = driver(Hangs(answers))
    words = r"^gpu: driver fake_drivers:driver has not answered for 0\.1 s$"
    with Leases(tmp_path, "container_other") as other:
        other.take("GPU-0")
        with ExitStack() as at_end, pytest.raises(DriverError, match=words) as caught:
            acquire([replace(resource(), discovery_timeout_s=0.1)], leases, at_end, timeout_s=60)
        assert "raise external-resource.gpu.discovery-timeout" in caught.value.remedy
        node.go.set()
        assert node.answered.wait(60)
    assert leases.descriptors() == ()
    assert (len(node.asked), node.released) == (answers + 1, False)


def test_a_driver_that_hangs_while_it_is_made_is_named(monkeypatch, leases):
    go = threading.Event()
    monkeypatch.setitem(sys.modules, "fake_drivers", SimpleNamespace(driver=lambda params: go.wait(60)))
    with pytest.raises(DriverError, match=r"^gpu: driver fake_drivers:driver has not answered for 0\.1 s$"):
        acquire([replace(resource(), discovery_timeout_s=0.1)], leases, ExitStack())
    go.set()


def test_on_missing_warn_goes_on_without_a_driver_that_hangs(driver, leases, tmp_path, caplog):
    node = driver(Hangs(answers=1))
    with Leases(tmp_path, "container_other") as other:
        other.take("GPU-0")
        hangs = replace(resource(), on_missing="warn", discovery_timeout_s=0.1)
        assert acquire([hangs], leases, ExitStack()) == {"gpu": HeldDevices("gpu", None, ())}
    node.go.set()
    assert "Going on with 0 of 2: gpu: driver fake_drivers:driver has not answered" in caplog.text


@pytest.mark.parametrize(("count", "strict", "left"), [(1, False, ["GPU-0"]), (1, True, []), (0, False, [])])
def test_on_missing_warn_goes_on_with_what_is_there(driver, leases, caplog, count, strict, left):
    driver(Node(count, strict))
    assert uuids(acquire([replace(resource(), on_missing="warn")], leases, ExitStack())) == left
    assert "Going on with" in caplog.text


def test_on_missing_warn_goes_on_without_the_driver(leases, caplog):
    assert acquire([replace(resource(), driver="no-such", on_missing="warn")], leases, ExitStack()) == {"gpu": HeldDevices("gpu", None, ())}
    assert "no-such" in caplog.text


class Wakes:
    """A node where what others use gets free the third time that the driver is asked, or never."""

    def __init__(self, free, total=2, busy=False, wakes=lambda: None):
        self.free, self.total, self.busy, self.wakes, self.asked = free, total, busy, wakes, 0

    def discover(self, amount):
        self.asked += 1
        if self.asked == 3:
            self.wakes()
            self.free, self.busy = self.total, False
        return [gpu(i) for i in range(self.free)]


@pytest.mark.parametrize("on_missing", ["fail", "warn"])
def test_devices_that_others_lease_are_waited_for(driver, leases, tmp_path, caplog, on_missing):
    caplog.set_level("INFO")
    other = Leases(tmp_path, "container_dying")
    other.take("GPU-1")
    node = driver(Wakes(free=2, wakes=other.close))
    found = acquire([replace(resource(), on_missing=on_missing)], leases, ExitStack(), timeout_s=60)
    assert (uuids(found), node.asked) == (["GPU-0", "GPU-1"], 3)
    assert caplog.text.count("Waiting up to 60 s: gpu: asked 2, found 2, of these 1 free; GPU-1 is held by container_dying") == 1


def test_devices_that_other_processes_use_are_waited_for(driver, leases):
    node = driver(Wakes(free=1, busy=True))
    assert uuids(acquire([resource()], leases, ExitStack(), timeout_s=60)) == ["GPU-0", "GPU-1"]
    assert node.asked == 3


def test_nobody_waits_for_devices_that_are_not_there(driver, leases):
    node = driver(Wakes(free=1))
    with pytest.raises(DriverError, match=r"gpu: asked 2, found 1, of these 1 free$"):
        acquire([resource()], leases, ExitStack(), timeout_s=60)
    assert node.asked == 1


def test_nobody_waits_for_a_device_to_come_free_where_more_are_missing(driver, leases, tmp_path):
    node = driver(Wakes(free=1))
    with Leases(tmp_path, "container_other") as other:
        other.take("GPU-0")
        with pytest.raises(DriverError, match="asked 2, found 1, of these 0 free; GPU-0 is held"):
            acquire([resource()], leases, ExitStack(), timeout_s=60)
    assert node.asked == 1


def test_nobody_waits_for_what_another_resource_of_the_same_task_manager_has(driver, leases):
    driver(Node(3))
    with pytest.raises(DriverError, match="big: asked 2, found 3, of these 1 free; GPU-0 is held by another resource of container_me"):
        acquire([resource(), replace(resource(), name="big")], leases, ExitStack(), timeout_s=60)


def test_the_wait_ends_and_names_the_holders(driver, leases, tmp_path):
    driver(Node(2))
    with Leases(tmp_path, "container_other") as other:
        other.take("GPU-0")
        with pytest.raises(DriverError, match=r"asked 2, found 2, of these 1 free after 0\.3 s; GPU-0 is held by container_other"):
            acquire([resource()], leases, ExitStack(), timeout_s=0.3)
        assert other.take("GPU-1") is None, "who can't have all has none"


def test_what_is_busy_at_the_end_is_told(driver, leases):
    driver(Wakes(free=1, total=1, busy=True)).remarks = "GPU 1 is busy with process 4711"
    with pytest.raises(DriverError, match=r"asked 2, found 1, of these 1 free after 0\.1 s$") as caught:
        acquire([resource()], leases, ExitStack(), timeout_s=0.1)
    assert "Other processes of this node use the rest" in caught.value.remedy
    assert caught.value.detail == "GPU 1 is busy with process 4711"


def test_where_some_will_do_those_are_kept_at_the_end(driver, leases, tmp_path):
    driver(Node(2, strict=True))
    with Leases(tmp_path, "container_other") as other:
        other.take("GPU-0")
        assert uuids(acquire([replace(resource(), on_missing="warn")], leases, ExitStack(), timeout_s=0.1)) == ["GPU-1"]
        assert other.take("GPU-1").startswith("container_me")


class Answers:
    def __init__(self, answer):
        self.answer = answer

    def discover(self, amount):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "answered None"),
        ("0,1", "answered '0,1'"),
        (["0", "1"], r"answered \['0', '1'\]"),
        ([gpu(0), gpu(0)], r"blank or doubled: \['GPU-0', 'GPU-0'\]"),
        ([FoundDevice("0", "")], "blank or doubled"),
        ([FoundDevice("0", "GPU-0", {"memory": 40960}), gpu(1)], "more than text"),
        ([FoundDevice(0, "GPU-0"), gpu(1)], "more than text"),
        ([FoundDevice("0", 5), gpu(1)], "more than text"),
        (RuntimeError("boom"), "driver fake_drivers:driver failed: RuntimeError: boom"),
    ],
)
def test_what_a_driver_must_not_answer(driver, leases, answer, words):
    driver(Answers(answer))
    with pytest.raises(DriverError, match=words):
        acquire([resource()], leases, ExitStack())


def test_a_lease_goes_by_uuid_and_a_bare_number_by_yarns_type():
    assert lease_key(resource(), gpu(0)) == "GPU-0"
    assert lease_key(resource(), FoundDevice("0", "0")) == "yarn.io/gpu-0"
    assert lease_key(resource(yarn_type=None), FoundDevice("0", "0")) == "gpu-0"
    assert lease_key(resource(), FoundDevice("mlx5_0", "mlx5_0")) == "mlx5_0"

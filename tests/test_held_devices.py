"""Drivers are told when their devices are no longer used, whatever they make of it."""

import threading
from contextlib import ExitStack, suppress

import pytest

from conf.settings import ExternalResource
from drivers.device import DriverError
from task_manager.devices import acquire
from task_manager.held_devices import release
from task_manager.leases import Leases


class Driver:
    def __init__(self, does=None):
        self.does, self.released = does, []

    def release(self, uuids):
        self.released.append(uuids)
        if isinstance(self.does, Exception):
            raise self.does
        if self.does:
            self.does.wait()


def test_a_driver_is_told_which_devices_are_free():
    driver = Driver()
    release("gpu", driver, ["a", "b"])
    assert driver.released == [("a", "b")]


def test_a_driver_that_does_not_care_is_left_alone(caplog):
    release("gpu", object(), ["a"])
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DriverError("the file is gone", "Nothing to do."), "Could not release the devices of gpu: the file is gone. Nothing to do."),
        (RuntimeError("boom"), "Could not release the devices of gpu: its driver failed"),
    ],
)
def test_a_failure_is_logged(caplog, error, words):
    release("gpu", Driver(error), ["a"])
    assert caplog.messages == [words]


def test_a_driver_that_hangs_is_left_behind(caplog):
    hangs = threading.Event()
    release("gpu", Driver(hangs), ["a"], limit_s=0.05)
    assert caplog.messages == ["The driver of gpu has not released its devices within 0.05 s, going on without"]
    hangs.set()


DRIVER = """
import json
from pathlib import Path
from drivers.device import FoundDevice

class Driver:
    def __init__(self, params):
        self.log = Path(params["log"])

    def discover(self, amount):
        return [FoundDevice(str(i), f"GPU-{i}") for i in range(2)]

    def release(self, uuids):
        with self.log.open("a") as log:
            log.write(json.dumps(uuids) + "\\n")
"""


@pytest.mark.parametrize(("amount", "released"), [(1, '["GPU-0"]\n'), (2, '["GPU-0", "GPU-1"]\n'), (3, "[]\n")])
def test_a_driver_is_told_at_the_end_even_when_devices_were_short(tmp_path, amount, released):
    (tmp_path / "driver.py").write_text(DRIVER)
    params = {"log": str(tmp_path / "log")}
    resource = ExternalResource("gpu", amount, f"{tmp_path / 'driver.py'}:Driver", None, params)
    with Leases(tmp_path / "leases", "container_me") as leases, ExitStack() as at_end, suppress(DriverError):
        acquire([resource], leases, at_end)
        assert not (tmp_path / "log").exists()
    assert (tmp_path / "log").read_text() == released

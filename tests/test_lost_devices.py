"""A TaskManager whose device is lost: a real one with real slot processes, and a whole application in local mode on a fake NVML."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from driver_process import build_nvml, nvml_environment
from submitting import running

from protocol import keys
from protocol.local_store import LocalStoreServer
from protocol.memory_store import MemoryStore
from protocol.records import VERSION, DeviceLost, JobDeployment, SlotResult
from protocol.store import Change
from protocol.wire import from_bytes, to_bytes
from yarn_am.events import LostDevice, SlotEnded
from yarn_am.messages import Messages

TASK_MANAGER = textwrap.dedent("""
    import logging, os, sys
    from pathlib import Path
    from drivers.device import FoundDevice
    from protocol.local_store import LocalStore
    from protocol.records import Device, Slot
    from protocol.user_code import UserCode
    from task_manager.device_usage import DeviceUsageWatch
    from task_manager.health import HealthWatch
    from task_manager.heartbeat import Pulse
    from task_manager.held_devices import HeldDevices
    from task_manager.identity import of_process
    from task_manager.service import Service, Watches
    from task_manager.slot_environment import sign_of_life, slot_process
    from task_manager.slot_silence import SlotSilence

    class Driver:
        def health(self, uuid):
            return Path(uuid).read_text() if Path(uuid).exists() else None

    logging.basicConfig(level=logging.INFO)
    identity = of_process("tm-0", Path.cwd())
    slots = tuple(Slot(f"tm-0/slot-{i}", (Device("gpu", str(i), f"GPU-{i}", {}),)) for i in range(2))
    describe = lambda slot, job: slot_process(slot, slots, job, identity, UserCode(sys.executable), os.environ, {})
    store = LocalStore(Path("s"))
    jobs = store.watch("job")
    store.put("taskmanagers/tm-0", b"here", owned=True)
    held = HeldDevices("gpu", Driver(), tuple(FoundDevice(str(i), f"GPU-{i}") for i in range(2)))
    health = HealthWatch([held], identity, slots, INTERVAL_S)
    pulse = Pulse(store, identity, 3600, DeviceUsageWatch([], 3600))
    silence = SlotSilence(lambda slot: sign_of_life(Path.cwd(), slot), 1.0)
    raise SystemExit(Service(store, jobs, slots, describe, (), Watches(health, pulse, silence), 1.5).run())
""")
WITHIN_S = 60.0


class TaskManagerProcess:
    """Slot i has the device GPU-i, which is lost when there is a file of this name that says why."""

    def __init__(self, directory: Path, interval_s: float) -> None:
        self.directory, self.store = directory, MemoryStore()
        self.server = LocalStoreServer(self.store, directory / "s")
        program = TASK_MANAGER.replace("INTERVAL_S", str(interval_s))
        with (directory / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program],
                cwd=directory,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
                stderr=log,
            )
        next(self.store.watch(keys.REGISTRATIONS))

    def deploy(self, script: str) -> None:
        ranks = {"tm-0/slot-0": 0, "tm-0/slot-1": 1}
        self.store.put(keys.JOB, to_bytes(JobDeployment("command", "job", ("sh", "-c", script), "", ranks, "127.0.0.1", 1, 1, {})))

    def lose(self, uuid: str, cause: str) -> None:
        (self.directory / "new").write_text(cause)
        (self.directory / "new").rename(self.directory / uuid)

    def told(self, count: int) -> list[DeviceLost | SlotResult]:
        """What the application master is told, in order."""
        told: list[DeviceLost | SlotResult] = []
        for change in self.store.watch(""):
            event = Messages().event_of(change) if change.key.startswith((keys.RESULTS, keys.LOST_DEVICES)) else None
            if isinstance(event, LostDevice | SlotEnded):
                told.append(event.record if isinstance(event, LostDevice) else event.result)
            if len(told) == count:
                return told
        raise AssertionError("the store ended")

    def records(self) -> dict[str, bytes]:
        return self.store.get(keys.RESULTS) | self.store.get(keys.LOST_DEVICES)


def wait_for(condition):
    deadline = time.monotonic() + WITHIN_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {WITHIN_S} s in vain"
        time.sleep(0.02)
    return value


@pytest.fixture
def task_manager(tmp_path):
    started = []

    def start(interval_s=0.05):
        started.append(TaskManagerProcess(tmp_path, interval_s))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def lost(number, cause="fell off the bus"):
    return DeviceLost(VERSION, "tm-0", "local-tm-0", "gpu", f"GPU-{number}", (f"tm-0/slot-{number}",), cause)


def same_but_for_the_container(one, other):
    return {**vars(one), "container_id": ""} == {**vars(other), "container_id": ""}


def running_in(task_manager, slot):
    """Waits for the process id that the slot's job has written."""
    pid = task_manager.directory / f"pid-{slot}"
    return int(wait_for(lambda: pid.exists() and pid.read_text().strip()))


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_slot_of_a_lost_device_is_stopped_and_the_other_goes_on(task_manager):
    one = task_manager()
    one.deploy("echo $$ > new-$RANK; mv new-$RANK pid-$RANK; while [ ! -e end ]; do sleep 0.05; done")
    gone, other = running_in(one, 0), running_in(one, 1)
    one.lose("GPU-0", "fell off the bus")
    (told,) = one.told(1)
    assert same_but_for_the_container(told, lost(0))
    wait_for(lambda: not is_alive(gone))
    assert is_alive(other)
    (one.directory / "end").touch()
    wait_for(lambda: len(one.records()) == 2)
    assert sorted(one.records()) == ["lost-devices/tm-0/GPU-0", "results/tm-0/slot-1"]


def test_a_process_that_does_not_heed_sigterm_is_killed(task_manager):
    one = task_manager()
    one.deploy("trap '' TERM; echo $$ > new-$RANK; mv new-$RANK pid-$RANK; while :; do sleep 0.05; done")
    gone, _ = running_in(one, 0), running_in(one, 1)
    one.lose("GPU-0", "fell off the bus")
    wait_for(lambda: not is_alive(gone))


def test_what_a_lost_slot_has_started_is_ended_too(task_manager):
    one = task_manager()
    one.deploy("(trap '' TERM; echo $RANK; exec sleep 1000) & echo $! > new-$RANK; mv new-$RANK pid-$RANK; wait")
    gone, other = running_in(one, 0), running_in(one, 1)
    one.lose("GPU-0", "fell off the bus")
    wait_for(lambda: not is_alive(gone))
    assert is_alive(other)


def test_a_process_that_fails_because_its_device_is_lost_does_not_fail_the_job(task_manager):
    one = task_manager(interval_s=3600)
    one.deploy("echo $$ > new-$RANK; mv new-$RANK pid-$RANK; while [ ! -e GPU-$RANK ]; do sleep 0.05; done; exit 3")
    running_in(one, 0)
    one.lose("GPU-0", "Xid 79, GPU has fallen off the bus")
    (told,) = one.told(1)
    assert same_but_for_the_container(told, lost(0, "Xid 79, GPU has fallen off the bus"))
    wait_for(lambda: "That is not reported" in (one.directory / "log").read_text())
    assert sorted(one.records()) == ["lost-devices/tm-0/GPU-0"]


def test_a_process_that_fails_by_itself_is_reported(task_manager):
    one = task_manager(interval_s=3600)
    one.deploy("exit 3")
    assert [result.exit_code for result in one.told(2)] == [3, 3]


def test_no_job_is_started_where_a_device_is_lost(task_manager):
    one = task_manager()
    one.lose("GPU-1", "fell off the bus")
    one.told(1)
    one.deploy("true")
    wait_for(lambda: "results/tm-0/slot-0" in one.records())
    assert sorted(one.records()) == ["lost-devices/tm-0/GPU-1", "results/tm-0/slot-0"]
    assert not (one.directory / "slot-1.log").exists()


def test_the_key_of_a_lost_device_has_no_further_slashes():
    assert keys.lost_device("tm-0", "0000:10:00.0/1") == "lost-devices/tm-0/0000%3A10%3A00.0%2F1"


def test_the_application_master_reads_what_it_is_told_and_ignores_the_rest():
    key = keys.lost_device("tm-0", "GPU-0")
    assert Messages().event_of(Change(key, to_bytes(lost(0)))) == LostDevice(lost(0))
    assert from_bytes(DeviceLost, to_bytes(lost(0))) == lost(0)
    assert Messages().event_of(Change(key, b"{}")) is None
    assert Messages().event_of(Change(key, None)) is None


GPUS = [("gpu", f"GPU-{i}", "A100", 40 * 2**30, f"00000000:1{i}:00.0", 0, 1) for i in range(2)]


def with_a_gpu_each(tmp_path, task_managers, **more):
    """Arguments and environment of a local application on GPUS, which are looked at ten times a second."""
    environment = nvml_environment(build_nvml(tmp_path), tmp_path / "nvml.tsv", *GPUS)
    options = {
        "treadle.health.interval": "100 ms",
        "treadle.lease.directory": str(tmp_path / "leases"),
        "external-resource.gpu.driver-factory.class": "nvidia",
        **more,
    }
    defined = [word for pair in options.items() for word in ("-D", "=".join(pair))]
    return ["--master", f"local[{task_managers}]", "--resource", "gpu=1", *defined], environment


def befall(tmp_path, *line):
    """Something happens to a GPU, as a line of tests/fakes/nvml.c says."""
    nvml_environment(tmp_path, tmp_path / "new.tsv", *GPUS, line)
    (tmp_path / "new.tsv").rename(tmp_path / "nvml.tsv")


def test_a_gpu_that_falls_off_the_bus_in_local_mode(tmp_path):
    arguments, environment = with_a_gpu_each(tmp_path, 2)
    home = tmp_path / "treadle-home/applications"
    # each slot leaves the file pid in its TaskManager's directory
    job = ["sh", "-c", "echo $$ > new && mv new pid; exec sleep 1000"]
    with running([*arguments, "--", *job], environment, tmp_path):
        pids = wait_for(lambda: len(found := sorted(home.glob("*/tm-*/pid"))) == 2 and found)
        visible = {
            Path(f"/proc/{pid.read_text().strip()}/environ").read_bytes().split(b"CUDA_VISIBLE_DEVICES=")[1][:5]: pid for pid in pids
        }
        befall(tmp_path, "lost", 1)
        wait_for(lambda: not is_alive(int(visible[b"GPU-1"].read_text())))
        (application,) = home.iterdir()
        log = application / "application.driver.log"
        wait_for(lambda: any("GPU-1" in line and "NVML says: GPU is lost" in line for line in log.read_text().splitlines()))
        assert (visible[b"GPU-1"].parent / "taskmanager.log").read_text().count("Lost gpu GPU-1") == 1

"""A TaskManager at work, with real slot processes and the store in memory."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from protocol import keys
from protocol.local_store import LocalStoreServer
from protocol.memory_store import MemoryStore
from protocol.records import JobDeployment, SlotResult
from protocol.usage import Heartbeat
from protocol.wire import from_bytes, to_bytes

TASK_MANAGER = textwrap.dedent("""
    import os, sys
    from pathlib import Path
    from protocol.local_store import LocalStore
    from protocol.records import Slot
    from protocol.user_code import UserCode
    from task_manager.device_usage import DeviceUsageWatch
    from task_manager.health import HealthWatch
    from task_manager.heartbeat import Pulse
    from task_manager.identity import of_process
    from task_manager.service import Service, Watches
    from task_manager.slot_environment import sign_of_life, slot_process
    from task_manager.slot_silence import SlotSilence

    identity = of_process("tm-0", Path.cwd())
    slots = (Slot("tm-0/slot-0", ()), Slot("tm-0/slot-1", ()))
    user = UserCode(sys.executable)
    describe = lambda slot, job: slot_process(slot, slots, job, identity, user, os.environ, {"CUDA_VISIBLE_DEVICES": ""})
    store = LocalStore(Path("s"))
    jobs = store.watch("job")
    store.put("taskmanagers/tm-0", b"here", owned=True)
    pulse = Pulse(store, identity, 0.1, DeviceUsageWatch([], 0.1))
    silence = SlotSilence(lambda slot: sign_of_life(Path.cwd(), slot), 1.0)
    watches = Watches(HealthWatch([], identity, slots, 0), pulse, silence)
    raise SystemExit(Service(store, jobs, slots, describe, (), watches, 1.5).run())
""")


class TaskManagerProcess:
    def __init__(self, directory: Path):
        self.directory, self.store = directory, MemoryStore()
        self.server = LocalStoreServer(self.store, directory / "s")
        self.process = subprocess.Popen(
            [sys.executable, "-c", TASK_MANAGER], cwd=directory, env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        )
        next(self.store.watch(keys.REGISTRATIONS))

    def deploy(self, *command, attempt=0):
        ranks = {"tm-0/slot-0": 0, "tm-0/slot-1": 1}
        self.store.put(keys.JOB, to_bytes(JobDeployment("command", command[0], command, "", ranks, "127.0.0.1", 1, attempt, {})))

    def results(self, count=2):
        found = {}
        changes = self.store.watch(keys.RESULTS)
        while len(found) < count:
            change = next(changes)
            found[change.key] = from_bytes(SlotResult, change.value)
        return [found[key] for key in sorted(found)]

    def log(self, slot):
        return (self.directory / f"slot-{slot}.log").read_text()

    def wait_for(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "waited 60 s in vain"
            time.sleep(0.02)


@pytest.fixture
def task_manager(tmp_path):
    running = TaskManagerProcess(tmp_path)
    yield running
    running.process.kill()
    running.process.wait()


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_every_slot_runs_the_command_with_its_own_rank(task_manager):
    task_manager.deploy("sh", "-c", "echo rank $RANK of $WORLD_SIZE, devices [$CUDA_VISIBLE_DEVICES]")
    assert [(r.slot_id, r.exit_code) for r in task_manager.results()] == [("tm-0/slot-0", 0), ("tm-0/slot-1", 0)]
    assert task_manager.log(0) == "rank 0 of 2, devices []\n"
    assert task_manager.log(1) == "rank 1 of 2, devices []\n"


@pytest.mark.parametrize(
    ("command", "code", "tail"),
    [
        (("sh", "-c", "echo last words; exit 3"), 3, "last words"),
        (("sh", "-c", "kill -9 $$"), 137, ""),
        (("no-such-program",), 127, "no-such-program can't be started: No such file or directory"),
    ],
)
def test_how_a_slot_ended_is_reported(task_manager, command, code, tail):
    task_manager.deploy(*command)
    assert [(r.exit_code, r.log_tail) for r in task_manager.results()] == [(code, tail)] * 2


def test_slots_end_with_a_killed_task_manager(task_manager):
    task_manager.deploy("sh", "-c", "echo $$; exec sleep 1000")
    task_manager.wait_for(lambda: all((task_manager.directory / f"slot-{i}.log").exists() and task_manager.log(i) for i in (0, 1)))
    pids = [int(task_manager.log(i)) for i in (0, 1)]
    task_manager.process.kill()
    task_manager.wait_for(lambda: not any(alive(pid) for pid in pids))


def test_sigterm_ends_the_slots_first(task_manager):
    task_manager.deploy("sh", "-c", "trap 'echo told; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    task_manager.wait_for(lambda: all((task_manager.directory / f"slot-{i}.log").exists() and task_manager.log(i) for i in (0, 1)))
    task_manager.process.send_signal(signal.SIGTERM)
    assert task_manager.process.wait(60) == 143
    logs = [task_manager.log(i) for i in (0, 1)]
    assert all(log.startswith("ready\n") and "told" in log.splitlines() for log in logs), logs


def test_what_a_slot_leaves_behind_ends_before_its_result_is_told(task_manager):
    task_manager.deploy("sh", "-c", "setsid sleep 1000 & echo $!; exit 3")
    assert [result.exit_code for result in task_manager.results()] == [3, 3]
    assert not any(alive(int(task_manager.log(i))) for i in (0, 1))


def heartbeats(task_manager):
    return (from_bytes(Heartbeat, change.value) for change in task_manager.store.watch(keys.HEARTBEATS) if change.value is not None)


def test_it_gives_signs_of_life_while_it_has_nothing_to_do(task_manager):
    told = heartbeats(task_manager)
    first, second, third = next(told), next(told), next(told)
    assert [second.number - first.number, third.number - second.number] == [1, 1]
    assert (first.task_manager_id, first.container_id, first.slots) == ("tm-0", "local-tm-0", ())
    assert 5 < first.memory_mb < 500


def test_signs_of_life_go_on_while_slots_have_time_to_end(task_manager):
    task_manager.deploy("sh", "-c", "trap 'sleep 1; echo ended; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    task_manager.wait_for(lambda: all((task_manager.directory / f"slot-{i}.log").exists() and task_manager.log(i) for i in (0, 1)))
    told = heartbeats(task_manager)
    before = next(told).number
    task_manager.deploy("sh", "-c", "echo again; exec sleep 1000", attempt=1)
    task_manager.wait_for(lambda: "again" in task_manager.log(0))
    assert "ended" in task_manager.log(0)
    assert from_bytes(Heartbeat, task_manager.store.get(keys.HEARTBEATS)[keys.heartbeat("tm-0")]).number > before + 4


def test_signs_of_life_tell_what_each_slot_uses_while_it_runs(task_manager):
    task_manager.deploy("sh", "-c", "echo $RANK; [ $RANK = 1 ] || exec sleep 1000")
    task_manager.results(1)
    told = heartbeats(task_manager)
    heartbeat = next(each for each in told if [slot.slot_id for slot in each.slots] == ["tm-0/slot-0"])
    (slot,) = heartbeat.slots
    assert heartbeat.memory_mb > slot.memory_mb
    assert next(told).slots[0].seconds > slot.seconds


def test_the_sign_of_a_stopped_one_goes_with_it(task_manager):
    told = heartbeats(task_manager)
    next(told)
    task_manager.process.send_signal(signal.SIGSTOP)
    task_manager.wait_for(lambda: stopped(task_manager.process.pid))
    assert task_manager.store.get(keys.HEARTBEATS)
    task_manager.process.kill()
    task_manager.wait_for(lambda: not task_manager.store.get(keys.HEARTBEATS))


def stopped(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_it_ends_when_the_application_master_has_gone(task_manager):
    threading.Timer(0.1, task_manager.store.close).start()
    assert task_manager.process.wait(60) == 0


def test_a_malformed_deployment_is_ignored_and_the_next_one_is_run(task_manager):
    task_manager.store.put(keys.JOB, b"nonsense")
    task_manager.deploy("true")
    assert [result.exit_code for result in task_manager.results()] == [0, 0]
    assert task_manager.process.poll() is None

"""Slots that hang: what counts as a sign of life, and what becomes of a slot without any, in processes and on the real cluster."""

import os
import signal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from submitting import running
from test_failures_on_yarn import application, numbers, pids_of, registered  # noqa: F401 - numbers is a fixture
from test_on_yarn import GPU, SMALL, wait_for
from test_task_manager_service import task_manager  # noqa: F401 - a fixture

from protocol.usage import SlotUsage
from task_manager.slot_silence import SlotSilence

SLOT = "tm-0/slot-0"


@pytest.fixture
def slot(tmp_path):
    """Asks at a time, with so much CPU used since; answers whether the slot is silent."""
    time = [0.0]
    silence = SlotSilence(lambda _: tmp_path / "alive", 50.0, lambda: time[0])

    def silent(at, cpu_percent=0.0):
        time[0] = at
        return silence.silent([SlotUsage(SLOT, 60, cpu_percent, at)]) == [SLOT]

    silent.file, silent.begin = tmp_path / "alive", lambda: silence.begin(SLOT)
    return silent


def touch(file, ns):
    file.touch()
    os.utime(file, ns=(ns, ns))


def test_a_process_that_never_gave_a_sign_is_not_watched(slot):
    assert not any(slot(at) for at in (0, 1000, 2000))


def test_one_that_has_stopped_giving_signs_is_silent_after_the_time_out(slot):
    touch(slot.file, 1)
    assert [slot(at) for at in (0, 50, 51)] == [False, False, True]


def test_it_is_told_again_only_when_that_has_passed_once_more(slot):
    touch(slot.file, 1)
    assert [slot(at) for at in (0, 51, 60, 101, 102)] == [False, True, False, False, True]


def test_each_sign_counts_from_when_it_is_seen(slot):
    touch(slot.file, 1)
    slot(0)
    touch(slot.file, 2)
    assert [slot(at) for at in (40, 90, 91)] == [False, False, True]


def test_who_computes_is_not_silent(slot):
    touch(slot.file, 1)
    assert [slot(0), slot(51, cpu_percent=5.0), slot(101, cpu_percent=4.9), slot(102)] == [False, False, False, True]


def test_a_new_process_begins_anew(slot):
    touch(slot.file, 1)
    slot(0)
    slot.begin()
    assert not slot.file.exists()
    assert not slot(1000)


def test_a_command_that_hangs_is_ended_and_its_log_says_why(task_manager):  # noqa: F811 - the fixture
    task_manager.deploy("sh", "-c", '[ $RANK = 0 ] || exit 0; touch "$TREADLE_SIGN_OF_LIFE"; kill -STOP $$')
    hung, other = task_manager.results()
    assert (hung.exit_code, other.exit_code) == (128 + signal.SIGKILL, 0)
    assert "Treadle ends this process: no sign of life for 1 s (heartbeat.timeout)" in hung.log_tail


def test_a_command_that_computes_for_longer_than_the_time_out_is_left_alone(task_manager):  # noqa: F811 - the fixture
    busy = 'import os, time; open(os.environ["TREADLE_SIGN_OF_LIFE"], "w"); end = time.time() + 3\nwhile time.time() < end: pass'
    task_manager.deploy("python3", "-c", busy)
    assert [result.exit_code for result in task_manager.results()] == [0, 0]


def sign_of_life(pid):
    environment = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return Path(next(each.partition("=")[2] for each in environment if each.startswith("TREADLE_SIGN_OF_LIFE=")))


@pytest.mark.cluster
def test_a_slot_that_hangs_is_replaced_and_the_job_goes_on(cluster, numbers, tmp_path):  # noqa: F811 - the fixture
    quick = ["-D", "heartbeat.interval=500 ms", "-D", "heartbeat.timeout=10 s"]
    with running([*SMALL, "--taskmanagers", "2", *GPU, *quick, *numbers], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: (application(cluster, app).get("jobs") or [{}])[0].get("progress"), "a job under way")
        hanging = registered(cluster, app)[0]
        (pid,) = wait_for(lambda: pids_of(hanging["containerId"], "treadle.dask_slot"), "its slot")
        wait_for(lambda: sign_of_life(pid).exists(), "the slot at work")
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: (now := pids_of(hanging["containerId"], "treadle.dask_slot")) and pid not in now, "another process in the slot")
        (tmp_path / "gate").touch()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert sorted(pq.read_table(tmp_path / "out")["n"].to_pylist()) == list(range(60))

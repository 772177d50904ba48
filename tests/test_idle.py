"""TaskManagers that have nothing to do any more are released: the rule, and on a real cluster the devices that come free."""

import pytest
from submitting import running as submitted
from test_cluster_state import running
from test_failures_on_yarn import registered
from test_on_yarn import GPU, SMALL, get, wait_for

from protocol.outcome import SUCCEEDED
from protocol.records import SlotResult
from yarn_am.events import Finish, SchedulerUp, SlotEnded, StopContainer, Tick
from yarn_am.plan import Restart
from yarn_am.task_managers import TaskManagerState

IDLE_S = {"idle_timeout_s": 30.0}


def ended(number, exit_code=0):
    return SlotEnded(SlotResult(f"tm-{number}/slot-0", exit_code, ""))


def test_a_task_manager_whose_slots_have_ended_is_released_after_the_time_out():
    cluster = running(**IDLE_S)
    cluster.handle(ended(1), 10)
    assert cluster.handle(Tick(), 11) == []
    assert cluster.handle(Tick(), 40) == []
    assert cluster.handle(Tick(), 41) == [StopContainer("c1")]
    assert cluster.task_managers["tm-1"].state is TaskManagerState.ENDED
    assert cluster.handle(Tick(), 100) == []
    (end,) = cluster.handle(ended(0), 200)
    assert isinstance(end, Finish)
    assert end.outcome.status == SUCCEEDED


def test_a_slot_that_failed_as_allowed_has_ended_too():
    cluster = running(**IDLE_S, allowed_failures=1)
    cluster.handle(ended(1, 3), 10)
    cluster.handle(Tick(), 11)
    assert cluster.handle(Tick(), 41) == [StopContainer("c1")]


def test_none_is_released_while_the_command_may_start_again():
    cluster = running(**IDLE_S, restart=Restart(1, 1.0))
    cluster.handle(ended(1), 10)
    assert [cluster.handle(Tick(), now) for now in (11, 41, 100)] == [[], [], []]


def test_of_a_main_those_beyond_its_parallelism_are_released_once_it_has_slots():
    cluster = running("main", parallelism=1, **IDLE_S)
    assert [cluster.handle(Tick(), now) for now in (2, 40)] == [[], []]
    cluster.handle(SchedulerUp("tls://h:1"), 41)
    cluster.handle(Tick(), 42)
    assert cluster.handle(Tick(), 72) == [StopContainer("c1")]


@pytest.mark.cluster
def test_devices_come_free_while_a_slower_slot_runs_on(cluster, tmp_path):
    options = ["-D", "resourcemanager.taskmanager-timeout=1 s"]
    script = f"[ $RANK = 1 ] || while [ ! -e {tmp_path}/gate ]; do sleep 0.1; done"
    with submitted([*SMALL, "--taskmanagers", "2", *GPU, *options, "--", "sh", "-c", script], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: len(registered(cluster, app)) == 1, "the release")
        used = wait_for(lambda: held(cluster, app) == 1 and held(cluster, app), "a single GPU in use")
        (tmp_path / "gate").touch()
        _, err = process.communicate(timeout=90)
    assert (process.returncode, used) == (0, 1), err
    assert "succeeded in 2 slots" in get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps/{app}")["app"]["diagnostics"]


def held(cluster, app):
    """How many GPUs YARN has set aside for the application."""
    known = get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps/{app}")["app"]
    types = known["resourceInfo"]["resourceUsagesByPartition"][0]["used"]["resourceInformations"]["resourceInformation"]
    return next(each["value"] for each in types if each["name"] == "yarn.io/gpu")

"""What follows from each loss of a TaskManager: replaced or not, now or later, elsewhere, or the end of the application."""

import pytest
from test_cluster_state import deployed, finish, granted, registration, running, state

from protocol.outcome import Outcome
from protocol.records import VERSION, DeviceLost, ExcludedDevice, RegistrationFailure, SlotResult
from protocol.usage import Heartbeat
from yarn_am.events import (
    Completed,
    Deploy,
    ExcludeDevices,
    Granted,
    Heard,
    LostDevice,
    Registered,
    RegistrationFailed,
    RegistrationLost,
    RequestContainer,
    SchedulerUp,
    SlotEnded,
    StopContainer,
    Tick,
)
from yarn_am.failures import Kind
from yarn_am.plan import Restart
from yarn_am.task_managers import TaskManagerState


def failed(number, node="nm2", cause="gpu: asked 2, found 1"):
    return RegistrationFailed(
        RegistrationFailure(VERSION, f"tm-{number}", f"c{number}", node, cause, "Ask for less.", "stderr of the script")
    )


def registered(cluster, number, now):
    """What follows when a TaskManager registers in the container that YARN granted."""
    cluster.handle(granted(number), now)
    return cluster.handle(Registered(registration(number)), now)


def lost_device(number=0, slots=("tm-0/slot-0",)):
    return LostDevice(DeviceLost(VERSION, f"tm-{number}", f"c{number}", "gpu", "GPU-1", slots, "NVML says: GPU is lost"))


def kinds(cluster):
    return [failure.kind for _, failure in cluster.losses.failures]


@pytest.mark.parametrize(
    ("exit_status", "kind", "cause", "counts"),
    [
        (1, Kind.EXIT, "its exit code was 1", True),
        (137, Kind.EXIT, "its exit code was 137", True),
        (-100, Kind.NODE_LOST, "its node was lost", False),
        (-101, Kind.DISKS, "the node's disks failed", False),
        (-102, Kind.PREEMPTED, "YARN preempted it", False),
        (-103, Kind.MEMORY, "it used more virtual memory", True),
        (-104, Kind.MEMORY, "it used more memory than the container has", True),
        (-106, Kind.KILLED, "it was killed by the ResourceManager", False),
    ],
)
def test_a_lost_task_manager_of_a_main_is_replaced_whatever_the_cause(exit_status, kind, cause, counts):
    cluster = running("main")
    assert cluster.handle(Completed("c1", "tm-1", exit_status, "YARN's own words"), 5) == [RequestContainer("tm-2", "tm")]
    ((number, failure),) = cluster.losses.failures
    assert (number, failure.kind, failure.counts, failure.node) == (1, kind, counts, "nm1")
    assert f"ended before the job: {cause}" in failure.cause
    assert failure.detail == "YARN's own words"
    assert cluster.task_managers["tm-1"].state is TaskManagerState.ENDED


def test_a_replacement_joins_the_running_dask_job_with_the_rank_of_the_lost_one():
    cluster = running("main")
    cluster.handle(SchedulerUp("tls://h:1"), 2)
    cluster.handle(Completed("c0", "tm-0", -100, ""), 5)
    cluster.handle(granted(2), 6)
    deployment = deployed(registered(cluster, 2, 7))
    assert (deployment.attempt, deployment.ranks) == (0, {"tm-2/slot-0": 0, "tm-1/slot-0": 1})


def test_a_command_that_may_not_restart_fails_with_the_task_manager():
    outcome = finish(running().handle(Completed("c1", "tm-1", -104, "over its limit"), 5)[-1:])
    assert outcome.diagnostics == (
        "TaskManager tm-1 on nm1 ended before the job: it used more memory than the container has (container c1)\n"
        "Raise taskmanager.memory.process.size (--memory).\nover its limit"
    )


def test_a_command_that_may_restart_waits_for_the_replacement_and_preemption_does_not_count():
    cluster = running(restart=Restart(1, 0.0))
    for number, lost in ((2, "tm-1"), (3, "tm-2"), (4, "tm-3")):
        request, stop = cluster.handle(Completed(f"c{number - 1}", lost, -102, ""), 5)
        assert request == RequestContainer(f"tm-{number}", "tm")
        assert isinstance(stop, Deploy)
        assert stop.deployment.ranks == {}
        assert cluster.handle(Tick(), 6) == []
        again = deployed(registered(cluster, number, 7))
        assert again.ranks == {"tm-0/slot-0": 0, f"tm-{number}/slot-0": 1}
        assert again.attempt == number - 1
    cluster.handle(Completed("c4", "tm-4", 1, ""), 8)
    registered(cluster, 5, 9)
    assert finish(cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 3, "", attempt=4)), 10)).exit_code == 3


def test_a_result_that_was_under_way_when_the_command_was_stopped_counts_for_nothing():
    cluster = running(restart=Restart(2, 0.0))
    cluster.handle(Completed("c1", "tm-1", -100, ""), 5)
    assert cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 143, "")), 5) == []


def test_nothing_counts_before_all_are_there():
    cluster = state(restart=Restart(0, 0.0))
    cluster.handle(granted(0), 0)
    registered(cluster, 0, 0)
    assert cluster.handle(Completed("c0", "tm-0", -102, ""), 1) == [RequestContainer("tm-2", "tm")]


# what never came up


def test_when_all_fail_to_register_it_ends_with_the_first_ones_words():
    cluster = state()
    assert cluster.handle(failed(1), 0) == []
    outcome = finish(cluster.handle(failed(0, "nm1", "gpu: asked 2, found 0"), 1))
    assert outcome == Outcome(
        "FAILED", 1, "TaskManager tm-1 on nm2 could not register: gpu: asked 2, found 1\nAsk for less.\nstderr of the script"
    )


def test_when_the_only_one_fails_to_register_it_ends_at_once():
    assert "could not register" in finish(state(task_managers=1).handle(failed(0), 0)).diagnostics


def test_devices_that_the_only_node_lacks_are_the_end():
    cluster = state(one_node=True)
    cluster.handle(granted(1), 0)
    registered(cluster, 0, 0)
    assert "asked 2, found 1" in finish(cluster.handle(failed(1), 3)).diagnostics


def test_when_another_one_registers_the_failed_one_is_replaced():
    cluster = state()
    assert cluster.handle(failed(1), 0) == []
    assert registered(cluster, 0, 3) == [RequestContainer("tm-2", "tm")]
    assert cluster.handle(Completed("c1", "tm-1", 31, ""), 3) == []
    assert kinds(cluster) == [Kind.DISCOVERY]


def test_a_failure_is_not_held_for_ever():
    cluster = state()
    cluster.handle(failed(1), 0)
    assert cluster.handle(Tick(), 9) == []
    assert "asked 2, found 1" in finish(cluster.handle(Tick(), 11)).diagnostics


@pytest.mark.parametrize("grant_first", [True, False])
def test_a_container_with_less_than_asked_is_given_back(grant_first):
    cluster = state(task_managers=1)
    events = [Granted("c0", "nm1:8041", {"memory-mb": 512, "vcores": 1}), Registered(registration(0))]
    first, second = events if grant_first else events[::-1]
    cluster.handle(first, 0)
    stop, *_ = actions = cluster.handle(second, 0)
    assert StopContainer("c0") in actions
    assert "less than was asked by YARN: yarn.io/gpu 0 of 1" in cluster.losses.failures[0][1].cause
    assert stop == StopContainer("c0")


def test_registration_times_out_from_the_grant_and_not_from_the_request():
    cluster = state()
    assert cluster.handle(Tick(), 1000) == []
    cluster.handle(granted(0), 1000)
    cluster.handle(granted(1), 1005)
    registered(cluster, 0, 1006)
    assert cluster.handle(Tick(), 1014) == []
    assert cluster.handle(Tick(), 1016) == [StopContainer("c1")]
    assert cluster.handle(Tick(), 1017) == []
    # the master says it itself: a ResourceManager that has recovered may not know the container
    assert cluster.handle(Completed("c1", "tm-1", -105, ""), 1018) == [RequestContainer("tm-2", "tm")]
    assert cluster.handle(Completed("c1", "tm-1", -100, ""), 1019) == []
    assert "did not register within 10 s of the grant of container c1" in cluster.losses.failures[0][1].cause


# who is given up


def test_a_lost_device_replaces_its_task_manager():
    cluster = running("main")
    kept_out = ExcludeDevices((ExcludedDevice("nm1", "gpu", "GPU-1", "NVML says: GPU is lost"),))
    assert cluster.handle(lost_device(), 5) == [StopContainer("c0"), kept_out, RequestContainer("tm-2", "tm")]
    assert cluster.task_managers["tm-0"].lost_devices == {"GPU-1": "NVML says: GPU is lost"}
    assert cluster.losses.failures[0][1].cause == "lost gpu GPU-1: NVML says: GPU is lost; out of service: tm-0/slot-0"
    assert cluster.handle(Completed("c0", "tm-0", -100, ""), 6) == []
    assert kinds(cluster) == [Kind.DEVICE_LOST]


def test_a_lost_device_that_no_slot_has_is_only_told():
    cluster = running("main")
    assert cluster.handle(lost_device(slots=()), 5) == []
    assert kinds(cluster) == [Kind.DEVICE_LOST]


def test_a_silent_task_manager_is_ended_and_replaced():
    cluster = running("main")
    for number in (0, 1):
        cluster.handle(Heard(Heartbeat(VERSION, f"tm-{number}", f"c{number}", 1, 60, 0.0, (), ())), 10 + 40 * number)
    assert cluster.handle(Tick(), 60) == []
    assert cluster.handle(Tick(), 61) == [StopContainer("c0"), RequestContainer("tm-2", "tm")]
    assert kinds(cluster) == [Kind.HANG]


def test_a_lost_registration_waits_for_the_cause_but_not_for_ever():
    cluster = running("main")
    assert cluster.handle(RegistrationLost("tm-0"), 2) == []
    assert [r.task_manager_id for r in cluster.registered()] == ["tm-1"]
    assert cluster.handle(Tick(), 60) == []
    assert cluster.handle(Tick(), 63) == [StopContainer("c0"), RequestContainer("tm-2", "tm")]


def test_one_that_was_given_up_can_not_register_again(caplog):
    cluster = running("main")
    cluster.handle(lost_device(), 5)
    registered(cluster, 0, 6)
    assert [r.task_manager_id for r in cluster.registered()] == ["tm-1"]
    assert "it was given up" in caplog.text

"""Every rule of the application master's policy: events and a clock in, actions out."""

import dataclasses

import pytest

from protocol.outcome import Outcome
from protocol.records import VERSION, Device, Registration, Slot, SlotResult, StopRequest
from protocol.usage import Heartbeat
from yarn_am.cluster_state import ApplicationState, ClusterState
from yarn_am.events import (
    Completed,
    Deploy,
    Finish,
    Granted,
    Heard,
    Interrupted,
    MainEnded,
    MasterLost,
    Progress,
    Registered,
    RegistrationLost,
    Reported,
    SchedulerUp,
    SlotEnded,
    StartMain,
    StopAsked,
    Tick,
)
from yarn_am.plan import GroupPlan, Plan, Restart
from yarn_am.replacement import Limits

LIMITS = Limits(failures=3, failure_rate=10, retry_interval_s=3, node_failures=2, exclusion_s=100)
ASKED = {"memory-mb": 512, "vcores": 1, "yarn.io/gpu": 1}
GRANTED = {**ASKED, "example.com/rdma": 0}


def registration(number, container=None, version=VERSION, slots=1):
    own = tuple(Slot(f"tm-{number}/slot-{i}", (Device("gpu", str(i), f"GPU-{number}-{i}", {}),)) for i in range(slots))
    ports = tuple(4000 + 10 * number + i for i in range(2))
    return Registration(version, f"tm-{number}", container or f"c{number}", "nm1", "127.0.0.11", ports, 1, own)


def state(kind="command", task_managers=2, parallelism=None, slots=1, **more):
    groups = (GroupPlan("tm", task_managers, slots, ASKED),)
    wanted = {"limits": LIMITS, "restart": Restart(0, 1.0), "allowed_failures": 0, "one_node": False} | more
    return ClusterState(Plan("train.py", kind, ("python", "train.py"), groups, parallelism or task_managers * slots, 10.0, 50.0, **wanted))


def granted(number, resources=GRANTED):
    return Granted(f"c{number}", "nm1:8041", resources)


def ticks(cluster, first, last):
    """What is done from second to second, both included."""
    return [action for second in range(first, last + 1) for action in cluster.handle(Tick(), second)]


def running(kind="command", task_managers=2, **more):
    cluster = state(kind, task_managers, **more)
    for i in range(task_managers):
        cluster.handle(granted(i), 0)
        cluster.handle(Registered(registration(i)), 1)
    return cluster


def finish(actions):
    assert len(actions) == 1
    assert isinstance(actions[0], Finish)
    return actions[0].outcome


def test_the_job_starts_when_the_last_task_manager_is_there():
    cluster = state()
    assert cluster.handle(granted(0), 0) == cluster.handle(granted(1), 0) == []
    assert cluster.handle(Registered(registration(1)), 1) == []
    assert cluster.state is ApplicationState.STARTING
    (deploy,) = cluster.handle(Registered(registration(0)), 2)
    assert isinstance(deploy, Deploy)
    assert deploy.deployment.ranks == {"tm-0/slot-0": 0, "tm-1/slot-0": 1}
    assert (deploy.deployment.master_address, deploy.deployment.master_port) == ("127.0.0.11", 4000)
    assert cluster.state is ApplicationState.RUNNING


def test_a_main_starts_first_and_slots_follow_its_scheduler():
    cluster = state("main", 1, slots=2)
    assert cluster.handle(Registered(registration(0, slots=2)), 0) == [StartMain()]
    (deploy,) = cluster.handle(SchedulerUp("tls://127.0.0.1:9"), 1)
    assert (deploy.deployment.kind, deploy.deployment.scheduler) == ("dask", "tls://127.0.0.1:9")
    assert deploy.deployment.ranks == {"tm-0/slot-0": 0, "tm-0/slot-1": 1}
    assert deploy.deployment.command == ()


def test_only_as_many_slots_as_the_parallelism_take_part():
    cluster = state(task_managers=1, parallelism=3, slots=4)
    (deploy,) = cluster.handle(Registered(registration(0, slots=4)), 0)
    assert list(deploy.deployment.ranks) == ["tm-0/slot-0", "tm-0/slot-1", "tm-0/slot-2"]
    assert [cluster.handle(SlotEnded(SlotResult(f"tm-0/slot-{i}", 0, "")), 1) for i in (0, 1)] == [[], []]
    assert finish(cluster.handle(SlotEnded(SlotResult("tm-0/slot-2", 0, "")), 1)).status == "SUCCEEDED"


def test_the_same_registration_twice_counts_once():
    cluster = state()
    cluster.handle(Registered(registration(0)), 0)
    assert cluster.handle(Registered(registration(0)), 0) == []
    assert cluster.state is ApplicationState.STARTING


@pytest.mark.parametrize(
    "foreign",
    [registration(7), registration(1, version=VERSION + 1), registration(0, container="another")],
    ids=["not asked for", "another version", "id taken"],
)
def test_foreign_registrations_are_refused(foreign, caplog):
    cluster = state()
    cluster.handle(Registered(registration(0)), 0)
    assert cluster.handle(Registered(foreign), 0) == []
    assert [r.container_id for r in cluster.registered()] == ["c0"]
    assert "Refused registration" in caplog.text


def test_a_surplus_container_that_skein_released_is_nothing():
    assert state().handle(Completed("c9", None, -100, "released"), 0) == []


def test_a_lost_registration_waits_for_the_cause():
    cluster = running()
    assert cluster.handle(RegistrationLost("tm-0"), 2) == []
    assert [r.task_manager_id for r in cluster.registered()] == ["tm-1"]


def test_a_command_succeeds_when_every_slot_did():
    cluster = running()
    assert cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 0, "")), 2) == []
    assert finish(cluster.handle(SlotEnded(SlotResult("tm-1/slot-0", 0, "")), 2)).status == "SUCCEEDED"


@pytest.mark.parametrize(("code", "words"), [(3, "exit code 3"), (137, "signal 9")])
def test_a_failing_slot_fails_the_application_with_its_code(code, words):
    outcome = finish(running().handle(SlotEnded(SlotResult("tm-0/slot-0", code, "last words")), 2))
    assert outcome == Outcome("FAILED", code, f"Slot tm-0/slot-0: train.py ended with {words}\nlast words")


def test_slots_of_a_main_may_end_before_it():
    cluster = running("main", 1)
    assert cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 0, "")), 2) == []
    assert finish(cluster.handle(MainEnded(0, ""), 3)).status == "SUCCEEDED"


def test_a_main_passes_its_exit_code_on():
    assert finish(running("main").handle(MainEnded(3, "ValueError: x"), 2)) == Outcome(
        "FAILED", 3, "train.py ended with exit code 3\nValueError: x"
    )


def test_interruption_is_killed_and_a_broken_master_is_failed():
    assert state().handle(Interrupted("Stopped by SIGTERM"), 0) == [Finish(Outcome("KILLED", 3, "Stopped by SIGTERM"), retriable=True)]
    assert finish(state().handle(MasterLost("The store was lost"), 0)) == Outcome("FAILED", 1, "The store was lost")


def test_a_stop_that_was_asked_for_is_final():
    asked = StopAsked(StopRequest("ann", "edge1"))
    for cluster in (state(), running(), running("main")):
        assert cluster.handle(asked, 2) == [Finish(Outcome("KILLED", 3, "Stopped by ann on edge1"), retriable=False)]


def test_progress_and_report_are_kept():
    cluster = running("main")
    cluster.handle(Progress("classify", 3, 20, 1500), 2)
    cluster.handle(Reported("classify", {"rows": 10_000}), 3)
    assert cluster.job.progress == Progress("classify", 3, 20, 1500)
    assert cluster.job.report == {"rows": 10_000}


def test_nothing_happens_after_the_end():
    cluster = state()
    cluster.handle(Interrupted("x"), 0)
    assert cluster.handle(Registered(registration(0)), 1) == cluster.handle(MainEnded(1, ""), 1) == []
    assert cluster.outcome == Outcome("KILLED", 3, "x")


def deployed(actions):
    (action,) = actions
    assert isinstance(action, Deploy)
    return action.deployment


def test_a_slot_without_a_worker_gets_a_new_one_and_three_that_end_are_too_many():
    cluster = running("main", 1)
    cluster.handle(SchedulerUp("tls://h:1"), 2)
    assert deployed(cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 137, "")), 3)).starts == {"tm-0/slot-0": 1}
    assert cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 137, "", start=0)), 3) == []
    assert deployed(cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 1, "", start=1)), 4)).starts == {"tm-0/slot-0": 2}
    outcome = finish(cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 1, "No module named 'dask'", start=2)), 5))
    assert outcome == Outcome("FAILED", 1, "Slot tm-0/slot-0: its Dask worker ended with exit code 1\nNo module named 'dask'")


def test_ends_of_a_slots_worker_that_are_long_ago_are_forgiven():
    cluster = running("main", 1, limits=dataclasses.replace(LIMITS, validity_s=1000))
    cluster.handle(SchedulerUp("tls://h:1"), 2)
    for start, at in enumerate((3, 600, 1100, 1700, 2200)):
        deployment = deployed(cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 137, "", start=start)), at))
        assert deployment.starts == {"tm-0/slot-0": start + 1}
    assert finish(cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 137, "", start=5)), 2300)).exit_code == 137


def test_a_command_starts_again_in_all_slots_with_another_port():
    cluster = running(restart=Restart(1, 5.0))
    cluster.handle(SlotEnded(SlotResult("tm-1/slot-0", 0, "")), 2)
    stop = deployed(cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 1, "")), 10))
    assert (stop.attempt, stop.ranks) == (1, {})
    assert cluster.handle(SlotEnded(SlotResult("tm-1/slot-0", 143, "")), 11) == []
    assert cluster.handle(Tick(), 14) == []
    again = deployed(cluster.handle(Tick(), 15))
    assert (again.attempt, again.ranks, again.master_port) == (1, {"tm-0/slot-0": 0, "tm-1/slot-0": 1}, 4001)
    assert finish(cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 7, "", attempt=1)), 16)).exit_code == 7


def test_a_command_that_is_to_fail_fast_starts_again_only_when_a_task_manager_is_lost():
    cluster = running(restart=Restart(2, 0.0), fail_fast=True)
    _, stop = cluster.handle(Completed("c1", "tm-1", -102, ""), 2)
    assert isinstance(stop, Deploy)
    assert finish(running(restart=Restart(2, 0.0), fail_fast=True).handle(SlotEnded(SlotResult("tm-0/slot-0", 7, "")), 2)).exit_code == 7


def test_so_many_slots_of_a_command_may_fail():
    cluster = running(allowed_failures=1)
    assert cluster.handle(SlotEnded(SlotResult("tm-0/slot-0", 1, "")), 2) == []
    outcome = finish(cluster.handle(SlotEnded(SlotResult("tm-1/slot-0", 0, "")), 3))
    assert outcome == Outcome("SUCCEEDED", 0, "train.py succeeded in 2 slots, 1 failed, as allowed")


def test_a_registration_with_other_slots_than_asked_for_is_refused(caplog):
    cluster = state()
    cluster.handle(Registered(registration(0, slots=3)), 0)
    assert cluster.registered() == []
    assert "it has 3 slots where 1 were asked for" in caplog.text


def test_a_heartbeat_of_another_container_is_not_this_task_managers():
    cluster = running()
    cluster.handle(Heard(Heartbeat(VERSION, "tm-0", "c7", 1, 60, 0.0, (), ())), 5)
    cluster.handle(Heard(Heartbeat(VERSION, "tm-1", "c1", 1, 61, 0.0, (), ())), 5)
    assert [each.heartbeat and each.heartbeat.memory_mb for each in cluster.task_managers] == [None, 61]

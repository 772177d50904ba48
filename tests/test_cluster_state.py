"""Every rule of the application master's policy: events and a clock in, actions out."""

import re

import pytest

from protocol.outcome import Outcome
from protocol.records import VERSION, Device, Registration, RegistrationFailure, Slot, SlotResult
from yarn_am.cluster_state import ApplicationState, ClusterState, Plan, TaskManagerState
from yarn_am.events import (
    Completed,
    Deploy,
    Finish,
    Granted,
    Interrupted,
    MainEnded,
    MasterLost,
    Progress,
    Registered,
    RegistrationFailed,
    RegistrationLost,
    Reported,
    SchedulerUp,
    SlotEnded,
    StartMain,
    Tick,
)

ASKED = {"memory-mb": 512, "vcores": 1, "yarn.io/gpu": 1}
GRANTED = {**ASKED, "example.com/rdma": 0}


def registration(number, container=None, version=VERSION, slots=1):
    own = tuple(Slot(f"tm-{number}/slot-{i}", (Device("gpu", str(i), f"GPU-{number}-{i}", {}),)) for i in range(slots))
    return Registration(version, f"tm-{number}", container or f"c{number}", "nm1", "127.0.0.11", 4000 + number, 1, own)


def state(kind="command", task_managers=2, parallelism=None):
    return ClusterState(Plan("train.py", kind, ("python", "train.py"), task_managers, parallelism or task_managers, ASKED, 10.0))


def granted(number, resources=GRANTED):
    return Granted(f"c{number}", "nm1:8041", resources)


def running(kind="command", task_managers=2):
    cluster = state(kind, task_managers)
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
    cluster = state("main", 1, parallelism=2)
    assert cluster.handle(Registered(registration(0, slots=2)), 0) == [StartMain()]
    (deploy,) = cluster.handle(SchedulerUp("tls://127.0.0.1:9"), 1)
    assert (deploy.deployment.kind, deploy.deployment.scheduler) == ("dask", "tls://127.0.0.1:9")
    assert deploy.deployment.ranks == {"tm-0/slot-0": 0, "tm-0/slot-1": 1}
    assert deploy.deployment.command == ()


def test_only_as_many_slots_as_the_parallelism_take_part():
    cluster = state(task_managers=1, parallelism=3)
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


@pytest.mark.parametrize("grant_first", [True, False])
def test_a_container_with_less_than_asked_fails_the_application(grant_first):
    cluster = state()
    events = [granted(0, {"memory-mb": 512, "vcores": 1}), Registered(registration(0))]
    first, second = events if grant_first else events[::-1]
    assert cluster.handle(first, 0) == []
    outcome = finish(cluster.handle(second, 0))
    assert outcome.status == "FAILED"
    assert "less than was asked: yarn.io/gpu 0 of 1" in outcome.diagnostics


def test_a_failed_registration_ends_the_application_with_its_words():
    failure = RegistrationFailure(VERSION, "tm-1", "c1", "nm2", "gpu: asked 2, found 1", "Ask for less.", "stderr of the script")
    cluster = state()
    outcome = finish(cluster.handle(RegistrationFailed(failure), 0))
    assert outcome == Outcome(
        "FAILED", 1, "TaskManager tm-1 on nm2 could not register: gpu: asked 2, found 1\nAsk for less.\nstderr of the script"
    )
    assert cluster.failures == [failure]


@pytest.mark.parametrize(
    ("exit_status", "cause"),
    [
        (1, "its exit code was 1"),
        (-100, "its node was lost"),
        (-102, "YARN preempted it"),
        (-104, "it used more memory than the container has.*\nRaise taskmanager.memory.process.size"),
    ],
)
def test_a_container_that_ends_early_fails_the_application_with_yarns_cause(exit_status, cause):
    cluster = running()
    outcome = finish(cluster.handle(Completed("c1", "tm-1", exit_status, "YARN's own words"), 5))
    assert outcome.status == "FAILED"
    assert re.search(rf"TaskManager tm-1 on nm1:8041 ended before the job: {cause}", outcome.diagnostics, re.DOTALL)
    assert outcome.diagnostics.endswith("YARN's own words")
    assert cluster.task_managers["tm-1"].state is TaskManagerState.ENDED


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


def test_registration_times_out_from_the_grant_and_not_from_the_request():
    cluster = state()
    assert cluster.handle(Tick(), 1000) == []
    cluster.handle(granted(0), 1000)
    cluster.handle(granted(1), 1005)
    cluster.handle(Registered(registration(0)), 1006)
    assert cluster.handle(Tick(), 1014) == []
    assert "container c1 on nm1:8041 did not register within 10 s" in finish(cluster.handle(Tick(), 1016)).diagnostics


def test_interruption_is_killed_and_a_broken_master_is_failed():
    assert finish(state().handle(Interrupted("Stopped by SIGTERM"), 0)) == Outcome("KILLED", 3, "Stopped by SIGTERM")
    assert finish(state().handle(MasterLost("The store was lost"), 0)) == Outcome("FAILED", 1, "The store was lost")


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

"""A TaskManager that can't register, and what it says before YARN tells of its container's grant: refused, or kept until then."""

import dataclasses

import pytest
from test_cluster_state import granted, registration, running, state

from protocol.records import VERSION, DeviceLost, RegistrationFailure
from yarn_am.events import Completed, LostDevice, Registered, RegistrationFailed, RegistrationLost, RequestContainer, StopContainer

FAILURE = RegistrationFailure(VERSION, "tm-0", "c0", "nm1", "gpu: asked 2, found 1", "Ask for less.", "")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (dataclasses.replace(FAILURE, version=99), "its protocol version is 99"),
        (FAILURE, "c0 is registered under this id"),
        (dataclasses.replace(FAILURE, container_id="c1"), "c0 is registered under this id"),
        (dataclasses.replace(FAILURE, task_manager_id="tm-1"), "it was given up"),
        (dataclasses.replace(FAILURE, task_manager_id="tm-9"), "no such TaskManager"),
        (dataclasses.replace(FAILURE, task_manager_id="tm-2", container_id="x" * 1000), "which YARN has not granted"),
    ],
)
def test_a_failure_to_register_that_cant_be_true_ends_nobody(wrong, reason, caplog):
    cluster = running("main")
    cluster.handle(Completed("c1", "tm-1", -100, ""), 2)
    caplog.clear()
    assert cluster.handle(RegistrationFailed(wrong), 3) == []
    assert reason in caplog.text
    assert len(caplog.text) < 600
    assert [each.state.value for each in cluster.task_managers] == ["REGISTERED", "ENDED", "REQUESTED"]


def test_a_failure_of_a_gone_task_manager_waits_for_yarns_word():
    cluster = running("main")
    cluster.handle(RegistrationLost("tm-0"), 2)
    assert cluster.handle(RegistrationFailed(FAILURE), 3) == []
    assert cluster.handle(Completed("c0", "tm-0", -100, ""), 4) == [RequestContainer("tm-2", "tm")]


def test_a_registration_that_comes_before_its_grant_counts_once_the_grant_is_told():
    cluster = state()
    cluster.handle(granted(0), 0)
    cluster.handle(Registered(registration(1)), 1)
    assert cluster.task_managers.registered() == []
    cluster.handle(granted(1), 2)
    assert [each.id for each in cluster.task_managers.registered()] == ["tm-1"]


def test_a_failure_to_register_that_comes_before_its_grant_counts_once_the_grant_is_told():
    cluster = running("main")
    cluster.handle(Completed("c1", "tm-1", -100, ""), 2)
    early = RegistrationFailed(dataclasses.replace(FAILURE, task_manager_id="tm-2", container_id="c2"))
    assert cluster.handle(early, 3) == []
    assert cluster.handle(granted(2), 4) == [RequestContainer("tm-3", "tm")]
    assert "tm-2 on nm1 could not register: gpu: asked 2, found 1" in cluster.losses.failures[-1][1].text


def lost_device(container="c1", slots=("tm-1/slot-0",)):
    return LostDevice(DeviceLost(VERSION, "tm-1", container, "gpu", "GPU-1", slots, "gone"))


def test_a_device_lost_before_the_grant_is_told_is_lost_once_it_is():
    cluster = state()
    cluster.handle(granted(0), 0)
    for _ in range(2):  # a store may say the same twice
        assert cluster.handle(Registered(registration(1)), 1) == []
        assert cluster.handle(lost_device(), 1) == []
    stop, *_, replacement = cluster.handle(granted(1), 2)
    assert (stop, replacement) == (StopContainer("c1"), RequestContainer("tm-2", "tm"))
    assert [failure.cause for _, failure in cluster.losses.failures] == ["lost gpu GPU-1: gone; out of service: tm-1/slot-0"]


@pytest.mark.parametrize("wrong", [lost_device(container="c7"), lost_device(slots=("tm-0/slot-0",))], ids=["container", "slots"])
def test_a_device_of_somebody_elses_lost_before_the_grant_is_told_stops_nobody(wrong):
    cluster = state()
    cluster.handle(granted(0), 0)
    cluster.handle(Registered(registration(1)), 1)
    cluster.handle(wrong, 1)
    cluster.handle(granted(1), 2)
    cluster.handle(granted(7), 2)
    assert [each.id for each in cluster.task_managers.registered()] == ["tm-1"]
    assert not cluster.losses.failures

"""How much failing an application bears: the budget, the pace of replacements, the nodes that are kept out."""

import dataclasses
import math

import pytest
from test_cluster_state import ASKED, LIMITS, finish, granted, running, state, ticks
from test_losses import registered

from protocol.records import VERSION, DeviceLost
from yarn_am.events import (
    Completed,
    Exclude,
    ExcludeDevices,
    Finish,
    Granted,
    LostDevice,
    RequestContainer,
    Tick,
)
from yarn_am.failures import Kind
from yarn_am.replacement import Limits
from yarn_am.task_managers import KEPT


def test_too_many_failures_that_count_are_the_end_and_the_others_are_not():
    cluster = running("main", 1)
    for number in range(20):
        assert cluster.handle(Completed(f"c{number}", f"tm-{number}", -102, ""), 100 * number) == [
            RequestContainer(f"tm-{number + 1}", "tm")
        ]
        registered(cluster, number + 1, 100 * number + 1)
    for number in range(20, 23):
        assert cluster.handle(Completed(f"c{number}", f"tm-{number}", 1, ""), 100 * number) == [RequestContainer(f"tm-{number + 1}", "tm")]
        registered(cluster, number + 1, 100 * number + 1)
    outcome = finish(cluster.handle(Completed("c23", "tm-23", 1, ""), 3000))
    assert "This was failure 4 that counts, and 3 are borne (treadle.taskmanager.max-failures)." in outcome.diagnostics


def dies(cluster, number, at):
    """A TaskManager ends by itself, and its replacement registers."""
    actions = cluster.handle(Completed(f"c{number}", f"tm-{number}", 1, ""), at)
    registered(cluster, number + 1, at)
    return actions


@pytest.mark.parametrize(
    ("apart", "validity", "outcome"),
    [
        (400, 1000, None),
        (300, 1000, "This was failure 4 that counts within 1000 s, and 3 are borne"),
        (400_000, math.inf, "This was failure 4 that counts, and 3 are borne"),
    ],
)
def test_a_failure_counts_for_so_long(apart, validity, outcome):
    cluster = running("main", 1, limits=dataclasses.replace(LIMITS, validity_s=validity))
    actions = [action for number in range(4) for action in dies(cluster, number, apart * (number + 1))]
    if outcome:
        assert outcome in finish(actions[-1:]).diagnostics
    else:
        assert actions == [RequestContainer(f"tm-{number + 1}", "tm") for number in range(4)]


def test_from_the_rate_on_replacements_wait_longer_and_longer():
    limits = Limits(failures=99, failure_rate=2, retry_interval_s=3, node_failures=99, exclusion_s=1)
    cluster = running("main", 1, limits=limits)
    waited = []
    for number in range(7):
        at = 1.0 + number
        requests = cluster.handle(Completed(f"c{number}", f"tm-{number}", 1, ""), at)
        while not requests:
            at += 1
            requests = cluster.handle(Tick(), at)
        waited.append(at - 1 - number)
        assert requests == [RequestContainer(f"tm-{number + 1}", "tm")]
        registered(cluster, number + 1, 1.0 + number)
    assert waited == [0, 3, 6, 12, 24, 48, 60]


@pytest.mark.parametrize("exit_status", [-100, -101, -102, -106])
def test_what_ends_before_registration_is_replaced_for_ever_but_ever_more_slowly(exit_status):
    cluster = state("main", 1)
    requested = []
    actions = cluster.handle(Completed("c0", "tm-0", exit_status, ""), 0)
    for second in range(600):
        while actions:
            (request,) = actions
            requested.append(second)
            cluster.handle(granted(len(requested)), second)
            actions = cluster.handle(Completed(f"c{len(requested)}", request.task_manager_id, exit_status, ""), second)
        actions = cluster.handle(Tick(), second + 1)
    assert cluster.outcome is None
    assert requested[:11] == [*[0] * 9, 3, 9]
    assert len(requested) <= 10 * 10  # no more than the rate, a minute


@pytest.mark.parametrize("proven", [True, False])
def test_a_container_that_could_not_be_set_up_counts_and_says_why(proven):
    cluster = state("main", 2)
    if proven:
        registered(cluster, 0, 0)
    cluster.handle(granted(1), 0)
    actions = cluster.handle(Completed("c1", "tm-1", -1000, "File does not exist: hdfs://nn/treadle.zip"), 1)
    assert actions == ([RequestContainer("tm-2", "tm")] if proven else [])
    ((_, failure),) = cluster.losses.failures
    assert (failure.kind, failure.counts, failure.speaks_against_node) == (Kind.START, True, True)
    assert "tm-1 on nm1 ended before it registered: its node could not set it up (container c1)" in failure.text
    assert failure.detail == "File does not exist: hdfs://nn/treadle.zip"
    if not proven:
        assert "File does not exist" in finish(ticks(cluster, 2, 12)).diagnostics


def test_a_node_is_excluded_after_its_failures_and_let_in_again_later():
    cluster = running("main", 1)
    cluster.losses.nodes.know("nm2", "tm")
    actions = []
    for number in (0, 1):
        actions += cluster.handle(
            LostDevice(DeviceLost(VERSION, f"tm-{number}", f"c{number}", "gpu", "G", (f"tm-{number}/slot-0",), "lost")), 10
        )
        registered(cluster, number + 1, 11)
    assert Exclude(frozenset({"nm1"})) in actions
    assert cluster.losses.excluded == {"nm1"}
    assert cluster.handle(Tick(), 109) == []
    assert cluster.handle(Tick(), 111) == [Exclude(frozenset()), ExcludeDevices(())]


def test_the_last_known_node_is_never_excluded():
    cluster = running("main", 1)
    for number in range(3):
        actions = cluster.handle(
            LostDevice(DeviceLost(VERSION, f"tm-{number}", f"c{number}", "gpu", "G", (f"tm-{number}/slot-0",), "lost")), 10
        )
        assert not any(isinstance(action, (Exclude, Finish)) for action in actions)
        registered(cluster, number + 1, 11)


def test_memory_stays_flat_over_many_replacements():
    cluster = running("main", 1)
    for number in range(1000):
        cluster.handle(Granted(f"c{number}", "nm1:8041", ASKED), number)
        cluster.handle(Completed(f"c{number}", f"tm-{number}", -102, ""), number)
        registered(cluster, number + 1, number)
    assert len(list(cluster.task_managers)) <= KEPT + 2
    assert len(cluster.losses.failures) <= KEPT
    assert len(cluster.grants) <= 1

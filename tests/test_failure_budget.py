"""How much failing an application bears: the budget, the pace of replacements, the nodes that are kept out."""

from test_cluster_state import ASKED, finish, running
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


def test_above_the_rate_replacements_wait_longer_and_longer():
    limits = Limits(failures=99, failure_rate=1, retry_interval_s=3, node_failures=99, exclusion_s=1)
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


def test_a_node_is_excluded_after_its_failures_and_let_in_again_later():
    cluster = running("main", 1)
    cluster.losses.nodes.add("nm2")
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

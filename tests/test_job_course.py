"""What the loss of a TaskManager means to a command: it starts again, and at whose cost, or it goes on without."""

import pytest
from test_cluster_state import deployed, finish, granted, registration, running, state
from test_losses import failed, kinds, lost_device, registered

from protocol.records import VERSION, SlotResult
from protocol.usage import Heartbeat
from yarn_am.events import Completed, Deploy, Finish, Heard, Registered, RequestContainer, SchedulerUp, SlotEnded, Tick
from yarn_am.failures import Kind
from yarn_am.plan import Restart


def ended(number, exit_code=0, attempt=0, slot=0):
    return SlotEnded(SlotResult(f"tm-{number}/slot-{slot}", exit_code, "", attempt=attempt))


def lost(number, exit_status=137):
    return Completed(f"c{number}", f"tm-{number}", exit_status, "")


def silent(cluster):
    """Two TaskManagers fall silent in the same tick."""
    for number in (0, 1):
        cluster.handle(Heard(Heartbeat(VERSION, f"tm-{number}", f"c{number}", 1, 60, 0.0, (), ())), 2)
    return cluster.handle(Tick(), 100)


@pytest.mark.parametrize(
    "more",
    [
        lambda cluster: cluster.handle(lost(1), 6),
        lambda cluster: [*cluster.handle(granted(2), 6), *cluster.handle(failed(2), 6)],
        lambda cluster: cluster.handle(lost(2, 1), 6),
        lambda cluster: [*registered(cluster, 2, 6), *cluster.handle(lost(2), 7)],
    ],
    ids=["another one", "its replacement can't register", "its replacement does not come up", "its replacement, once it was there"],
)
def test_what_is_lost_while_a_restart_is_due_costs_no_restart(more):
    cluster = running(restart=Restart(1, 10.0))
    request, stop = cluster.handle(lost(0), 5)
    assert (request, type(stop)) == (RequestContainer("tm-2", "tm"), Deploy)
    assert more(cluster) == [RequestContainer("tm-3", "tm")]
    assert (cluster.job.restarts, cluster.job.attempt) == (1, 1)


def test_two_that_fall_silent_at_once_cost_one_restart():
    cluster = running(restart=Restart(1, 0.0))
    actions = silent(cluster)
    assert kinds(cluster) == [Kind.HANG, Kind.HANG]
    assert [type(each) for each in actions if isinstance(each, (Deploy, Finish))] == [Deploy]
    registered(cluster, 2, 101)
    assert deployed(registered(cluster, 3, 101)).ranks == {"tm-2/slot-0": 0, "tm-3/slot-0": 1}


def test_the_attempt_after_a_restart_costs_the_next_one():
    cluster = running(restart=Restart(1, 0.0))
    cluster.handle(lost(1), 5)
    assert deployed(registered(cluster, 2, 6)).attempt == 1
    assert "its exit code was 137" in finish(cluster.handle(lost(2), 7)[-1:]).diagnostics


def test_replacements_that_fail_again_and_again_while_a_restart_is_due_are_the_end():
    cluster = running(restart=Restart(1, 0.0))
    cluster.handle(lost(1), 5)
    for number in (2, 3):
        cluster.handle(granted(number), 6)
        cluster.handle(lost(number, 1), 6)
    assert "failure 4 that counts, and 3 are borne" in finish(cluster.handle(lost(4, 1), 7)).diagnostics


@pytest.mark.parametrize("exit_code", [0, 3], ids=["succeeded", "failed, as allowed"])
@pytest.mark.parametrize("event", [lost(1, -102), lost(1), lost_device(1, ("tm-1/slot-0",))], ids=["preempted", "killed", "a lost device"])
@pytest.mark.parametrize("attempts", [0, 3])
def test_a_task_manager_whose_slots_have_ended_is_no_loss_to_the_command(attempts, event, exit_code):
    cluster = running(restart=Restart(attempts, 1.0), allowed_failures=1)
    cluster.handle(ended(1, exit_code), 2)
    assert not [each for each in cluster.handle(event, 3) if isinstance(each, (Deploy, Finish, RequestContainer))]
    assert len(kinds(cluster)) == 1
    assert cluster.handle(Tick(), 50) == []
    assert finish(cluster.handle(ended(0), 60)).status == "SUCCEEDED"


def test_one_of_its_slots_that_still_runs_is_a_loss():
    cluster = state(task_managers=1, slots=2)
    cluster.handle(granted(0), 0)
    cluster.handle(Registered(registration(0, slots=2)), 1)
    cluster.handle(ended(0), 2)
    assert finish(cluster.handle(lost(0), 3)[-1:]).status == "FAILED"


def test_a_task_manager_beyond_the_parallelism_is_no_loss():
    for kind in ("command", "main"):
        cluster = running(kind, parallelism=1)
        cluster.handle(SchedulerUp("tls://h:1"), 2)
        assert cluster.handle(lost(1), 3) == []


@pytest.mark.parametrize("failing", [ended(0, 1), lost(0, -100)], ids=["a slot fails", "another TaskManager is lost"])
def test_who_was_not_needed_any_more_is_replaced_when_everything_starts_again(failing):
    cluster = running(task_managers=3, restart=Restart(1, 0.0))
    cluster.handle(ended(1), 2)
    cluster.handle(ended(2), 2)
    assert cluster.handle(lost(1, -102), 3) == cluster.handle(lost(2, -102), 3) == []
    requests = [each for each in cluster.handle(failing, 5) if isinstance(each, RequestContainer)]
    assert RequestContainer("tm-4", "tm") in requests
    replacements = range(3, 3 + len(requests))
    for number in replacements:
        last = registered(cluster, number, 6)
    last = last or cluster.handle(Tick(), 7)
    assert sorted(deployed(last).ranks.values()) == [0, 1, 2]
    assert cluster.handle(Tick(), 8) == []

"""What YARN says of nodes: the cause of what ended with them, which may be excluded, and who waits when none is left."""

import pytest
from test_cluster_state import LIMITS, running

from protocol.records import VERSION, Device, DeviceLost, Registration, Slot
from yarn_am import views
from yarn_am.cluster_state import ClusterState
from yarn_am.event_log import EventLog
from yarn_am.events import Completed, Exclude, Granted, LostDevice, NodeChanged, Registered, RequestContainer
from yarn_am.failures import Kind
from yarn_am.plan import GroupPlan, Plan, Restart

TRAIN, IO = GroupPlan("train", 1, 1, {"yarn.io/gpu": 1}), GroupPlan("io", 1, 1, {"memory-mb": 512})


@pytest.mark.parametrize(
    ("state", "health", "kind", "words"),
    [
        ("LOST", "", Kind.NODE_LOST, "its node was lost (container c1)"),
        ("SHUTDOWN", "", Kind.NODE_LOST, "its node was shut down (container c1)"),
        ("UNHEALTHY", "ERROR GPU 3 is off the bus\nsecond line", Kind.UNHEALTHY, "its node became unhealthy: ERROR GPU 3 is off the bus ("),
        ("UNHEALTHY", "", Kind.UNHEALTHY, "its node became unhealthy (container c1)"),
        ("DECOMMISSIONED", "Healthy", Kind.DECOMMISSIONED, "its node was decommissioned (container c1)"),
        ("DECOMMISSIONING", "", Kind.DECOMMISSIONED, "its node is being decommissioned (container c1)"),
        ("RUNNING", "", Kind.NODE_LOST, "its node was lost, or YARN released it (container c1)"),
    ],
)
def test_a_container_that_ended_with_its_node_has_the_nodes_cause(state, health, kind, words):
    cluster = running("main")
    cluster.handle(NodeChanged("nm1:8041", state, health), 4)
    assert cluster.handle(Completed("c1", "tm-1", -100, "Container released on a *lost* node"), 5) == [RequestContainer("tm-2", "tm")]
    ((_, failure),) = cluster.losses.failures
    assert (failure.kind, failure.node, failure.counts, failure.speaks_against_node) == (kind, "nm1", False, False)
    assert f"ended before the job: {words}" in failure.cause


@pytest.mark.parametrize(("exit_status", "kind"), [(-102, Kind.PREEMPTED), (-104, Kind.MEMORY), (137, Kind.EXIT)])
def test_what_ended_by_itself_has_not(exit_status, kind):
    cluster = running("main")
    cluster.handle(NodeChanged("nm1:8041", "UNHEALTHY", ""), 4)
    cluster.handle(Completed("c1", "tm-1", exit_status, ""), 5)
    assert cluster.losses.failures[0][1].kind is kind


class Application:
    """Two groups of one TaskManager each, which come up and lose a device where a test says."""

    def __init__(self, *groups):
        plan = Plan("job.py", "main", (), groups, 1, 10.0, 1e9, LIMITS, Restart(0, 1.0), allowed_failures=0, one_node=False)
        self.state = ClusterState(plan)
        self.numbers = dict.fromkeys((group.name for group in groups), -1)
        self.did = []

    def happens(self, event, at=0.0):
        self.did += self.state.handle(event, at)

    def comes_up(self, group, node):
        self.numbers[group] += 1
        name, container = self._names(group)
        slots = (Slot(f"{name}/slot-0", (Device("gpu", "0", f"GPU-{name}", {}),)),)
        self.happens(Granted(container, f"{node}:8041", {"yarn.io/gpu": 1, "memory-mb": 512}))
        self.happens(Registered(Registration(VERSION, name, container, node, "127.0.0.1", (1, 2), 1, slots)))

    def fails(self, group):
        name, container = self._names(group)
        self.happens(LostDevice(DeviceLost(VERSION, name, container, "gpu", f"GPU-{name}", (f"{name}/slot-0",), "Xid 79")))

    def fails_twice(self, group, node):
        self.comes_up(group, node)
        self.fails(group)
        self.comes_up(group, node)
        self.fails(group)

    def waiting(self):
        return [(each["id"], each["cause"]) for each in views.waiting(self.state)]

    def ends_with(self, group, exit_status):
        name, container = self._names(group)
        self.happens(Completed(container, name, exit_status, ""))

    def excluded(self):
        return [set(action.nodes) for action in self.did if isinstance(action, Exclude)]

    def _names(self, group):
        return f"{group}-{self.numbers[group]}", f"c-{group}-{self.numbers[group]}"


@pytest.mark.parametrize(
    ("io_on", "train_first_on", "train_fails_on", "excluded"),
    [("cpunode", "gpunode", "gpunode", []), ("b", "a", "b", []), ("b", "b", "a", [{"a"}])],
    ids=["the only one of its own group", "the only one of another group", "one that both can spare"],
)
def test_a_node_is_excluded_that_no_group_needs(io_on, train_first_on, train_fails_on, excluded):
    application = Application(TRAIN, IO)
    application.comes_up("io", io_on)
    application.comes_up("train", train_first_on)
    application.fails("train")
    application.fails_twice("train", train_fails_on)
    assert application.excluded() == excluded


@pytest.mark.parametrize("told", ["by YARN", "by the container"])
def test_an_excluded_node_is_let_in_again_when_the_other_one_is_lost(told):
    application = Application(TRAIN)
    application.comes_up("train", "b")
    application.fails("train")
    application.fails_twice("train", "a")
    application.comes_up("train", "b")
    if told == "by YARN":
        application.happens(NodeChanged("b:8041", "LOST", ""))
    else:
        application.ends_with("train", -100)
    assert application.excluded() == [{"a"}, set()]


@pytest.mark.parametrize(("back", "excluded"), [(False, []), (True, [{"a"}])])
def test_a_node_that_is_out_is_no_other_one_until_it_is_back(back, excluded):
    application = Application(TRAIN)
    application.comes_up("train", "b")
    application.happens(NodeChanged("b:8041", "UNHEALTHY", "disk full"))
    application.ends_with("train", -100)
    if back:
        application.happens(NodeChanged("b:8041", "RUNNING", ""))
    application.fails_twice("train", "a")
    assert application.excluded() == excluded


def test_a_node_that_was_lost_without_a_word_is_back_when_a_task_manager_registers_on_it():
    application = Application(TRAIN)
    application.comes_up("train", "b")
    application.ends_with("train", -100)
    assert application.state.losses.nodes.out("b")
    application.comes_up("train", "b")
    assert application.state.losses.nodes.out("b") is None


def test_who_waits_for_a_node_that_is_out_says_so_until_it_is_back():
    application = Application(TRAIN, IO)
    application.comes_up("io", "cpunode")
    application.comes_up("train", "gpunode")
    application.happens(NodeChanged("gpunode:8041", "LOST", ""))
    application.ends_with("train", -100)
    assert application.waiting() == [("train-1", "no node is left that has had one: gpunode was lost")]
    assert application.state.outcome is None
    application.happens(NodeChanged("gpunode:8041", "RUNNING", ""))
    assert application.waiting() == [("train-1", "")]


def test_nodes_are_recorded_that_the_application_was_on():
    application = Application(TRAIN)
    log = EventLog(application.state, 1)
    application.comes_up("train", "a")
    for node in ("a:8041", "elsewhere:8041"):
        event = NodeChanged(node, "UNHEALTHY", "disk full")
        application.happens(event)
        log.note(event, [], 0.0)
    (record,) = log.records()
    assert (record["event"], record["node"], record["state"]) == ("node changed", "a:8041", "UNHEALTHY")
    assert (record["health"], record["left_without"]) == ("disk full", ["train"])

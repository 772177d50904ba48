import io

import pytest

from client.application.records import application
from client.console import Console
from client.following.follow import Sight
from client.following.waiting_watch import WaitingWatch
from client.yarn.cluster import ApplicationReport
from client.yarn.waiting import reasons
from client.yarn.waiting_facts import PendingAsk, facts

ID = "application_1_0001"
GPU = "yarn.io/gpu"


def resource(memory, vcores=0, gpu=0):
    """YARN's ResourceInfo, as the ResourceManager of 3.5.0 wrote it."""
    entries = [{"name": "memory-mb", "value": memory}, {"name": "vcores", "value": vcores}, {"name": GPU, "value": gpu}]
    return {"memory": memory, "vCores": vcores, "resourceInformations": {"resourceInformation": entries}}


def request(count=1, memory=512, gpu=0, label="", name="*"):
    return {"resourceName": name, "numContainers": count, "nodeLabelExpression": label, "capability": resource(memory, 1, gpu)}


def app(*requests, state="RUNNING", diagnostics=""):
    return {
        "app": {"id": ID, "state": state, "user": "ann", "queue": "root.ml", "diagnostics": diagnostics, "resourceRequests": [*requests]}
    }


def leaf(used, maximum, name="ml", **fields):
    return {"queueName": name, "queuePath": f"root.{name}", "resourcesUsed": used, "maxEffectiveCapacity": maximum} | fields


def scheduler(*queues):
    root = {"queueName": "root", "queuePath": "root", "queues": {"queue": list(queues)}}
    return {"scheduler": {"schedulerInfo": {"type": "capacityScheduler", **root}}}


def node(host, total, free, state="RUNNING", labels=()):
    return {"nodeHostName": host, "state": state, "totalResource": total, "availableResource": free, "nodeLabels": list(labels)}


def nodes(*items):
    return {"nodes": {"node": list(items)}}


WIDE = scheduler(leaf(resource(0), resource(99999, 999, 99)))
AM_SHARE = (
    "[Tue Nov 24 08:05:50 +0000 2026] Application is added to the scheduler and is not yet activated. Queue's AM resource limit exceeded."
    "  Details : AM Partition = <DEFAULT_PARTITION>; AM Resource Request = <memory:2048, vCores:1>;"
)


def why(application, queues, *items):
    return [(reason.key, reason.cause) for reason in reasons(facts(application, queues, nodes(*items)))]


def test_nothing_is_owed():
    assert why(app(request(count=0), request(name="/default-rack")), WIDE, node("nm1", resource(4096), resource(4096))) == []


def test_devices_in_use_elsewhere_name_the_closest_node_that_could_ever_hold_it():
    loads = [
        node("nm1", resource(4096, 8, 2), resource(100, 8, 1)),
        node("nm2", resource(4096, 8, 2), resource(4096, 8, 1)),
        node("nm3", resource(4096, 8, 0), resource(4096, 8, 0)),
    ]
    [(key, cause)] = why(app(request(gpu=2)), WIDE, *loads)
    assert key == ("in use", GPU)
    assert cause == ("a TaskManager waits for yarn.io/gpu 2 that others use; the closest node, nm2, has yarn.io/gpu 1 of 2 free, 2 needed")


def test_memory_that_is_full():
    [(key, cause)] = why(app(request(count=3)), WIDE, node("nm1", resource(4096, 8), resource(100, 8)))
    assert key == ("in use", "memory-mb")
    assert "each of 3 TaskManagers waits for memory-mb 512" in cause


def test_a_type_that_has_become_impossible_names_the_lost_node():
    gone = node("nm1", resource(4096, 8, 2), resource(0), state="LOST")
    [(key, cause)] = why(app(request(gpu=1)), WIDE, gone, node("nm2", resource(4096, 8, 0), resource(4096, 8)))
    assert key == ("impossible", GPU)
    assert cause == "no node of the cluster offers yarn.io/gpu 1 any more: nm1 is LOST; a TaskManager will wait until one does"


def test_only_nodes_of_the_label_count():
    other = node("nm1", resource(4096, 8, 2), resource(4096, 8, 2))
    [(_, cause)] = why(app(request(gpu=1, label="a100")), WIDE, other, node("nm2", resource(4096, 8), resource(0), labels=["a100"]))
    assert "no node of the cluster with the label a100 offers yarn.io/gpu 1" in cause


def test_a_queue_that_is_full_though_the_cluster_is_not():
    queues = scheduler(leaf(resource(0), resource(99999), "other"), leaf(resource(1024, 1, 2), resource(8192, 8, 2)))
    [(key, cause)] = why(app(request(gpu=1)), queues, node("nm1", resource(8192, 8, 4), resource(7168, 7, 2)))
    assert key == ("queue", "root.ml", GPU)
    assert cause == "queue root.ml is full: it may have yarn.io/gpu 2 and uses 2; a TaskManager needs 1"


def test_a_users_share_of_a_queue():
    user = {"username": "ann", "resourcesUsed": resource(512, 1, 2), "userResourceLimit": resource(8192, 8, 2)}
    queues = scheduler(leaf(resource(512, 1, 2), resource(8192, 8, 4), users={"user": user}))
    [(key, _)] = why(app(request(gpu=1)), queues, node("nm1", resource(8192, 8, 4), resource(7168, 7, 2)))
    assert key == ("user", "root.ml", GPU)


def test_a_share_of_application_masters_that_is_used_up():
    queues = scheduler(
        leaf(resource(4096), resource(6144), AMResourceLimit=resource(5568, 15), usedAMResource=resource(4096, 2), numPendingApplications=3)
    )
    [(key, cause)] = why(
        app(request(memory=2048), state="ACCEPTED", diagnostics=AM_SHARE), queues, node("nm1", resource(6144, 8), resource(9))
    )
    assert key == ("masters", "root.ml")
    assert cause == (
        "queue root.ml has no room for another application master: application masters may have memory-mb 5568, 4096 in use, 2048 wanted"
        " (2 others wait, too)"
    )


def test_yarns_own_words_where_they_say_something_else():
    words = "Application is added to the scheduler and is not yet activated. Skipping AM assignment as cluster resource is empty."
    [(_, cause)] = why(app(state="ACCEPTED", diagnostics=f"[Tue] {words}  Details : x"), WIDE)
    assert cause == f"YARN says: {words}"


def test_the_fairscheduler_and_hadoop_3_1():
    fair = {
        "queueName": "root",
        "childQueues": {"queue": [{"queueName": "root.ml", "usedResources": resource(9), "maxResources": resource(99)}]},
    }
    tree = facts(
        app(request()),
        {"scheduler": {"schedulerInfo": {"type": "fairScheduler", "rootQueue": fair}}},
        {"nodes": {"node": {"id": "nm1:1", "usedMemoryMB": 1024, "availMemoryMB": 512, "usedVirtualCores": 1, "availableVirtualCores": 3}}},
    )
    assert [queue.path for queue in tree.queues] == ["root.ml", "root"]
    assert (tree.queues[0].used["memory-mb"], tree.queues[0].maximum["memory-mb"]) == (9, 99)
    assert (tree.nodes[0].total["memory-mb"], tree.nodes[0].available["vcores"]) == (1536, 3)
    assert tree.asks == (PendingAsk(1, {"memory-mb": 512, "vcores": 1}, "", master=False),)


def sight(*waiting):
    told = {"state": "STARTING", "requested": 1, "waiting": [{"id": each} for each in waiting]}
    return Sight(ApplicationReport(ID, "x", "RUNNING", "UNDEFINED", "", ""), application(told))


@pytest.fixture
def watched():
    """A watch that asks at every look, the facts it is given next, and what it wrote."""
    stream, given = io.StringIO(), []
    watch = WaitingWatch(lambda: given[-1], Console(stream), quiet_s=0, ask_s=0)
    return watch, given, stream


def test_a_reason_is_said_once_however_its_amounts_change(watched):
    watch, given, stream = watched
    for free in (100, 200, 300):
        given.append(facts(app(request()), WIDE, nodes(node("nm1", resource(4096, 8), resource(free, 8)))))
        watch.see(sight("tm-0"))
    given.append(facts(app(request()), WIDE, nodes(node("nm1", resource(256, 8), resource(256, 8)))))
    watch.see(sight("tm-0"))
    assert [line.split(";")[0] for line in stream.getvalue().splitlines() if line.startswith("waiting: ")] == [
        "waiting: a TaskManager waits for memory-mb 512 that others use",
        "waiting: no node of the cluster offers memory-mb 512 any more",
    ]


def test_nobody_is_asked_when_nothing_is_awaited(watched):
    watch, _, stream = watched  # it has no facts: asking would fail
    watch.see(sight())
    assert stream.getvalue() == ""

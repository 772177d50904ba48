import pytest

from client.yarn import cluster
from client.yarn.cluster import Node, Queue


def entry(name, value):
    # as 3.1.4 and 3.5.0 wrote it
    return {
        "maximumAllocation": 9223372036854775807,
        "minimumAllocation": 0,
        "name": name,
        "resourceType": "COUNTABLE",
        "units": "",
        "value": value,
    }


def resource(memory, vcores, **others):
    amounts = {"memory-mb": memory, "vcores": vcores} | {name.replace("__", "/").replace("_", "."): n for name, n in others.items()}
    return {"memory": memory, "vCores": vcores, "resourceInformations": {"resourceInformation": [entry(*item) for item in amounts.items()]}}


NODE_31 = {
    "id": "127.0.0.12:41237",
    "nodeHostName": "127.0.0.12",
    "state": "RUNNING",
    "usedMemoryMB": 0,
    "availMemoryMB": 8192,
    "usedResource": resource(1024, 1, yarn_io__gpu=1, yarn_io__fpga=0),
    "availableResource": resource(7168, 15, yarn_io__gpu=1, yarn_io__fpga=0),
}
NODE_35 = NODE_31 | {"totalResource": resource(8192, 16, yarn_io__gpu=2, yarn_io__fpga=0), "nodeLabels": ["gpu"], "nodeAttributesInfo": {}}

SCHEDULER_31 = {
    "type": "capacityScheduler",
    "queueName": "root",
    "queues": {
        "queue": [
            {"type": "capacitySchedulerLeafQueueInfo", "queueName": "default", "state": "RUNNING"},
            {"queueName": "research", "state": "RUNNING", "queues": {"queue": {"queueName": "gpu", "state": "STOPPED"}}},
        ]
    },
    "maximumAllocation": resource(8192, 16, yarn_io__gpu=9223372036854775807),
}
SCHEDULER_35 = {
    "type": "capacityScheduler",
    "queueName": "root",
    "queuePath": "root",
    "queueType": "parent",
    "autoCreationEligibility": "off",
    "queues": {
        "queue": [
            {"queueName": "default", "queuePath": "root.default", "state": "RUNNING", "autoCreationEligibility": "off"},
            {"queueName": "teams", "queuePath": "root.teams", "state": "RUNNING", "autoCreationEligibility": "flexible"},
        ]
    },
}
FAIR = {
    "type": "fairScheduler",
    "rootQueue": {
        "queueName": "root",
        "childQueues": {"queue": [{"queueName": "root.default"}, {"queueName": "root.a", "childQueues": []}]},
    },
}
METRICS = {"clusterMetrics": {"totalClusterResourcesAcrossPartition": resource(16384, 32, yarn_io__gpu=3, example_com__rdma=0)}}


def view(scheduler=SCHEDULER_31, nodes=(NODE_31,), metrics=METRICS):
    return cluster.view(
        {"clusterInfo": {"resourceManagerVersion": "3.1.4"}},
        {"nodes": {"node": list(nodes)}},
        {"scheduler": {"schedulerInfo": scheduler}},
        metrics,
    )


GPU_NODE_TOTAL = {"memory-mb": 8192, "vcores": 16, "yarn.io/gpu": 2, "yarn.io/fpga": 0}


@pytest.mark.parametrize(("tree", "labels"), [(NODE_31, ()), (NODE_35, ("gpu",))], ids=["3.1.4", "3.5.0"])
def test_a_nodes_total_is_read_or_added_up(tree, labels):
    available = {"memory-mb": 7168, "vcores": 15, "yarn.io/gpu": 1, "yarn.io/fpga": 0}
    assert view(nodes=[tree]).nodes == (Node("127.0.0.12", labels, GPU_NODE_TOTAL, available),)


def test_a_node_without_resource_types_has_memory_and_vcores():
    old = {"id": "n1:1", "nodeHostName": "n1", "usedMemoryMB": 1, "availMemoryMB": 3, "usedVirtualCores": 1, "availableVirtualCores": 1}
    assert view(nodes=[old]).nodes == (Node("n1", (), {"memory-mb": 4, "vcores": 2}, {"memory-mb": 3, "vcores": 1}),)


@pytest.mark.parametrize("nodes", [None, {}, {"node": None}, {"node": []}], ids=["null", "empty", "null inside", "empty list"])
def test_a_cluster_without_nodes(nodes):
    assert cluster.view({}, {"nodes": nodes}, {}, None).nodes == ()


def test_a_list_of_one_may_come_as_the_element():
    assert [node.host for node in cluster.view({}, {"nodes": {"node": NODE_35}}, {}, None).nodes] == ["127.0.0.12"]


@pytest.mark.parametrize(
    ("scheduler", "expected"),
    [
        (
            SCHEDULER_31,
            (
                Queue("root", "RUNNING", leaf=False, creates_children=False),
                Queue("root.default", "RUNNING", leaf=True, creates_children=False),
                Queue("root.research", "RUNNING", leaf=False, creates_children=False),
                Queue("root.research.gpu", "STOPPED", leaf=True, creates_children=False),
            ),
        ),
        (
            SCHEDULER_35,
            (
                Queue("root", "RUNNING", leaf=False, creates_children=False),
                Queue("root.default", "RUNNING", leaf=True, creates_children=False),
                Queue("root.teams", "RUNNING", leaf=False, creates_children=True),
            ),
        ),
        (
            FAIR,
            (
                Queue("root", "RUNNING", leaf=False, creates_children=True),
                Queue("root.default", "RUNNING", leaf=True, creates_children=False),
                Queue("root.a", "RUNNING", leaf=True, creates_children=False),
            ),
        ),
        ({"type": "fifoScheduler", "qstate": "RUNNING"}, (Queue("root.default", "RUNNING", leaf=True, creates_children=False),)),
    ],
    ids=["capacity 3.1.4", "capacity 3.5.0", "fair", "fifo"],
)
def test_queues_of_every_scheduler(scheduler, expected):
    assert view(scheduler).queues == expected


def test_types_are_those_of_the_metrics_and_of_the_nodes():
    assert view().types == {"memory-mb", "vcores", "yarn.io/gpu", "yarn.io/fpga", "example.com/rdma"}
    assert view(metrics=None).types == {"memory-mb", "vcores", "yarn.io/gpu", "yarn.io/fpga"}


def test_the_maximum_is_the_schedulers():
    assert view().maximum == {"memory-mb": 8192, "vcores": 16, "yarn.io/gpu": 9223372036854775807}
    assert view(FAIR).maximum == {}


def test_a_report_without_what_is_not_known_yet():
    tree = {"app": {"id": "application_1_0001", "state": "ACCEPTED", "finalStatus": "UNDEFINED"}}
    report = cluster.report(tree)
    assert (report.state, report.final_status, report.diagnostics, report.tracking_url, report.ended) == (
        "ACCEPTED",
        "UNDEFINED",
        "",
        "",
        False,
    )


@pytest.mark.parametrize("state", ["FINISHED", "FAILED", "KILLED"])
def test_a_report_of_an_end(state):
    assert cluster.report({"app": {"id": "application_1_0001", "state": state}}).ended

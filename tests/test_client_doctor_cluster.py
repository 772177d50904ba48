"""What `submit doctor` makes of the cluster's answers: ResourceManagers, nodes, queue, the right to submit, HDFS."""

import pytest

from client.doctor import cluster, hdfs
from client.doctor.asking import Access, Address
from client.doctor.finding import FAILURE, OK, SKIPPED, WARNING
from client.yarn.cluster import ClusterView, Node, Queue
from conf import configuration


def settings(**keys):
    return configuration.load((), [(key.replace("__", ".").replace("_", "-"), value, "-D") for key, value in keys.items()]).settings()


ACTIVE = Address("http://rm1:8088", "3.5.0", "ACTIVE")
STANDBY = Address("http://rm2:8088", "3.5.0", "STANDBY")
DOWN = Address("http://rm2:8088", error="Connection refused")


@pytest.mark.parametrize(
    ("addresses", "statuses"),
    [
        ([ACTIVE], [OK]),
        ([Address("http://rm1:8088", "3.5.0", "INITIALIZING")], [OK]),
        ([ACTIVE, STANDBY], [OK, OK]),
        ([DOWN, ACTIVE], [WARNING, OK]),
        ([DOWN], [FAILURE]),
        ([STANDBY, DOWN], [OK, FAILURE, FAILURE]),
        ([STANDBY, Address("http://rm1:8088", "3.5.0", "INITIALIZING")], [OK, OK, FAILURE]),
        ([STANDBY, STANDBY], [OK, OK, FAILURE]),
    ],
)
def test_one_active_resourcemanager_is_enough(addresses, statuses):
    assert [finding.status for finding in cluster.resourcemanagers(addresses)] == statuses


def view(*nodes, types=("memory-mb", "vcores", "yarn.io/gpu")):
    queues = (Queue("root.default", "RUNNING", leaf=True, creates_children=False),)
    return ClusterView("3.5.0", nodes, queues, frozenset(types), {})


def node(host="n1", **resources):
    total = {"memory-mb": 8192, "vcores": 16} | {f"yarn.io/{name}": amount for name, amount in resources.items()}
    return Node(host, (), total, total)


def test_nodes_are_named_that_offer_a_type():
    text = [finding.text for finding in cluster.nodes(view(node("n1"), node("n2", gpu=2), node("n3", gpu=4)))]
    assert text == ["3 RUNNING, with 24576 MiB and 48 vcores", "yarn.io/gpu: 6 in all, n3 4, n2 2"]


def test_many_nodes_are_counted_beyond_the_first():
    *_, gpus = cluster.nodes(view(*(node(f"n{i}", gpu=1) for i in range(6))))
    assert gpus.text == "yarn.io/gpu: 6 in all, n0 1, n1 1, n2 1, n3 1 and 2 more"


@pytest.mark.parametrize(
    ("cluster_view", "status", "words"),
    [
        (view(), FAILURE, "no NodeManager is RUNNING"),
        (view(node()), WARNING, "yarn.io/gpu: counted, and no node offers any"),
        (view(node(), types=("memory-mb", "vcores")), WARNING, "this cluster counts memory and vcores only"),
    ],
)
def test_nodes_that_lack_something(cluster_view, status, words):
    assert (status, words) in [(finding.status, finding.text) for finding in cluster.nodes(cluster_view)]


def test_a_queue_that_is_not_there_and_containers_that_are_too_large():
    asked = settings(yarn__application__queue="defualt", taskmanager__memory__process__size="64g")
    (queue,) = cluster.queue(asked, view(node()))
    (containers,) = cluster.containers(asked, view(node()))
    assert (queue.status, queue.text) == (FAILURE, "queue 'defualt' does not exist")
    assert (containers.status, "memory-mb 65536" in containers.text) == (FAILURE, True)
    assert all(finding.remedy for finding in (queue, containers))


@pytest.mark.parametrize(
    ("access", "status"), [(Access(True), OK), (Access(False, "no"), FAILURE), (Access(None, "not an administrator"), SKIPPED)]
)
def test_the_right_to_submit(access, status):
    assert cluster.right(access, "ann", "root.a").status == status


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("AccessControlException: Permission denied: user=ann, access=WRITE", "have HDFS's superuser make your home directory"),
        ("Cannot create file. Name node is in safe mode.", "wait until the NameNode leaves safe mode"),
        ("The DiskSpace quota of /user/ann is exceeded", "delete something, or have the quota raised"),
        ("GSS failure", "run `kinit`"),
        ("all is lost", "try `hdfs dfs -touchz /user/ann/x`"),
    ],
)
def test_a_refused_write_has_its_own_remedy(error, remedy):
    found = hdfs.judge({"directory": "/user/ann", "error": error}, "hdfs://nn:8020", "ann")
    assert (found.status, found.text) == (FAILURE, f"hdfs://nn:8020/user/ann takes no file: {error}")
    assert found.remedy.startswith(remedy)

import dataclasses

import pytest

from client import preflight
from client.cluster import ClusterView, Node, Queue
from client.container_asks import of_group
from conf import configuration


def settings(*overrides):
    return configuration.load([], [(*item.split("=", 1), "-D") for item in overrides]).settings()


def asks(**amounts):
    """Settings of a TaskManager that asks for these amounts of yarn.io/<name>."""
    names = ";".join(amounts)
    keys = [f"external-resource.{name}.amount={amount}" for name, amount in amounts.items()]
    types = [f"external-resource.{name}.yarn.config-key=yarn.io/{name}" for name in amounts]
    return settings(f"external-resources={names}", *keys, *types)


def node(host, memory=8192, vcores=16, labels=(), **types):
    total = {"memory-mb": memory, "vcores": vcores} | {f"yarn.io/{name}": amount for name, amount in types.items()}
    return Node(host, labels, total, total)


def queue(path, state="RUNNING", *, leaf=True, creates_children=False, **more):
    return Queue(path, state, leaf, creates_children, **more)


ROOT = queue("root", leaf=False)
VIEW = ClusterView(
    version="3.5.0",
    nodes=(node("n1", gpu=2, fpga=0), node("n2", memory=16384, vcores=8, gpu=1, fpga=1)),
    queues=(
        ROOT,
        queue("root.default"),
        queue("root.research.gpu", "STOPPED"),
        queue("root.research", leaf=False),
        queue("root.production"),
    ),
    types=frozenset({"memory-mb", "vcores", "yarn.io/gpu", "yarn.io/fpga"}),
    maximum={"memory-mb": 12288, "vcores": 16},
)


def test_what_fits_has_no_problem():
    assert preflight.problems(asks(gpu=2), VIEW) == []
    assert preflight.warnings(asks(gpu=2), VIEW) == []


@pytest.mark.parametrize(
    ("name", "cause", "remedy"),
    [
        ("defalt", "queue 'defalt' does not exist", "did you mean default or root.default? The queues are root.default, root.production"),
        ("zzz", "queue 'zzz' does not exist", "The queues are root.default, root.production, root.research.gpu"),
        ("root", "queue 'root' takes no applications", "give one of root.default, root.production, root.research.gpu"),
        ("root.research", "queue 'root.research' takes no applications", "give one of root.research.gpu"),
        ("gpu", "queue 'gpu' is STOPPED", "give one that is RUNNING (root.default, root.production)"),
    ],
)
def test_a_queue_that_takes_nothing(name, cause, remedy):
    [problem] = preflight.problems(settings(f"yarn.application.queue={name}"), VIEW)
    assert (problem.key, cause in problem.cause, remedy in problem.remedy) == ("yarn.application.queue", True, True), problem


@pytest.mark.parametrize("name", ["default", "root.default", "production"])
def test_a_queue_by_leaf_or_full_path(name):
    given = settings(f"yarn.application.queue={name}")
    assert preflight.problems(given, VIEW) == []
    assert preflight.submission_queue(given, VIEW) == name.removeprefix("root.")


def test_leaves_of_one_name_need_their_full_path():
    view = dataclasses.replace(VIEW, queues=(ROOT, queue("root.a.x"), queue("root.b.x")))
    [problem] = preflight.problems(settings("yarn.application.queue=x"), view)
    assert problem.remedy == "give one of the full paths root.a.x, root.b.x"
    full = settings("yarn.application.queue=root.a.x")
    assert preflight.problems(full, view) == []
    assert preflight.submission_queue(full, view) == "root.a.x"


def test_a_queue_that_is_made_on_demand_need_not_exist():
    view = dataclasses.replace(VIEW, queues=(ROOT, queue("root.users", leaf=False, creates_children=True)))
    assert preflight.problems(settings("yarn.application.queue=root.users.ann"), view) == []
    assert len(preflight.problems(settings("yarn.application.queue=root.ann"), view)) == 1


@pytest.mark.parametrize(
    ("given", "key", "cause", "remedy"),
    [
        (
            asks(gppu=1),
            "external-resource.gppu.yarn.config-key",
            "this cluster does not know the resource type 'yarn.io/gppu'",
            "give one that it counts: yarn.io/fpga, yarn.io/gpu",
        ),
        (
            asks(gpu=5),
            "external-resource.gpu.amount",
            "no node offers yarn.io/gpu 5 for a TaskManager; the largest, n1, has 2",
            "ask for at most 2 yarn.io/gpu",
        ),
        (
            settings("taskmanager.memory.process.size=20g"),
            "taskmanager.memory.process.size",
            "no node offers memory-mb 20480 for a TaskManager; the largest, n2, has 16384",
            "ask for at most 12288 memory-mb",
        ),
        (
            settings("taskmanager.memory.process.size=14g"),
            "taskmanager.memory.process.size",
            "memory-mb 14336 for a TaskManager is above the scheduler's maximum for a container, 12288",
            "ask for at most 12288 memory-mb",
        ),
        (
            settings("taskmanager.cpu.cores=17"),
            "taskmanager.cpu.cores",
            "no node offers vcores 17 for a TaskManager; the largest, n1, has 16",
            "ask for at most 16 vcores",
        ),
        (
            settings("jobmanager.memory.process.size=20g"),
            "jobmanager.memory.process.size",
            "no node offers memory-mb 20480 for the application master; the largest, n2, has 16384",
            "ask for at most 12288 memory-mb",
        ),
        (
            asks(gpu=2, fpga=1),
            "taskmanager.memory.process.size",
            "no node can hold a TaskManager of memory-mb 1024, vcores 1, yarn.io/gpu 2, yarn.io/fpga 1; "
            "the closest, n2, would need yarn.io/gpu 2 where it has 1",
            "ask for less in one TaskManager, for instance fewer slots in more TaskManagers",
        ),
    ],
    ids=["unknown type", "too many", "memory", "above the maximum", "vcores", "AM memory", "each fits, not together"],
)
def test_what_no_node_can_hold(given, key, cause, remedy):
    [problem] = preflight.problems(given, VIEW)
    assert (problem.key, problem.cause, problem.remedy) == (key, cause, remedy)


def test_a_type_that_no_node_offers():
    view = dataclasses.replace(VIEW, nodes=(node("n1", gpu=0),))
    [problem] = preflight.problems(asks(gpu=1), view)
    assert problem.cause == "no node offers yarn.io/gpu 1 for a TaskManager; none has any"
    assert problem.remedy == "have a node configured that offers yarn.io/gpu, or do not ask for it"


def test_all_problems_at_once():
    given = settings("yarn.application.queue=zzz", "taskmanager.memory.process.size=20g", "jobmanager.memory.process.size=20g")
    assert [problem.key for problem in preflight.problems(given, VIEW)] == [
        "yarn.application.queue",
        "taskmanager.memory.process.size",
        "jobmanager.memory.process.size",
    ]


def test_no_running_node():
    [problem] = preflight.problems(settings(), dataclasses.replace(VIEW, nodes=()))
    assert problem.cause == "no NodeManager of this cluster is RUNNING"


def test_more_than_the_whole_cluster_is_a_warning():
    (group,) = asks(gpu=2).groups
    given = dataclasses.replace(asks(gpu=2), groups=(dataclasses.replace(group, count=2),))
    assert preflight.problems(given, VIEW) == []
    assert preflight.warnings(given, VIEW) == [
        "2 TaskManagers and the application master ask for yarn.io/gpu 4, and all nodes have 3: some will wait for ever"
    ]


def test_a_resource_without_a_type_is_not_asked_for():
    given = settings("external-resources=nic", "external-resource.nic.amount=9", "external-resource.nic.driver-factory.class=list")
    assert of_group(given.groups[0]).resources == {"memory-mb": 1024, "vcores": 1}
    assert preflight.problems(given, VIEW) == []


TWO_GROUPS = (
    "taskmanager.groups=train;io",
    "external-resource.gpu.amount=1",
    "external-resource.gpu.yarn.config-key=yarn.io/gpu",
    "taskmanager.group.train.external-resources=gpu",
)


def test_each_group_is_checked_by_its_own_keys():
    given = settings(*TWO_GROUPS, "taskmanager.group.train.external-resource.gpu.amount=9", "taskmanager.group.io.memory.process.size=99g")
    assert [(problem.key, problem.cause.partition(";")[0]) for problem in preflight.problems(given, VIEW)] == [
        ("taskmanager.group.io.memory.process.size", "no node offers memory-mb 101376 for a TaskManager of group io"),
        ("taskmanager.group.train.external-resource.gpu.amount", "no node offers yarn.io/gpu 9 for a TaskManager of group train"),
    ]


def test_a_group_asks_for_its_own_resources_only():
    train, io = settings(*TWO_GROUPS).groups
    assert of_group(train).resources == {"memory-mb": 1024, "vcores": 1, "yarn.io/gpu": 1}
    assert of_group(io).resources == {"memory-mb": 1024, "vcores": 1}


LABELLED = dataclasses.replace(
    VIEW,
    nodes=(node("n1"), node("n2", labels=("fast",), gpu=2)),
    queues=(queue("root.default", labels=("fast",)), queue("root.slow", labels=("slow",))),
)


@pytest.mark.parametrize(
    ("overrides", "exclusive", "causes"),
    [
        (["yarn.taskmanager.node-label=fast", "yarn.application.node-label=fast"], {"fast"}, []),
        (["yarn.taskmanager.node-label=fats"], set(), ["no running node has the node label 'fats' that a TaskManager asks for"]),
        (
            ["yarn.taskmanager.node-label=fast", "yarn.application.queue=slow"],
            set(),
            ["queue 'slow' has no access to the node label 'fast' that a TaskManager asks for"],
        ),
        ([], {"fast"}, ["no node offers yarn.io/gpu 1 for a TaskManager; none has any"]),
        ([], set(), []),
    ],
    ids=["label", "unknown label", "queue without access", "exclusive label", "shared label"],
)
def test_a_node_label_decides_which_nodes_count(overrides, exclusive, causes):
    keys = ["external-resources=gpu", "external-resource.gpu.amount=1", "external-resource.gpu.yarn.config-key=yarn.io/gpu"]
    view = dataclasses.replace(LABELLED, exclusive_labels=frozenset(exclusive))
    assert [problem.cause for problem in preflight.problems(settings(*keys, *overrides), view)] == causes


def test_the_default_label_of_the_queue_decides_where_none_is_asked_for():
    view = dataclasses.replace(LABELLED, exclusive_labels=frozenset({"fast"}), queues=(queue("root.default", default_label="fast"),))
    assert preflight.problems(asks(gpu=2), view) == []


def test_more_than_the_queue_may_have_is_a_warning():
    view = dataclasses.replace(VIEW, queues=(queue("root.default", maximum={"memory-mb": 2048, "yarn.io/gpu": 9}),))
    assert preflight.warnings(settings("treadle.taskmanagers=2"), view) == [
        "2 TaskManagers and the application master ask for memory-mb 3072, and queue default may have at most 2048: some will wait for ever"
    ]


@pytest.mark.parametrize(
    ("overrides", "keys"),
    [
        (
            ["yarn.taskmanager.node-label=fats", "yarn.application.node-label=fats"],
            ["yarn.application.node-label", "yarn.taskmanager.node-label"],
        ),
        (["taskmanager.groups=train", "taskmanager.group.train.node-label=fats"], ["taskmanager.group.train.node-label"]),
    ],
    ids=["both", "a group's own"],
)
def test_a_label_is_told_with_the_key_of_those_who_ask_for_it(overrides, keys):
    assert [problem.key for problem in preflight.problems(settings(*overrides), VIEW)] == keys


@pytest.mark.parametrize(
    ("own", "keys"),
    [
        ([], ["external-resource.gpu.yarn.config-key"]),
        (
            ["taskmanager.group.train.external-resource.gpu.yarn.config-key=yarn.io/gpu2"],
            ["taskmanager.group.train.external-resource.gpu.yarn.config-key", "taskmanager.group.io.external-resource.gpu.yarn.config-key"],
        ),
    ],
    ids=["common", "a group's own"],
)
def test_an_unknown_type_is_told_with_the_key_that_sets_it(own, keys):
    common = ["taskmanager.groups=train;io", "external-resources=gpu", "external-resource.gpu.amount=1"]
    given = settings(*common, "external-resource.gpu.yarn.config-key=yarn.io/gppu", *own)
    assert [problem.key for problem in preflight.problems(given, VIEW)] == keys

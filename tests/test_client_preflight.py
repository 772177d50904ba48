"""What the preflight says of the containers that an application asks for."""

import dataclasses

import pytest
from client_cluster_view import VIEW, asks, node, settings

from client.submission import preflight
from client.submission.container_asks import of_group


def test_what_fits_has_no_problem():
    assert preflight.problems(asks(gpu=2), VIEW) == []
    assert preflight.warnings(asks(gpu=2), VIEW) == []


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

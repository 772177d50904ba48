"""What the preflight says of the queue and of node labels."""

import dataclasses

import pytest
from client_cluster_view import ROOT, VIEW, asks, node, queue, settings

from client.submission import preflight


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

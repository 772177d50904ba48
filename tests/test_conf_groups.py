"""Groups of TaskManagers: own values before the common ones, and keys that nothing reads."""

from __future__ import annotations

import pytest

from conf.configuration import from_flat, load
from conf.errors import ConfigError, Problem
from conf.settings import Settings

GPU = {"external-resource.gpu.amount": "1", "external-resource.gpu.yarn.config-key": "yarn.io/gpu"}
GROUPS = {"taskmanager.groups": "train;io", "taskmanager.group.train.external-resources": "gpu"} | GPU


def settings(values: dict[str, str]) -> Settings:
    return load(overrides=[(key, value, "-D") for key, value in values.items()]).settings()


def problems(values: dict[str, str]) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        settings(values)
    return caught.value.problems


def test_a_group_has_its_own_values_and_the_common_ones_for_the_rest() -> None:
    own = {
        "taskmanager.group.train.count": "2",
        "taskmanager.group.train.numberOfTaskSlots": "4",
        "taskmanager.group.train.external-resource.gpu.amount": "2",
        "taskmanager.group.io.memory.process.size": "512m",
        "taskmanager.group.io.cpu.cores": "3",
        "taskmanager.group.io.node-label": "fast",
    }
    train, io = settings(GROUPS | own | {"taskmanager.memory.process.size": "2g", "treadle.taskmanagers": "3"}).groups
    assert (train.name, train.count, train.slots, train.memory_mb, train.vcores, train.node_label) == ("train", 2, 4, 2048, 4, None)
    assert (io.name, io.count, io.slots, io.memory_mb, io.vcores, io.node_label) == ("io", 3, 1, 512, 3, "fast")
    assert [(resource.name, resource.amount) for resource in train.external_resources] == [("gpu", 2)]
    assert io.external_resources == ()


def test_one_yarn_type_may_be_in_two_groups() -> None:
    own = {"taskmanager.group.io.external-resources": "big", "external-resource.big.amount": "2"}
    train, io = settings(GROUPS | own | {"external-resource.big.yarn.config-key": "yarn.io/gpu"}).groups
    assert [group.external_resources[0].yarn_type for group in (train, io)] == ["yarn.io/gpu", "yarn.io/gpu"]


def test_without_groups_there_is_one_called_tm() -> None:
    assert [group.name for group in settings({}).groups] == ["tm"]


def test_all_slots_of_all_groups_are_used_by_default() -> None:
    assert settings(GROUPS | {"taskmanager.group.io.numberOfTaskSlots": "3"}).parallelism == 4


def test_a_task_manager_belongs_to_the_group_in_its_id() -> None:
    found = settings({"taskmanager.groups": "train;train-big"})
    assert found.group_of("train-big-10").name == "train-big"
    with pytest.raises(KeyError, match="io-0"):
        found.group_of("io-0")


def test_groups_survive_being_shipped() -> None:
    configuration = load(overrides=[(key, value, "-D") for key, value in GROUPS.items()])
    assert from_flat(configuration.flat()).settings() == configuration.settings()


@pytest.mark.parametrize(
    ("values", "key", "cause", "remedy"),
    [
        (
            {"taskmanager.groups": "a;a"},
            "taskmanager.groups",
            "taskmanager.groups is 'a;a' (-D): 'a' is there twice",
            "write names between semicolons, each letters, digits and - after a letter, such as train;io",
        ),
        ({"taskmanager.groups": "a_b"}, "taskmanager.groups", "'a_b' is not letters, digits and - after a letter", "such as train;io"),
        (
            GROUPS | {"taskmanager.group.io.count": "0"},
            "taskmanager.group.io.count",
            "treadle.taskmanagers is '0' (taskmanager.group.io.count, -D): less than 1",
            "write a whole number from 1",
        ),
        (
            GROUPS | {"taskmanager.group.oi.count": "2"},
            "taskmanager.group.oi.count",
            "has no effect: taskmanager.groups is 'train;io' (-D), without 'oi'",
            "write taskmanager.groups: train;io;oi, or take its keys out",
        ),
        (
            {"taskmanager.group.train.count": "2"},
            "taskmanager.group.train.count",
            "has no effect: taskmanager.groups is not set, without 'train'",
            "write taskmanager.groups: train, or take its keys out",
        ),
        (
            GROUPS | {"taskmanager.group.io.memory": "2g"},
            "taskmanager.group.io.memory",
            "is not an option of a group of TaskManagers (-D)",
            "write taskmanager.group.io.memory.process.size",
        ),
        (
            GROUPS | {"taskmanager.groups.io.count": "2"},
            "taskmanager.groups.io.count",
            "is not an option (-D)",
            "write taskmanager.group.io.count",
        ),
        (
            GROUPS | {"taskmanager.group.io.external-resource.gpu.amount": "2"},
            "taskmanager.group.io.external-resource.gpu.amount",
            "has no effect: external-resources is 'none'",
            "or take its keys out",
        ),
        (
            GROUPS | {"taskmanager.group.train.external-resource.gpu.amuont": "2"},
            "taskmanager.group.train.external-resource.gpu.amuont",
            "is not an option of an external resource (-D)",
            "write taskmanager.group.train.external-resource.gpu.amount",
        ),
        (
            GROUPS | {"taskmanager.group.train.external-resource.gpu.amount": "two"},
            "taskmanager.group.train.external-resource.gpu.amount",
            "external-resource.gpu.amount is 'two' (taskmanager.group.train.external-resource.gpu.amount, -D)",
            "write a whole number from 1",
        ),
        (
            GROUPS | {"parallelism.default": "9"},
            "parallelism.default",
            "1 of 1 slots in group train and 1 of 1 slots in group io have 2",
            "",
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_own_key(values: dict[str, str], key: str, cause: str, remedy: str) -> None:
    (problem,) = problems(values)
    assert problem.key == key
    assert cause in problem.cause
    assert remedy in problem.remedy


def test_a_common_value_that_is_wrong_is_told_once() -> None:
    assert len(problems(GROUPS | {"taskmanager.memory.process.size": "1m"})) == 1

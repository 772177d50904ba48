from __future__ import annotations

import logging
from pathlib import Path

import pytest

from conf.configuration import Configuration, load
from conf.errors import ConfigError, Problem

GPU = "external-resources: gpu\nexternal-resource.gpu.amount: 1\nexternal-resource.gpu.yarn.config-key: yarn.io/gpu\n"


def load_text(directory: Path, text: str, *overrides: str) -> Configuration:
    path = directory / "config.yaml"
    path.write_text(text, encoding="utf-8")
    pairs = [override.partition("=") for override in overrides]
    return load([path], [(key, value, "-D") for key, _, value in pairs])


def problems(directory: Path, text: str, *overrides: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_text(directory, text, *overrides)
    return caught.value.problems


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("taskmanager.numberOfTaskSlot", "taskmanager.numberOfTaskSlots"),
        ("taskmanager.number-of-task-slots", "taskmanager.numberOfTaskSlots"),
        ("parallelism.defualt", "parallelism.default"),
        ("yarn.container.vcores", "yarn.containers.vcores"),
        ("yarn.application.que", "yarn.application.queue"),
        ("taskmanager.memory.process-size", "taskmanager.memory.process.size"),
        ("external-resource", "external-resources"),
        ("treadle.taskmanager", "treadle.taskmanagers"),
        ("treadle.lease.dir", "treadle.lease.directory"),
        ("external.gpu.amount", "external-resource.gpu.amount"),
        ("external-resources.gpu.amount", "external-resource.gpu.amount"),
        ("external_resource.gpu.amount", "external-resource.gpu.amount"),
        ("taskmanager.resource.gpu.amount", "external-resource.gpu.amount"),
        ("external-resource.gpu.amout", "external-resource.gpu.amount"),
        ("external-resource.gpu.driver-factory", "external-resource.gpu.driver-factory.class"),
        ("external-resource.gpu.yarn.configkey", "external-resource.gpu.yarn.config-key"),
        ("external-resource.gpu.params.discovery-script.path", "external-resource.gpu.param.discovery-script.path"),
    ],
)
def test_a_slip_is_answered_with_the_nearest_key(tmp_path: Path, wrong: str, right: str) -> None:
    (problem,) = problems(tmp_path, GPU, f"{wrong}=1")
    assert problem.key == wrong
    assert wrong in problem.cause
    assert "(-D)" in problem.cause
    assert problem.remedy == f"write {right}"


@pytest.mark.parametrize(
    ("key", "accepted"),
    [
        ("treadle.0815", "treadle.lease.directory, "),
        ("treadle.0815", "treadle.taskmanager.failures-validity-interval, treadle.taskmanager.max-failures, treadle.taskmanagers"),
        (
            "external-resource.gpu.xyzzy",
            "yarn.config-key, on-missing, assignment, slots-per-device, discovery-timeout, kubernetes.config-key, param.<key>",
        ),
        ("external-resource.gpu", "amount, driver-factory.class"),
        ("external-resource.gpu.param.", "amount, driver-factory.class"),
    ],
)
def test_an_unknown_key_of_ours_without_a_near_one_lists_what_is_known(tmp_path: Path, key: str, accepted: str) -> None:
    (problem,) = problems(tmp_path, GPU, f"{key}=1")
    assert problem.key == key
    assert accepted in problem.remedy


FLINKS_OWN = [
    "jobmanager.rpc.address",
    "jobmanager.memory.flink.size",
    "jobmanager.memory.heap.size",
    "rest.port",
    "rest.address",
    "state.backend",
    "python.requirements",
    "python.client.executable",
    "taskmanager.memory.flink.size",
    "taskmanager.memory.managed.fraction",
    "taskmanager.memory.managed.size",
    "taskmanager.memory.task.heap.size",
    "taskmanager.memory.size",
    "taskmanager.registration.timeout",
    "taskmanager.load-balance.mode",
    "slotmanager.number-of-slots.max",
    "yarn.heartbeat.interval",
    "yarn.application.type",
    "yarn.application.id",
    "yarn.application.priority",
    "yarn.tags",
    "yarn.file-replication",
    "yarn.provided.lib.dirs",
    "yarn.staging-directory",
    "flink.yarn.x",
    "kubernetes.taskmanager.cpu",
    "env.java.opts.all",
    "execution.checkpointing.interval",
    "s3.secret-key",
]


@pytest.mark.parametrize("key", FLINKS_OWN)
def test_a_key_of_flinks_own_is_left_aside(tmp_path: Path, key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="conf")
    assert key not in load_text(tmp_path, f"{key}: x\n").entries
    assert f"Not read here, left aside: {key}" in caplog.text


def test_a_key_given_by_hand_that_nothing_reads_is_told_with_the_nearest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_text(tmp_path, "", "yarn.queue=gpu")
    assert "yarn.queue (-D) is not read here; the nearest option is yarn.application.queue" in caplog.text


@pytest.mark.parametrize("key", ["cluster.evenly-spread-out-slots", "yarn.maximum-failed-containers"])
def test_an_option_that_flink_removed_is_told(tmp_path: Path, key: str, caplog: pytest.LogCaptureFixture) -> None:
    assert key not in load_text(tmp_path, f"{key}: true\n").entries
    assert f"{key} ({tmp_path / 'config.yaml'}:1) has no effect: Flink has removed this option" in caplog.text


@pytest.mark.parametrize(
    ("text", "overrides", "name", "remedy"),
    [
        ("external-resource.gpu.amount: 1\n", [], "gpu", "write external-resources: gpu, or take its keys out"),
        (GPU + "external-resource.rdma.amount: 1\n", [], "rdma", "write external-resources: gpu;rdma, or take its keys out"),
        (GPU + "external-resource.gpuu.param.x: 1\n", [], "gpuu", "rename 'gpuu' to 'gpu', write"),
        (GPU, ["external-resource.fpga.amount=1"], "fpga", "write external-resources: gpu;fpga"),
        (GPU, ["external-resource.fpga.amount=1", "external-resources=gpu"], "fpga", "write external-resources: gpu;fpga"),
        ("external-resources: none\n", ["external-resource.gpu.amount=2"], "gpu", "write external-resources: gpu"),
    ],
)
def test_keys_of_a_resource_that_is_not_listed_are_one_problem(
    tmp_path: Path, text: str, overrides: list[str], name: str, remedy: str
) -> None:
    (problem,) = problems(tmp_path, text, *overrides)
    assert f"without {name!r}" in problem.cause
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("text", "overrides", "listed"),
    [
        (GPU, ["external-resources=none"], []),
        (GPU, ["external-resources="], []),
        (GPU.replace(": gpu", ": none"), [], []),
        (GPU, ["external-resources=x", "external-resource.x.amount=1", "external-resource.x.yarn.config-key=x"], ["x"]),
        (GPU, ["external-resources=none", "external-resource.gpu.amount=2"], []),
    ],
)
def test_a_list_overridden_so_as_to_leave_a_resource_out_does(tmp_path: Path, text: str, overrides: list[str], listed: list[str]) -> None:
    configuration = load_text(tmp_path, text, *overrides)
    assert [resource.name for resource in configuration.settings().groups[0].external_resources] == listed
    assert not any(key.startswith("external-resource.gpu.") for key in configuration.entries)


def test_unknown_keys_and_wrong_values_are_told_together(tmp_path: Path) -> None:
    found = problems(tmp_path, "treadle.taskmanager: 2\nyarn.appmaster.vcores: two\n")
    assert [problem.key for problem in found] == ["treadle.taskmanager", "yarn.appmaster.vcores"]

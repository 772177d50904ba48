from __future__ import annotations

import math
from pathlib import Path

import pytest

from conf.configuration import Entry, from_flat, load
from conf.errors import ConfigError, Problem
from conf.settings import ApplicationSettings, ExternalResource, FailureSettings, Settings, TaskManagerGroup

SEEDS = """\
external-resources: gpu
external-resource.gpu.driver-factory.class: org.apache.flink.externalresource.gpu.GPUDriverFactory
external-resource.gpu.amount: 1
external-resource.gpu.param.discovery-script.args: --enable-coordination   # only in 002_7da53af5baecfef2, for standalone
external-resource.gpu.yarn.config-key: yarn.io/gpu
external-resource.gpu.kubernetes.config-key: nvidia.com/gpu
"""


def settings(**values: str) -> Settings:
    return load(overrides=[(key.replace("__", "-").replace("_", "."), value, "-D") for key, value in values.items()]).settings()


def problems(*overrides: tuple[str, str]) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(overrides=[(key, value, "-D") for key, value in overrides]).settings()
    return caught.value.problems


def test_the_defaults_alone_are_a_complete_configuration() -> None:
    assert load().settings() == Settings(
        application=ApplicationSettings(
            "Treadle application", "default", memory_mb=1024, vcores=1, heartbeat_ms=200, history_directory=".treadle/history"
        ),
        groups=(TaskManagerGroup("tm", count=1, slots=1, memory_mb=1024, vcores=1, node_label=None, external_resources=()),),
        registration_timeout_s=300.0,
        parallelism=1,
        python=None,
        treadle_python=None,
        lease_directory="/var/tmp/treadle-leases",
        failures=FailureSettings(
            10.0, 50.0, 3, 10.0, 3.0, 2, 3600.0, 0, 1.0, 0, fail_fast=False, idle_timeout_s=30.0, termination_grace_s=5.0
        ),
        lease_timeout_s=10.0,
        health_interval_s=10.0,
    )


@pytest.mark.parametrize("name", ["config.yaml", "flink-conf.yaml", "gpu.yaml"])
def test_the_seeds_example_works_unchanged(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(SEEDS, encoding="utf-8")
    assert load([path]).settings().groups[0].external_resources == (
        ExternalResource(
            name="gpu",
            amount=1,
            driver="org.apache.flink.externalresource.gpu.GPUDriverFactory",
            yarn_type="yarn.io/gpu",
            params={"discovery-script.args": "--enable-coordination"},
        ),
    )


def test_files_in_their_order_and_then_overrides_beat_the_defaults(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("yarn.application.name: a\nyarn.application.queue: a\nyarn.appmaster.vcores: 2\n", encoding="utf-8")
    second.write_text("yarn:\n  application:\n    name: b\n    queue: b\n", encoding="utf-8")
    entries = load([first, second], [("yarn.application.queue", "c", "-D"), ("yarn.application.queue", "d", "--queue")]).entries
    assert entries["yarn.appmaster.vcores"] == Entry("2", f"{first}:3")
    assert entries["yarn.application.name"] == Entry("b", f"{second}:3")
    assert entries["yarn.application.queue"] == Entry("d", "--queue")
    assert entries["taskmanager.numberOfTaskSlots"] == Entry("1", "default")


def test_what_is_shipped_gives_the_same_settings(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(SEEDS + "parallelism.default: 3\njobmanager.rpc.address: x\n", encoding="utf-8")
    configuration = load([path], [("external-resource.gpu.amount", "2", "-D")])
    assert "jobmanager.rpc.address" not in configuration.flat()
    assert from_flat(configuration.flat()).settings() == configuration.settings()


def test_what_is_shipped_gets_no_defaults() -> None:
    with pytest.raises(ConfigError, match=r"taskmanager\.memory\.process\.size is not set"):
        from_flat({"yarn.application.name": "x"}).settings()


@pytest.mark.parametrize(
    ("slots", "count", "parallelism", "expected"),
    [
        (None, None, None, (1, 1, 1)),
        ("4", None, None, (4, 1, 4)),
        (None, "3", None, (1, 3, 3)),
        ("2", "3", None, (2, 3, 6)),
        (None, None, "5", (1, 5, 5)),
        ("2", None, "5", (2, 3, 5)),
        ("2", "3", "5", (2, 3, 5)),
        ("2", "3", "6", (2, 3, 6)),
        ("2", "9", "1", (2, 9, 1)),
    ],
)
def test_what_is_not_set_of_slots_taskmanagers_and_parallelism_follows(
    slots: str | None, count: str | None, parallelism: str | None, expected: tuple[int, int, int]
) -> None:
    given = {"taskmanager_numberOfTaskSlots": slots, "treadle_taskmanagers": count, "parallelism_default": parallelism}
    found = settings(**{key: value for key, value in given.items() if value is not None})
    assert (found.groups[0].slots, found.groups[0].count, found.parallelism) == expected


def test_more_parallelism_than_slots_is_a_problem_that_names_all_three() -> None:
    (problem,) = problems(("parallelism.default", "5"), ("treadle.taskmanagers", "2"), ("taskmanager.numberOfTaskSlots", "2"))
    assert problem.key == "parallelism.default"
    for part in ("is 5 (-D)", "2 TaskManagers (treadle.taskmanagers)", "2 slots (taskmanager.numberOfTaskSlots)", "have 4"):
        assert part in problem.cause
    assert problem.remedy == "set treadle.taskmanagers to 3 or more, or leave it out"


def test_a_refused_value_does_not_bring_a_second_problem_with_it() -> None:
    found = problems(("parallelism.default", "5"), ("treadle.taskmanagers", "4"), ("taskmanager.numberOfTaskSlots", "two"))
    assert [problem.key for problem in found] == ["taskmanager.numberOfTaskSlots"]


@pytest.mark.parametrize(
    ("cores", "vcores", "slots", "expected"),
    [
        (None, None, "3", 3),
        (None, "-1", "3", 3),
        (None, "2", "3", 2),
        ("4", "2", "3", 4),
        ("1.2", None, "3", 2),
        ("0.5", None, "3", 1),
        ("", "2", "3", 2),
    ],
)
def test_vcores_follow_flinks_rule(cores: str | None, vcores: str | None, slots: str, expected: int) -> None:
    given = {"taskmanager_cpu_cores": cores, "yarn_containers_vcores": vcores, "taskmanager_numberOfTaskSlots": slots}
    found = settings(**{key: value for key, value in given.items() if value is not None})
    assert found.groups[0].vcores == expected


@pytest.mark.parametrize(
    ("key", "value", "reason", "accepted"),
    [
        ("yarn.application.name", "", "blank", "some text"),
        ("yarn.application.queue", " ", "blank", "some text"),
        ("jobmanager.memory.process.size", "383m", "less than 384 MiB", "a size with a unit, such as 4g or 1024m, from 384m"),
        ("taskmanager.memory.process.size", "127", "less than 128 MiB", "a size with a unit, such as 4g or 1024m, from 128m"),
        ("taskmanager.memory.process.size", "2048", "2048 bytes is less than 128 MiB; for MiB write 2048m", "a size with a unit"),
        ("taskmanager.memory.process.size", "4 x", "'x' is not a unit of b, k, m, g or t", "a size with a unit"),
        ("taskmanager.memory.process.size", "9000000t", "greater than 64 bits hold", "a size with a unit"),
        ("yarn.appmaster.vcores", "0", "less than 1", "a whole number from 1"),
        ("yarn.appmaster.vcores", "2147483648", "more than 2147483647", "a whole number from 1"),
        ("yarn.heartbeat.container-request-interval", "0 ms", "less than 1 ms", "a duration such as 500 ms, 10 s or 5 min, from 1 ms"),
        ("yarn.heartbeat.container-request-interval", "5 weeks", "'weeks' is not a unit of ms, s, min, h or d", "a duration such as"),
        ("resourcemanager.taskmanager-registration.timeout", "-1", "not a duration", "a duration such as"),
        ("parallelism.default", "1.5", "not a whole number", "a whole number from 1"),
        ("treadle.taskmanagers", "0", "less than 1", "a whole number from 1"),
        ("taskmanager.numberOfTaskSlots", "0", "less than 1", "a whole number from 1"),
        ("taskmanager.cpu.cores", "0", "not above 0", "a number above 0, such as 2 or 0.5"),
        ("taskmanager.cpu.cores", "nan", "not a number", "a number above 0"),
        ("yarn.containers.vcores", "0", "less than 1", "a whole number from 1, or -1 for as many as slots"),
        ("yarn.containers.vcores", "-2", "less than 1", "a whole number from 1, or -1"),
        ("treadle.lease.directory", "leases", "not an absolute path", "an absolute path, such as /var/tmp/treadle-leases"),
    ],
)
def test_a_refused_value_names_key_value_origin_reason_and_remedy(key: str, value: str, reason: str, accepted: str) -> None:
    (problem,) = problems((key, value))
    assert problem.key == key
    assert problem.cause.startswith(f"{key} is {value!r} (-D): {reason}")
    assert problem.remedy.startswith(f"write {accepted}")


def test_all_refused_values_are_told_at_once() -> None:
    found = problems(("yarn.appmaster.vcores", "x"), ("treadle.lease.directory", "x"), ("taskmanager.memory.process.size", "x"))
    assert {problem.key for problem in found} == {"yarn.appmaster.vcores", "treadle.lease.directory", "taskmanager.memory.process.size"}


def test_a_size_without_a_unit_is_bytes_and_told(caplog: pytest.LogCaptureFixture) -> None:
    assert settings(taskmanager_memory_process_size=str(256 * 1024**2)).groups[0].memory_mb == 256
    assert "taskmanager.memory.process.size is 268435456 (-D): no unit, so bytes" in caplog.text


@pytest.mark.parametrize(("text", "memory_mb"), [("4g", 4096), ("4 gb", 4096), ("4GiB", 4096), ("1728m", 1728), ("1048575k", 1023)])
def test_sizes_are_whole_mebibytes_rounded_down(text: str, memory_mb: int) -> None:
    assert settings(taskmanager_memory_process_size=text).groups[0].memory_mb == memory_mb


def test_durations_without_a_unit_are_milliseconds() -> None:
    found = settings(yarn_heartbeat_container__request__interval="1000", resourcemanager_taskmanager__registration_timeout="1500")
    assert found.application.heartbeat_ms == 1000
    assert math.isclose(found.registration_timeout_s, 1.5)


def test_an_empty_override_unsets_an_option_without_default(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("python.executable: /opt/python\nparallelism.default: 4\n", encoding="utf-8")
    found = load([path], [("python.executable", "", "--python"), ("parallelism.default", "", "-D")]).settings()
    assert (found.python, found.parallelism) == (None, 1)


def test_every_unreadable_file_and_nameless_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: b: c\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load([tmp_path / "absent.yaml", tmp_path / "broken.yaml"], [(" ", "x", "-D")])
    assert [problem.key for problem in caught.value.problems] == [str(tmp_path / "absent.yaml"), f"{tmp_path / 'broken.yaml'}:1", "-D"]


@pytest.mark.parametrize(("task_managers", "failures"), [(1, 3), (2, 4), (50, 100)])
def test_more_task_managers_may_fail_more_often(task_managers: int, failures: int) -> None:
    assert settings(treadle_taskmanagers=str(task_managers)).failures.max_failures == failures


def test_a_command_is_only_restarted_when_that_is_asked_for() -> None:
    overrides = [("restart-strategy.fixed-delay.attempts", "5", "-D")]
    assert load(overrides=overrides).settings().failures.restart_attempts == 0
    assert load(overrides=[*overrides, ("restart-strategy.type", "fixed-delay", "-D")]).settings().failures.restart_attempts == 5


def test_a_heartbeat_timeout_within_the_interval_is_a_problem() -> None:
    (problem,) = problems(("heartbeat.timeout", "5 s"))
    assert problem.cause == "heartbeat.timeout is 5 s, not longer than heartbeat.interval, 10 s"

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.configuration import load
from conf.errors import ConfigError, Problem
from conf.settings import ExternalResource
from conf.units import LONG_MAX


def read(values: dict[str, str]) -> tuple[ExternalResource, ...]:
    return load(overrides=[(key, value, "-D") for key, value in values.items()]).settings().groups[0].external_resources


def gpu(**changes: str | None) -> dict[str, str]:
    """A complete resource `gpu`; a change of None takes the key out."""
    values: dict[str, str | None] = {"amount": "1", "yarn.config-key": "yarn.io/gpu"}
    values.update({suffix.replace("_", "."): value for suffix, value in changes.items()})
    return {"external-resources": "gpu"} | {f"external-resource.gpu.{key}": value for key, value in values.items() if value is not None}


def problems(values: dict[str, str]) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        read(values)
    return caught.value.problems


def with_types(*names: str) -> dict[str, str]:
    keys = {f"external-resource.{name}.amount": "1" for name in names}
    return keys | {f"external-resource.{name}.yarn.config-key": f"example.com/x{index}" for index, name in enumerate(names)}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("none", []),
        ("", []),
        ("  ", []),
        ("[]", []),
        ("gpu", ["gpu"]),
        (" gpu ; fpga; ", ["gpu", "fpga"]),
        ("fpga;gpu", ["fpga", "gpu"]),
        ("[gpu, fpga]", ["gpu", "fpga"]),
        ("NONE", ["NONE"]),
        ("none;gpu", ["none", "gpu"]),
        ("'a;b';c", ["a;b", "c"]),
        ("a;a.b", ["a", "a.b"]),
    ],
)
def test_names_keep_the_order_of_the_list(text: str, names: list[str]) -> None:
    found = read({"external-resources": text} | with_types(*names))
    assert [resource.name for resource in found] == names


def test_a_name_given_twice_counts_once_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    found = read({"external-resources": "gpu;gpu"} | with_types("gpu"))
    assert [resource.name for resource in found] == ["gpu"]
    assert "external-resources names gpu twice" in caplog.text


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("gpu;;", "one of its names is blank"),
        ("gpu; ;", "one of its names is blank"),
        ("gpu;' '", "one of its names is blank"),
        ("gpu,fpga;gpu", "a comma does not separate, so 'gpu,fpga' is a single name"),
        ("gpu;'fpga", "the quote at position 5 is not closed"),
    ],
)
def test_a_list_that_cannot_be_meant_is_one_pointed_problem(text: str, cause: str) -> None:
    (problem,) = problems(gpu() | {"external-resources": text})
    assert problem.key == "external-resources"
    assert cause in problem.cause
    assert repr(text) in problem.cause
    assert problem.remedy == "write names between semicolons, such as gpu;fpga, or none"


@pytest.mark.parametrize("text", ["NONE", "none;gpu", "[none, gpu]"])
def test_none_that_is_not_the_whole_value_is_explained(text: str) -> None:
    found = [problem for problem in problems(gpu() | {"external-resources": text}) if "none" in problem.key.lower()]
    assert [problem.remedy for problem in found] == ["write none in lower case, unquoted, as the whole value, to have no resources"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0", "less than 1"),
        ("-1", "less than 1"),
        ("two", "not a whole number"),
        ("1.5", "not a whole number"),
        ("1.0", "not a whole number"),
        ("", "blank"),
        ("  ", "blank"),
        (str(LONG_MAX + 1), "greater than 64 bits hold"),
    ],
)
def test_an_amount_that_cannot_be_met_names_key_value_origin_and_what_is_accepted(text: str, reason: str) -> None:
    key = "external-resource.gpu.amount"
    assert problems(gpu(amount=text)) == (Problem(key, f"{key} is {text!r} (-D): {reason}", "write a whole number from 1"),)


def test_a_padded_amount_is_trimmed_and_told(caplog: pytest.LogCaptureFixture) -> None:
    assert read(gpu(amount=" 2 "))[0].amount == 2
    assert "external-resource.gpu.amount is ' 2 ' (-D): trimmed to '2'" in caplog.text


@settings(deadline=None)
@given(st.integers(1, LONG_MAX))
def test_every_positive_long_is_an_amount(amount: int) -> None:
    assert read(gpu(amount=str(amount)))[0].amount == amount


@settings(deadline=None)
@given(st.text().filter(lambda text: not text.strip().lstrip("+").isdecimal()))
def test_no_other_text_is_an_amount(text: str) -> None:
    (problem,) = problems(gpu(amount=text))
    assert problem.remedy == "write a whole number from 1"


def test_a_missing_amount_names_the_list() -> None:
    (problem,) = problems(gpu(amount=None))
    assert problem.cause == "external-resource.gpu.amount is not set, but external-resources lists 'gpu' (-D)"
    assert "set it to how many each TaskManager gets" in problem.remedy


@pytest.mark.parametrize("yarn_type", ["yarn.io/gpu", "yarn.io/fpga", "example.com/rdma", "gpu", "a-b.c/x_1.y-z"])
def test_any_type_that_yarn_can_count_is_accepted(yarn_type: str) -> None:
    assert read({**gpu(), "external-resource.gpu.yarn.config-key": yarn_type})[0].yarn_type == yarn_type


@pytest.mark.parametrize(
    ("yarn_type", "reason"),
    [
        ("memory", "built into YARN and set by taskmanager.memory.process.size"),
        ("memory-mb", "built into YARN"),
        ("vcores", "built into YARN and set by taskmanager.cpu.cores"),
        ("yarn.io/", "not the name of a YARN resource type"),
        ("/gpu", "not the name"),
        ("yarn.io/1gpu", "not the name"),
        ("a/b/c", "not the name"),
        ("-a.b/gpu", "not the name"),
        ("gpu=1", "not the name"),
        ("gp\u00fc", "not the name"),
    ],
)
def test_a_name_that_yarn_refuses_is_refused(yarn_type: str, reason: str) -> None:
    (problem,) = problems({**gpu(), "external-resource.gpu.yarn.config-key": yarn_type})
    assert problem.key == "external-resource.gpu.yarn.config-key"
    assert reason in problem.cause
    assert "yarn.io/gpu or example.com/rdma" in problem.remedy


def test_two_resources_of_one_type_are_a_problem_that_names_both() -> None:
    values = gpu() | {
        "external-resources": "gpu;more",
        "external-resource.more.amount": "2",
        "external-resource.more.yarn.config-key": "yarn.io/gpu",
    }
    (problem,) = problems(values)
    assert "external-resource.gpu.yarn.config-key and external-resource.more.yarn.config-key are both 'yarn.io/gpu'" in problem.cause


def test_without_a_type_it_is_found_on_the_node_only_and_blank_counts_as_absent() -> None:
    values = gpu() | {"external-resource.gpu.yarn.config-key": " ", "external-resource.gpu.driver-factory.class": "nvidia"}
    assert read(values) == (ExternalResource("gpu", 1, "nvidia", None, {}),)


def test_without_a_driver_it_is_requested_only() -> None:
    assert read(gpu()) == (ExternalResource("gpu", 1, None, "yarn.io/gpu", {}),)


def test_a_driver_that_hangs_is_known_before_its_task_manager_counts_as_lost() -> None:
    registration = {"resourcemanager.taskmanager-registration.timeout": "40 s"}
    own = {"external-resource.gpu.discovery-timeout": "500 ms"}
    timeouts = [read(gpu() | more)[0].discovery_timeout_s for more in ({}, registration, own, registration | own)]
    assert timeouts == [150.0, 20.0, 0.5, 0.5]


def test_with_neither_type_nor_driver_it_has_no_effect() -> None:
    (problem,) = problems({"external-resources": "gpu", "external-resource.gpu.amount": "1"})
    assert (
        "has no effect: neither external-resource.gpu.yarn.config-key nor external-resource.gpu.driver-factory.class is set"
        in problem.cause
    )


def test_a_padded_driver_is_trimmed_and_told(caplog: pytest.LogCaptureFixture) -> None:
    assert read(gpu() | {"external-resource.gpu.driver-factory.class": " nvidia "})[0].driver == "nvidia"
    assert "trimmed to 'nvidia'" in caplog.text


def test_parameters_are_seen_without_their_prefix_and_without_those_of_others() -> None:
    values = {"external-resources": "gpu;fpga"} | with_types("gpu", "fpga")
    values |= {
        "external-resource.gpu.param.discovery-script.args": " --a 'b c' ",
        "external-resource.gpu.param.x": "",
        "external-resource.fpga.param.y": "z",
    }
    first, second = read(values)
    assert first.params == {"discovery-script.args": " --a 'b c' ", "x": ""}
    assert second.params == {"y": "z"}


def test_every_problem_is_told_at_once() -> None:
    values = {
        "external-resources": "gpu;fpga;",
        "external-resource.gpu.amount": "two",
        "external-resource.gpu.yarn.config-key": "vcores",
        "external-resource.fpga.yarn.config-key": "yarn.io/fpga",
        "taskmanager.numberOfTaskSlots": "0",
    }
    assert {problem.key for problem in problems(values)} == {
        "external-resource.gpu.amount",
        "external-resource.gpu.yarn.config-key",
        "external-resource.fpga.amount",
        "taskmanager.numberOfTaskSlots",
    }


@pytest.mark.parametrize("amount", [None, "0", "-2"])
@pytest.mark.parametrize("key", ["external-resource.gpu.on-missing", "treadle.external-resources.on-missing"])
def test_warn_leaves_out_a_resource_without_amount(key: str, amount: str | None, caplog: pytest.LogCaptureFixture) -> None:
    assert read(gpu(amount=amount) | {key: "warn"}) == ()
    assert "external resource 'gpu' is left out" in caplog.text


def test_a_resource_of_its_own_goes_before_the_global_on_missing() -> None:
    values = gpu(amount="0") | {"external-resource.gpu.on-missing": "fail", "treadle.external-resources.on-missing": "warn"}
    assert [problem.key for problem in problems(values)] == ["external-resource.gpu.amount"]


def test_a_worded_amount_is_a_problem_in_spite_of_warn() -> None:
    values = gpu(amount="two") | {"external-resource.gpu.on-missing": "warn"}
    assert [problem.key for problem in problems(values)] == ["external-resource.gpu.amount"]


def test_assignment_slots_per_device_and_on_missing_are_read() -> None:
    more = {"external-resource.gpu.slots-per-device": "4", "external-resource.gpu.on-missing": "warn"}
    assert read(gpu() | more) == (ExternalResource("gpu", 1, None, "yarn.io/gpu", {}, "slot", 4, "warn"),)


def test_slots_per_device_needs_assignment_to_slots() -> None:
    more = {"external-resource.gpu.slots-per-device": "2", "external-resource.gpu.assignment": "task-manager"}
    assert [problem.key for problem in problems(gpu() | more)] == ["external-resource.gpu.slots-per-device"]

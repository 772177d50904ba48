from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

import pytest

from conf.configuration import load_defaults
from conf.files import read_defaults
from conf.options import OPTIONS, RESOURCE_OPTIONS, Option, param_prefix
from conf.reference import render
from conf.shipping_options import ENVIRONMENT_MEANING


def uncommented_defaults() -> dict[str, str]:
    """`defaults.yaml` with the examples (`#key: value`, no blank after the sign) taken in."""
    text = importlib.resources.files("conf").joinpath("defaults.yaml").read_text(encoding="utf-8")
    lines = [line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in text.splitlines()]
    return {key: entry.value for key, entry in read_defaults("\n".join(lines)).items()}


def test_the_defaults_file_and_the_table_name_the_same_options() -> None:
    table = {option.key for option in OPTIONS} | {option.of("gpu").key for option in RESOURCE_OPTIONS}
    free = (param_prefix("gpu"), *ENVIRONMENT_MEANING)
    assert {key for key in uncommented_defaults() if not key.startswith(free)} == table


def test_the_table_holds_each_option_once() -> None:
    keys = [option.key for option in OPTIONS] + [option.suffix for option in RESOURCE_OPTIONS]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("option", [*OPTIONS, *(option.of("gpu") for option in RESOURCE_OPTIONS)], ids=lambda option: option.key)
def test_each_default_and_each_example_is_accepted(option: Option[Any]) -> None:
    option.kind.parse(uncommented_defaults()[option.key])
    assert option.description.endswith(".")


def test_an_option_without_default_is_commented_out() -> None:
    assert {"parallelism.default", "treadle.taskmanagers", "python.executable"}.isdisjoint(load_defaults())


def test_the_documentation_is_up_to_date() -> None:
    page = Path(__file__).parents[1] / "docs" / "configuration.md"
    assert page.read_text(encoding="utf-8") == render(), "run: python -m conf > docs/configuration.md"

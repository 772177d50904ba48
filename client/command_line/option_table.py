"""Every option that can be set, as `submit config --keys` shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conf.configuration import load_defaults
from conf.option import RESOURCE_PREFIX
from conf.options import GROUP_OPTIONS, GROUP_PREFIX, OPTIONS, RESOURCE_OPTIONS, param_prefix
from conf.shipping_options import ENVIRONMENT_MEANING


@dataclass(frozen=True)
class DescribedOption:
    """A key, `<n>` and `<g>` standing for names; `default` is None where it has none."""

    key: str
    kind: str
    default: str | None
    meaning: str


def described() -> Iterator[DescribedOption]:
    """Yields the options: those with a key of their own, those of each external resource, those of each group of TaskManagers."""
    defaults = {key: entry.value for key, entry in load_defaults().items()}
    for option in (*OPTIONS, *(option.of("<n>") for option in RESOURCE_OPTIONS)):
        yield DescribedOption(option.key, option.kind.name, defaults.get(option.key), option.description)
    for prefix, meaning in ENVIRONMENT_MEANING.items():
        yield DescribedOption(f"{prefix}<NAME>", "text", None, meaning)
    yield DescribedOption(f"{param_prefix('<n>')}<key>", "text", None, "Handed to the driver as `<key>`, as it is.")
    for suffix, option in GROUP_OPTIONS.items():
        yield DescribedOption(f"{GROUP_PREFIX}<g>.{suffix}", option.kind.name, None, f"The group's own value of `{option.key}`.")
    resources = f"{GROUP_PREFIX}<g>.{RESOURCE_PREFIX}<n>.*"
    yield DescribedOption(resources, "any", None, f"The group's own values of `{RESOURCE_PREFIX}<n>.*`.")

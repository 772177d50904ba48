"""The table of options as Markdown: docs/configuration.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from conf.configuration import load_defaults
from conf.option import RESOURCE_PREFIX, Option
from conf.options import GROUP_OPTIONS, GROUP_PREFIX, OPTIONS, RESOURCE_OPTIONS, param_prefix
from conf.shipping_options import ENVIRONMENT_MEANING

_INTRODUCTION = """\
# Configuration

Written by `python -m conf > docs/configuration.md`; change `conf/options.py`, `conf/defaults.yaml` or `conf/reference.py` instead.

The keys are Flink's where Flink has them; `treadle.` begins our own. The last one counts: defaults, then files (`--properties-file`) in
their order, then `-D key=value` and flags. A file is Flink's `config.yaml` (YAML, flat or nested; each key once) or, by its name,
`flink-conf.yaml` (Flink 1.x: `key: value` lines, a comment at any `#`; the last of two equal keys counts, with a warning). A blank value
unsets an option that has no default. Sizes are powers of 1024 (`4g`, `4 gb`, `4GiB`; bytes without a unit, with a warning); durations
are such as `500 ms` or `5 min` (milliseconds without a unit).

Everything that is wrong is told at once. Keys of Flink's that mean nothing here are left aside (with a warning when given by `-D`); a key
that differs by a letter or two from one below is an error, as is an unknown one under `treadle.` or `external-resource`.
"""

_RESOURCES = """
## External resources

`<n>` is a name that `external-resources` lists. Keys of a resource that is not listed are an error (Flink leaves them without effect),
unless the list was overridden to leave it out: it comes from a stronger source than the keys do (`-D external-resources=none` over a
file), or it is empty and in the same file. Also errors, where Flink warns and goes on: an amount missing or below 1, a blank name, a comma
in a name, one YARN type for two resources, a resource with neither driver nor YARN type. A name given twice counts once, blanks around a
value are trimmed; both are told in a warning. With
`on-missing: warn` an amount missing or below 1 leaves the resource out, and neither driver nor YARN type is told in a warning.
"""

_GROUPS = f"""
## Groups of TaskManagers

`taskmanager.groups: train;io` makes two groups out of an application's TaskManagers, so that a stage that needs no GPU holds none. Each
has its own value for any of the keys below, and the common one where it has not. TaskManagers are called `train-0`, `io-0`, ….

```yaml
taskmanager.groups: train;io
external-resource.gpu.amount: 1
external-resource.gpu.yarn.config-key: yarn.io/gpu
external-resource.gpu.driver-factory.class: nvidia
{GROUP_PREFIX}train.external-resources: gpu
{GROUP_PREFIX}train.count: 2
{GROUP_PREFIX}io.count: 4
{GROUP_PREFIX}io.memory.process.size: 512m
```

| key | own value for |
|---|---|
"""


def render() -> str:
    """The reference of all options."""
    defaults = {key: entry.value for key, entry in load_defaults().items()}
    resource_options = [option.of("<n>") for option in RESOURCE_OPTIONS]
    param = f"| `{param_prefix('<n>')}<key>` | text | | Handed to the driver as `<key>`, as it is. |"
    groups = [f"| `{GROUP_PREFIX}<g>.{suffix}` | `{option.key}` |" for suffix, option in GROUP_OPTIONS.items()]
    groups.append(f"| `{GROUP_PREFIX}<g>.{RESOURCE_PREFIX}<n>.*` | `{RESOURCE_PREFIX}<n>.*` |")
    variables = [f"| `{prefix}<NAME>` | text | | {meaning} |" for prefix, meaning in ENVIRONMENT_MEANING.items()]
    lines = [*_table(OPTIONS, defaults), *variables, _RESOURCES, *_table(resource_options, defaults), param, _GROUPS.rstrip("\n"), *groups]
    return _INTRODUCTION + "\n" + "\n".join(lines) + "\n"


def _table(options: Iterable[Option[Any]], defaults: dict[str, str]) -> Iterator[str]:
    yield "| key | kind | default | meaning |"
    yield "|---|---|---|---|"
    for option in options:
        default = f"`{defaults[option.key]}`" if option.key in defaults else ""
        yield f"| `{option.key}` | {option.kind.name} | {default} | {option.description} |"

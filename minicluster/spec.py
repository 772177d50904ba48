"""What a cluster shall be: parsed from the command line's words, validated once, passed on as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from conf.errors import ConfigError, Problem

DEFAULT_HADOOP = "3.5.0"
MAX_NODES = 200
"""Node i lives on 127.0.0.(10+i)."""

# YARN's rule for a resource name (ResourceUtils.validateNameOfResourceType)
_TYPE_NAME = re.compile(r"([a-z0-9-]+(\.[a-z0-9-]+)*/)?[A-Za-z][\w.-]*")
_OWN_OPTIONS = {"memory": "--memory", "memory-mb": "--memory", "vcores": "--vcores", "yarn.io/gpu": "--gpus"}


@dataclass(frozen=True)
class ClusterSpec:
    """Hadoop's version and what each node has; `gpus` and each entry of `resources` hold one number per node.

    Raises:
        ConfigError: a number of nodes, a count or a type name that YARN would not take.
    """

    hadoop: str = DEFAULT_HADOOP
    gpus: tuple[int, ...] = (2, 2)
    resources: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    memory_mb: int = 8192
    vcores: int = 16

    def __post_init__(self) -> None:
        problems = [*self._node_problems(), *self._resource_problems()]
        if problems:
            raise ConfigError(problems)

    def _node_problems(self) -> list[Problem]:
        problems = []
        if not 1 <= len(self.gpus) <= MAX_NODES:
            problems.append(Problem("--nodes", f"{len(self.gpus)} nodes asked for", f"give 1 to {MAX_NODES} nodes"))
        if any(count < 0 for count in self.gpus):
            problems.append(Problem("--gpus", f"negative count in --gpus {','.join(map(str, self.gpus))}", "give 0 or more for each node"))
        for option, value in (("--memory", self.memory_mb), ("--vcores", self.vcores)):
            if value < 1:
                problems.append(Problem(option, f"{option} {value} leaves the nodes nothing to give", f"give {option} 1 or more"))
        return problems

    def _resource_problems(self) -> list[Problem]:
        problems = []
        for name, counts in self.resources.items():
            if name in _OWN_OPTIONS:
                problems.append(Problem("--resource", f"--resource {name} is no counted type", f"use {_OWN_OPTIONS[name]} for it"))
            elif not _TYPE_NAME.fullmatch(name):
                problems.append(
                    Problem(
                        "--resource",
                        f"{name!r} is no name of a YARN resource type",
                        "write it as rdma or example.com/rdma, with a letter first",
                    )
                )
            if len(counts) != len(self.gpus) or any(count < 0 for count in counts):
                problems.append(
                    Problem(
                        "--resource",
                        f"{name}={','.join(map(str, counts))} does not fit {len(self.gpus)} nodes",
                        "give one count, 0 or more, for each node",
                    )
                )
        return problems


def parse_gpus(text: str, nodes: int | None) -> tuple[int, ...]:
    """`2` for `nodes` nodes (2 by default) or `2,4,0`, one number per node, which `nodes` must agree with.

    Raises:
        ConfigError: a word that is no number, or another number of nodes.
    """
    counts = _counts("--gpus", text)
    if len(counts) == 1:
        return counts * (2 if nodes is None else nodes)
    if nodes is not None and nodes != len(counts):
        raise ConfigError(
            [Problem("--gpus", f"--gpus {text} names {len(counts)} nodes, --nodes says {nodes}", "leave out --nodes, or make them agree")]
        )
    return counts


def parse_resources(texts: Sequence[str], nodes: int) -> dict[str, tuple[int, ...]]:
    """`example.com/rdma=3` for every node or `rdma=3,0`, one number per node.

    Raises:
        ConfigError: no `=`, or a word that is no number.
    """
    resources = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(
                [Problem("--resource", f"--resource {text} has no count", "write it as example.com/rdma=3 or example.com/rdma=3,0")]
            )
        counts = _counts("--resource", value)
        resources[name] = counts * nodes if len(counts) == 1 else counts
    return resources


def _counts(option: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise ConfigError(
            [Problem(option, f"{text!r} is no number or list of numbers", f"write {option} with whole numbers, as 2 or 2,4,0")]
        ) from None

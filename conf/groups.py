"""Groups of TaskManagers: each reads the options of a TaskManager, its own keys `taskmanager.group.<g>.*` before the common ones."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping

from conf import options
from conf.entry import Entry
from conf.errors import Problem
from conf.external_resources import read_external_resources
from conf.option import RESOURCE_PREFIX
from conf.options import GROUP_OPTIONS, GROUP_PREFIX
from conf.reading import Reader
from conf.settings import TaskManagerGroup

logger = logging.getLogger(__name__)

UNNAMED = "tm"
"""Name of the one group of an application that has none of its own."""


def read_groups(reader: Reader) -> tuple[tuple[TaskManagerGroup, ...], int]:
    """Returns the groups, and how many slots the job uses; what isn't set follows from the others."""
    names, parallelism = reader.optional(options.GROUPS), reader.optional(options.PARALLELISM)
    before = len(reader.problems)
    groups = tuple(_read_own(reader, name) for name in names) if names else (_read_group(reader, UNNAMED, parallelism),)
    slots = sum(group.count * group.slots for group in groups)
    if parallelism is not None and parallelism > slots and len(reader.problems) == before:
        reader.problems.append(_too_few_slots(reader, parallelism, groups, slots))
    return groups, parallelism or slots


def own_keys(keys: Mapping[str, object], name: str) -> dict[str, str]:
    """Returns which keys of the group `name` stand in for which common ones: common key → the group's key."""
    prefix = f"{GROUP_PREFIX}{name}."
    return {common: key for key in keys if key.startswith(prefix) and (common := common_key(key[len(prefix) :]))}


def common_key(suffix: str) -> str | None:
    """Returns the key that a group's own `taskmanager.group.<g>.<suffix>` stands in for, None when there is no such option."""
    if suffix.startswith(RESOURCE_PREFIX):
        return suffix
    option = GROUP_OPTIONS.get(suffix)
    return option.key if option else None


def _read_own(reader: Reader, name: str) -> TaskManagerGroup:
    written = own_keys(reader.entries, name)
    own = Reader({**reader.entries, **dict(_stand_ins(reader.entries, written))})
    group = _read_group(own, name, None)
    for found, noted in ((own.problems, reader.problems), (own.refused, reader.refused)):
        noted.extend(Problem(written.get(problem.key, problem.key), problem.cause, problem.remedy) for problem in found)
    reader.warnings.extend(own.warnings)
    return group


def _stand_ins(entries: Mapping[str, Entry], written: Mapping[str, str]) -> Iterator[tuple[str, Entry]]:
    for common, key in written.items():
        yield common, Entry(entries[key].value, f"{key}, {entries[key].origin}")


def _read_group(reader: Reader, name: str, parallelism: int | None) -> TaskManagerGroup:
    slots = reader.required(options.SLOTS)
    count = reader.optional(options.TASK_MANAGERS)
    if count is None:
        count = 1 if parallelism is None else -(-parallelism // slots)
    return TaskManagerGroup(
        name=name,
        count=count,
        slots=slots,
        memory_mb=reader.required(options.MEMORY),
        vcores=_read_vcores(reader, slots),
        node_label=reader.optional(options.NODE_LABEL) or reader.optional(options.AM_NODE_LABEL),
        external_resources=read_external_resources(reader),
    )


def _too_few_slots(reader: Reader, parallelism: int, groups: tuple[TaskManagerGroup, ...], slots: int) -> Problem:
    key = options.PARALLELISM.key
    have = " and ".join(
        f"{group.count} TaskManagers ({options.TASK_MANAGERS.key}) of {group.slots} slots ({options.SLOTS.key})"
        if group.name == UNNAMED
        else f"{group.count} of {group.slots} slots in group {group.name}"
        for group in groups
    )
    more = f"set {options.TASK_MANAGERS.key} to {-(-parallelism // groups[0].slots)} or more"
    if len(groups) > 1:
        more = f"set {GROUP_PREFIX}<g>.count higher"
    return Problem(key, f"{key} is {parallelism} ({reader.origin(key)}), but {have} have {slots}", f"{more}, or leave it out")


def _read_vcores(reader: Reader, slots: int) -> int:
    """Flink's rule (YarnWorkerResourceSpecFactory): cpu cores rounded up, else containers' vcores, else as many as slots."""
    cores = reader.optional(options.CPU_CORES)
    if cores is not None:
        vcores = math.ceil(cores)
        if vcores != cores:
            logger.info("%s is %s: rounded up to %d vcores", options.CPU_CORES.key, cores, vcores)
        return vcores
    vcores = reader.required(options.CONTAINER_VCORES)
    return vcores if vcores > 0 else slots

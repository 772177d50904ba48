"""What a submission asks YARN for, container by container: pure, from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from client.yarn.cluster import MEMORY, VCORES
from conf import options
from conf.groups import UNNAMED
from conf.options import GROUP_OPTIONS, GROUP_PREFIX
from conf.settings import Settings, TaskManagerGroup

MASTER, TASK_MANAGER = "application master", "TaskManager"
"""Roles of containers."""


@dataclass(frozen=True)
class ContainerAsk:
    """`count` containers that are alike.

    Attributes:
        role: `MASTER` or `TASK_MANAGER`.
        group: the group of TaskManagers, "" where there are no groups.
        count: how many.
        resources: resource type → amount of one container, memory in MiB, with `memory-mb` and `vcores`.
        label: the node label that is asked for, None for the queue's default.
        keys: resource type → the key of the configuration that sets it.
        label_key: the key that sets the label.
    """

    role: str
    group: str
    count: int
    resources: Mapping[str, int]
    label: str | None
    keys: Mapping[str, str]
    label_key: str

    @property
    def what(self) -> str:
        """Returns one such container in words."""
        if self.role == MASTER:
            return "the application master"
        return f"a TaskManager of group {self.group}" if self.group else "a TaskManager"

    @property
    def beyond_memory_and_vcores(self) -> dict[str, int]:
        """Returns the types that skein does not know."""
        return {name: amount for name, amount in self.resources.items() if name not in (MEMORY, VCORES)}


def container_asks(settings: Settings) -> tuple[ContainerAsk, ...]:
    """Returns the application master's ask, then that of each group."""
    return (_of_master(settings), *(of_group(group) for group in settings.groups))


def of_group(group: TaskManagerGroup) -> ContainerAsk:
    """Returns what a group of TaskManagers asks for."""
    amounts = {MEMORY: group.memory_mb, VCORES: group.vcores}
    keys = {MEMORY: group_key(group, options.MEMORY.key), VCORES: group_key(group, options.CPU_CORES.key)}
    for resource in group.external_resources:
        if resource.yarn_type is not None:
            amounts[resource.yarn_type] = resource.amount
            keys[resource.yarn_type] = group_key(group, options.AMOUNT_OF.of(resource.name).key)
    name = "" if group.name == UNNAMED else group.name
    return ContainerAsk(TASK_MANAGER, name, group.count, amounts, group.node_label, keys, group_key(group, options.NODE_LABEL.key))


def _of_master(settings: Settings) -> ContainerAsk:
    application = settings.application
    amounts = {MEMORY: application.memory_mb, VCORES: application.vcores}
    keys = {MEMORY: options.AM_MEMORY.key, VCORES: options.AM_VCORES.key}
    return ContainerAsk(MASTER, "", 1, amounts, application.node_label, keys, options.AM_NODE_LABEL.key)


def group_key(group: TaskManagerGroup, common: str) -> str:
    """Returns the key where this group alone can be changed."""
    if group.name == UNNAMED:
        return common
    own = next((suffix for suffix, option in GROUP_OPTIONS.items() if option.key == common), common)
    return f"{GROUP_PREFIX}{group.name}.{own}"

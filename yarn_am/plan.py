"""What an application wants: its job, its TaskManagers, and how much failing it bears."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from yarn_am.replacement import Limits


@dataclass(frozen=True)
class GroupPlan:
    """`count` TaskManagers that are alike, of `slots` slots each; `asked` is each one's container (`memory-mb`, `vcores`, YARN types)."""

    name: str
    count: int
    slots: int
    asked: Mapping[str, int]


@dataclass(frozen=True)
class Restart:
    """How often a command is started again, all slots at once, and the pause before, in seconds.

    With 0 attempts it never is; else what YARN did to it (preemption, a lost node) is not counted.
    """

    attempts: int
    delay_s: float


@dataclass(frozen=True)
class Plan:
    """See the module.

    `parallelism` is how many slots take part, the first ones in the order of the groups. `job_kind` is "main" or "command". The
    registration time-out runs from a container's grant, as Flink's `resourcemanager.taskmanager-registration.timeout` does; the heartbeat
    time-out from a TaskManager's last sign of life (both in seconds). Of a command's slots `allowed_failures` may fail.
    With `one_node` there is no other one that may have the devices that this one lacks. A TaskManager that has nothing to do for
    `idle_timeout_s` is released. With `fail_fast` a command that fails is not started again: restarts are for what happened to it.
    What runs has `grace_s` seconds from SIGTERM to SIGKILL when it is stopped.
    """

    job_name: str
    job_kind: str
    command: tuple[str, ...]
    groups: tuple[GroupPlan, ...]
    parallelism: int
    registration_timeout_s: float
    heartbeat_timeout_s: float
    limits: Limits
    restart: Restart
    allowed_failures: int
    one_node: bool
    idle_timeout_s: float = math.inf
    fail_fast: bool = False
    grace_s: float = 0.0

    @property
    def task_managers(self) -> int:
        """Returns how many TaskManagers are wanted in all."""
        return sum(group.count for group in self.groups)

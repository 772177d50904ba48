"""The effective configuration as typed records: parsed once at the edge by `conf.configuration.load`, passed on as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ExternalResource:
    """One name of `external-resources` and its keys.

    `amount` is per TaskManager. Without `yarn_type` it is discovered on the node but not requested from YARN; without `driver` it is
    requested, and user code gets no information on it. `assignment` is "slot" (a device belongs to `slots_per_device` slots, one unless
    told so) or "task-manager" (every slot sees all, as in Flink). `on_missing` is "fail", or "warn" for Flink's way: go on with what is
    there.
    """

    name: str
    amount: int
    driver: str | None
    yarn_type: str | None
    params: Mapping[str, str]
    assignment: str = "slot"
    slots_per_device: int = 1
    on_missing: str = "fail"


@dataclass(frozen=True)
class ApplicationSettings:
    """What YARN is told of the application, and the AM's own container (memory in MiB)."""

    name: str
    queue: str
    memory_mb: int
    vcores: int
    heartbeat_ms: int


@dataclass(frozen=True)
class TaskManagerSettings:
    """How many TaskManagers, and what each one's container gets (memory in MiB)."""

    count: int
    slots: int
    memory_mb: int
    vcores: int
    registration_timeout_s: float


@dataclass(frozen=True)
class Settings:
    """Everything the programs need to know.

    `python` is the interpreter that user code runs with on the nodes, `treadle_python` that of Treadle's own environment; either None
    means the interpreter that runs `submit`. `lease_directory` holds the node-wide device leases.
    """

    application: ApplicationSettings
    task_manager: TaskManagerSettings
    external_resources: tuple[ExternalResource, ...]
    parallelism: int
    python: str | None
    treadle_python: str | None
    lease_directory: str

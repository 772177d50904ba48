"""The effective configuration as typed records: parsed once at the edge by `conf.configuration.load`, passed on as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PLAIN, ARCHIVE, PYTHON = "file", "archive", "Python file"
"""Kinds of what is shipped."""


@dataclass(frozen=True)
class ExternalResource:
    """One name of `external-resources` and its keys.

    `amount` is per TaskManager. Without `yarn_type` it is discovered on the node but not requested from YARN; without `driver` it is
    requested, and user code gets no information on it. `assignment` is "slot" (a device belongs to `slots_per_device` slots, one unless
    told so) or "task-manager" (every slot sees all, as in Flink). `on_missing` is "fail", or "warn" for Flink's way: go on with what is
    there. Each answer of the driver may take `discovery_timeout_s`.
    """

    name: str
    amount: int
    driver: str | None
    yarn_type: str | None
    params: Mapping[str, str]
    assignment: str = "slot"
    slots_per_device: int = 1
    on_missing: str = "fail"
    discovery_timeout_s: float = 150.0


@dataclass(frozen=True)
class ApplicationSettings:
    """What YARN is told of the application, the AM's own container (memory in MiB), and where its history goes, None for nowhere."""

    name: str
    queue: str
    memory_mb: int
    vcores: int
    heartbeat_ms: int
    node_label: str | None = None
    attempts: int = 1
    history_directory: str | None = None


@dataclass(frozen=True)
class TaskManagerGroup:
    """TaskManagers that are alike: how many, and what each one's container gets (memory in MiB).

    A TaskManager's id is the group's name and a number: `train-0`; those without groups are in the one group `tm`.
    """

    name: str
    count: int
    slots: int
    memory_mb: int
    vcores: int
    node_label: str | None
    external_resources: tuple[ExternalResource, ...]


@dataclass(frozen=True)
class FailureSettings:
    """How much failing is borne (times in seconds); `restart_attempts` and `failures_validity_s` 0 for none. See `conf.failure_options`."""

    heartbeat_interval_s: float
    heartbeat_timeout_s: float
    max_failures: int
    failures_validity_s: float
    failure_rate: float
    retry_interval_s: float
    node_max_failures: int
    node_exclusion_s: float
    restart_attempts: int
    restart_delay_s: float
    allowed_failures: int
    fail_fast: bool
    idle_timeout_s: float
    termination_grace_s: float


@dataclass(frozen=True)
class Shipped:
    """Something that lies in the directory of each container under `name`: a file, an archive unpacked, or what Python imports from.

    `source` is a path on the machine that submits, or an hdfs:// URI; `key` and `origin` tell where it was written.
    """

    kind: str
    source: str
    name: str
    key: str
    origin: str


@dataclass(frozen=True)
class Login:
    """In whose name an application is submitted; all None: the name of whoever submits. `keytab` is a path on that machine."""

    keytab: str | None = None
    principal: str | None = None
    proxy_user: str | None = None


@dataclass(frozen=True)
class Settings:
    """Everything the programs need to know.

    `python` is the interpreter that user code runs with on the nodes, `treadle_python` that of Treadle's own environment; either None
    means the interpreter that runs `submit`. `lease_directory` holds the node-wide device leases; a TaskManager waits
    `lease_timeout_s` seconds for those that others hold. Held devices are looked at every `health_interval_s` seconds; 0: never.
    `cpu_affinity` of a slot is "none", or "numa": the CPUs of its devices' NUMA nodes. `master_variables` are set for the job's main,
    `slot_variables` for the processes in slots.
    """

    application: ApplicationSettings
    groups: tuple[TaskManagerGroup, ...]
    registration_timeout_s: float
    parallelism: int
    python: str | None
    treadle_python: str | None
    failures: FailureSettings
    lease_directory: str
    lease_timeout_s: float
    health_interval_s: float = 0.0
    cpu_affinity: str = "none"
    login: Login = Login()
    shipped: tuple[Shipped, ...] = ()
    master_variables: Mapping[str, str] = field(default_factory=dict)
    slot_variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def module_paths(self) -> tuple[str, ...]:
        """Returns where user code imports what was shipped from, relative to a container's directory: of a .py, that directory itself."""
        names = (shipped.name for shipped in self.shipped if shipped.kind == PYTHON)
        return tuple(dict.fromkeys("." if name.endswith(".py") else name for name in names))

    def group_of(self, task_manager_id: str) -> TaskManagerGroup:
        """Returns the group of a TaskManager.

        Raises:
            KeyError: when the id is of none.
        """
        name = task_manager_id.rpartition("-")[0]
        for group in self.groups:
            if group.name == name:
                return group
        raise KeyError(task_manager_id)

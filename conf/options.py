"""The table of options: every key that is read, once. What each one's default is stands in `defaults.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conf.failure_options import FAILURE_OPTIONS
from conf.kinds import (
    ABSOLUTE_PATH,
    AMOUNT,
    CORES,
    DURATION_MS,
    GROUP_NAMES,
    HDFS_DIRECTORY,
    INTERVAL_MS,
    NAMES,
    RESOURCE_TYPE,
    TEXT,
    VCORES,
    one_of,
    size_in_mib,
    whole_number,
)
from conf.login_options import LOGIN_OPTIONS
from conf.option import RESOURCE_PREFIX, Option, ResourceOption
from conf.shipping_options import SHIPPING_OPTIONS

AM_MINIMUM_MIB = 384
"""The least that the AM's container can live in: skein's JVM (128 MiB heap, 150 MiB beside it) and our Python (80 MiB)."""

TASK_MANAGER_MINIMUM_MIB = 128
"""The least that a TaskManager's container can live in: our Python (60 MiB) and the bare interpreter of one slot."""


PARAM = "param."
"""What the suffix of a driver's own parameters begins with."""


def param_prefix(name: str) -> str:
    """What the keys of the parameters of the resource's driver begin with."""
    return f"{RESOURCE_PREFIX}{name}.{PARAM}"


NAME = Option("yarn.application.name", TEXT, "Name of the application, as YARN lists it; of `submit run` by default the job's.")
QUEUE = Option("yarn.application.queue", TEXT, "Queue that the application is submitted to.")
AM_MEMORY = Option(
    "jobmanager.memory.process.size",
    size_in_mib(AM_MINIMUM_MIB),
    "Memory of the application master's container. It holds skein's JVM (about 280 MiB), the application master and the job's main.",
)
AM_VCORES = Option("yarn.appmaster.vcores", whole_number(1), "Virtual cores of the application master's container.")
AM_NODE_LABEL = Option(
    "yarn.application.node-label",
    TEXT,
    "Node label of the application: its containers run on nodes with this label only. Unset: the queue's default.",
)
NODE_LABEL = Option(
    "yarn.taskmanager.node-label",
    TEXT,
    "Node label of the TaskManagers' containers. Unset: that of the application.",
)
ATTEMPTS = Option(
    "yarn.application-attempts",
    whole_number(1),
    "How often YARN starts the application master, which must fail through no fault of the job: its node, its memory, a kill. From 2 on, "
    "preemption and lost nodes don't count. YARN itself has a limit (`yarn.resourcemanager.am.max-attempts`, 2 by default).",
)
HEARTBEAT = Option(
    "yarn.heartbeat.container-request-interval",
    DURATION_MS,
    "How often the application master talks to the ResourceManager: the time from request to grant follows it.",
)
HISTORY_DIRECTORY = Option(
    "treadle.history.dir",
    HDFS_DIRECTORY,
    "Directory on HDFS in which the application master leaves what happened, for `submit history`; a relative path is below the user's "
    "home directory there, `none`: nowhere. What runs with `--master local` has its history on this machine.",
)
PARALLELISM = Option(
    "parallelism.default", whole_number(1), "How many slots the job uses. Unset: all that there are, TaskManagers times the slots of each."
)
TASK_MANAGERS = Option(
    "treadle.taskmanagers", whole_number(1), "How many TaskManagers are started. Unset: as many as `parallelism.default` needs, else 1."
)
GROUPS = Option(
    "taskmanager.groups",
    GROUP_NAMES,
    "Names of the groups that the TaskManagers form, between semicolons, such as `train;io`. Unset: all are alike.",
)
SLOTS = Option("taskmanager.numberOfTaskSlots", whole_number(1), "Slots of each TaskManager; each is a process with devices of its own.")
MEMORY = Option(
    "taskmanager.memory.process.size", size_in_mib(TASK_MANAGER_MINIMUM_MIB), "Memory of a TaskManager's container, slots included."
)
CPU_CORES = Option(
    "taskmanager.cpu.cores", CORES, "Cores of a TaskManager's container, rounded up to whole ones. Goes before `yarn.containers.vcores`."
)
CONTAINER_VCORES = Option("yarn.containers.vcores", VCORES, "Virtual cores of a TaskManager's container; -1: as many as it has slots.")
REGISTRATION_TIMEOUT = Option(
    "resourcemanager.taskmanager-registration.timeout",
    DURATION_MS,
    "How long after its container was granted a TaskManager may take to register with its devices.",
)
PYTHON = Option(
    "python.executable",
    TEXT,
    "Interpreter on the nodes that runs user code (job and slots); `env/bin/python` is one in an archive shipped as `env`. "
    "Unset: the one that runs `submit`.",
)
TREADLE_PYTHON = Option(
    "treadle.python.executable", TEXT, "Interpreter of Treadle's own environment on the nodes. Unset: the one that runs `submit`."
)
LEASE_DIRECTORY = Option(
    "treadle.lease.directory",
    ABSOLUTE_PATH,
    "Directory on each node that holds a lock per device, so that no two TaskManagers there get the same one.",
)
HEALTH_INTERVAL = Option(
    "treadle.health.interval",
    INTERVAL_MS,
    "How often a TaskManager asks its drivers whether the devices that it holds are well; `0`: never.",
)
LEASE_TIMEOUT = Option(
    "treadle.lease.timeout",
    INTERVAL_MS,
    "How long a TaskManager waits for devices that others on its node still use, such as the dying slots of the one that it replaces; "
    "`0`: it fails at once, as it always does when devices are not there at all.",
)
CPU_AFFINITY = Option(
    "taskmanager.slot.cpu-affinity",
    one_of("none", "numa"),
    "CPUs of a slot: `none`, all that its container has, or `numa`, those of the NUMA nodes that its devices are nearest to.",
)
EXTERNAL_RESOURCES = Option(
    "external-resources",
    NAMES,
    "Names of the external resources that a TaskManager gets, between semicolons (quotes protect one) or as a YAML list; "
    "`none` as the whole value means no resources.",
)

ON_MISSING = Option(
    "treadle.external-resources.on-missing",
    one_of("fail", "warn"),
    "What `external-resource.<n>.on-missing` is where it is not set.",
)

OPTIONS: tuple[Option[Any], ...] = (
    NAME,
    QUEUE,
    AM_NODE_LABEL,
    AM_MEMORY,
    AM_VCORES,
    ATTEMPTS,
    HEARTBEAT,
    HISTORY_DIRECTORY,
    PARALLELISM,
    TASK_MANAGERS,
    GROUPS,
    NODE_LABEL,
    SLOTS,
    MEMORY,
    CPU_CORES,
    CONTAINER_VCORES,
    REGISTRATION_TIMEOUT,
    PYTHON,
    TREADLE_PYTHON,
    LEASE_DIRECTORY,
    LEASE_TIMEOUT,
    HEALTH_INTERVAL,
    CPU_AFFINITY,
    *LOGIN_OPTIONS,
    *SHIPPING_OPTIONS,
    *FAILURE_OPTIONS,
    EXTERNAL_RESOURCES,
    ON_MISSING,
)
"""Every option with a key of its own."""

AMOUNT_OF = ResourceOption("amount", AMOUNT, "How many devices each TaskManager gets. Required for each listed name.")
DRIVER_OF = ResourceOption(
    "driver-factory.class",
    TEXT,
    "Driver that finds the devices on the node: a name that `submit drivers` lists. Unset: requested, but user code is told nothing of it.",
)
YARN_TYPE_OF = ResourceOption(
    "yarn.config-key", RESOURCE_TYPE, "YARN's resource type, requested with the amount. Unset: found on the node, but not requested."
)
ON_MISSING_OF = ResourceOption(
    "on-missing",
    one_of("fail", "warn"),
    "What to do where the amount, the driver or devices are missing: `fail`, or `warn` and go on, as Flink does.",
)
ASSIGNMENT_OF = ResourceOption(
    "assignment",
    one_of("slot", "task-manager"),
    "Whom a device belongs to: a `slot`, or the whole `task-manager`, where every slot sees all, as in Flink. Unset: `slot`.",
)
SLOTS_PER_DEVICE_OF = ResourceOption(
    "slots-per-device", whole_number(1), "How many slots share a device; only with assignment `slot`. Unset: 1."
)
DISCOVERY_TIMEOUT_OF = ResourceOption(
    "discovery-timeout",
    DURATION_MS,
    "How long the driver may take to start, and to each answer, before it counts as hung; a discovery script has a time limit of its own "
    "within. Unset: half of `resourcemanager.taskmanager-registration.timeout`.",
)
KUBERNETES_TYPE_OF = ResourceOption("kubernetes.config-key", TEXT, "Accepted, for a Flink file may hold it, and not used on YARN.")

RESOURCE_OPTIONS: tuple[ResourceOption[Any], ...] = (
    AMOUNT_OF,
    DRIVER_OF,
    YARN_TYPE_OF,
    ON_MISSING_OF,
    ASSIGNMENT_OF,
    SLOTS_PER_DEVICE_OF,
    DISCOVERY_TIMEOUT_OF,
    KUBERNETES_TYPE_OF,
)
"""Every option that each external resource has, but for `param.<key>`, which is handed to the driver as it is."""

GROUP_PREFIX = "taskmanager.group."
"""What the key of every option of a group of TaskManagers begins with, before the group's name."""

GROUP_OPTIONS: Mapping[str, Option[Any]] = {
    "count": TASK_MANAGERS,
    "numberOfTaskSlots": SLOTS,
    "memory.process.size": MEMORY,
    "cpu.cores": CPU_CORES,
    "node-label": NODE_LABEL,
    "external-resources": EXTERNAL_RESOURCES,
}
"""What a group can have of its own: `taskmanager.group.<g>.<suffix>` → the option that it stands in for; besides `external-resource.*`."""

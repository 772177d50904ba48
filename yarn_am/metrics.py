"""The application's state for Prometheus: what `/metrics` answers. Pure.

The metrics are in base units, as Prometheus wants it: bytes, seconds, ratios of 1. The library is imported with the first scrape, since
most applications are never scraped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from protocol.usage import DeviceUsage
from yarn_am.cluster_state import ApplicationState, ClusterState
from yarn_am.documents import Document
from yarn_am.failures import Kind
from yarn_am.task_managers import TaskManager, TaskManagerState

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Content-Type of Prometheus' text format."""

_MIB = 1024 * 1024
_STATES = (ApplicationState.STARTING.value, ApplicationState.RUNNING.value, "SUCCEEDED", "FAILED", "KILLED")

_Sample = tuple[tuple[str, ...], float]
"""The values of a metric's labels, and its own."""


def metrics(state: ClusterState, now: float) -> list[Metric]:
    """Returns every metric with all its samples at time `now` of the state's clock, in seconds."""
    return [*_application(state), *_master(state), *_task_managers(state, now), *_slots(state), *_devices(state)]


def exposition(found: Sequence[Metric]) -> Document:
    """Returns metrics in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Collector(found))
    return Document(METRICS_TYPE, generate_latest(registry))


class _Collector:
    """What Prometheus' library asks."""

    def __init__(self, found: Sequence[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """Yields what there is."""
        yield from self._found


def _application(state: ClusterState) -> Iterator[Metric]:
    now = state.outcome.status if state.outcome else state.state.value
    yield _gauge(
        "application_state", "1 for the state, or at the end the outcome, of the application.", "state", (((s,), s == now) for s in _STATES)
    )
    progress = state.job.progress
    yield _gauge("job_fragments", "Fragments of the job's input.", "", [((), progress.total)] if progress else [])
    yield _counter("job_fragments_done", "Fragments that the job is done with.", "", [((), progress.done)] if progress else [])
    yield _counter("job_rows", "Rows that the job has read.", "", [((), progress.rows)] if progress else [])
    yield _counter("job_restarts", "Restarts of the job that its restart-strategy has counted.", "", [((), state.job.restarts)])
    yield _counter("failures", "Failures of TaskManagers and slots.", "kind", (((kind.value,), state.losses.counts[kind]) for kind in Kind))
    yield _gauge("excluded_nodes", "Nodes on which no container is asked for.", "", [((), len(state.losses.excluded))])


def _master(state: ClusterState) -> Iterator[Metric]:
    used = [((), state.master)] if state.master else []
    yield _gauge(
        "master_memory_used_bytes",
        "Memory that the application master's container uses.",
        "",
        ((labels, each.memory_mb * _MIB) for labels, each in used),
    )
    yield _gauge(
        "master_cpu_cores",
        "Cores that the application master's container keeps busy.",
        "",
        ((labels, each.cpu_percent / 100) for labels, each in used),
    )


def _task_managers(state: ClusterState, now: float) -> Iterator[Metric]:
    counts = Counter((each.group.name, each.state) for each in state.task_managers)
    groups = [group.name for group in state.plan.groups]
    yield _gauge(
        "taskmanagers",
        "TaskManagers; of those that have ended the latest.",
        "group state",
        (((group, each.value), counts[group, each]) for group in groups for each in TaskManagerState),
    )
    registered = state.task_managers.registered()
    yield _gauge(
        "taskmanager_heartbeat_age_seconds",
        "Time since the last sign of life.",
        "taskmanager group",
        ((_of(each), max(0.0, now - each.since)) for each in registered),
    )
    yield _gauge(
        "taskmanager_memory_asked_bytes",
        "Memory that the container was asked with.",
        "taskmanager group",
        ((_of(each), each.group.asked["memory-mb"] * _MIB) for each in registered if "memory-mb" in each.group.asked),
    )
    heard = [(each, each.heartbeat) for each in registered if each.heartbeat]
    yield _gauge(
        "taskmanager_memory_used_bytes",
        "Memory that the container uses.",
        "taskmanager group",
        ((_of(each), heartbeat.memory_mb * _MIB) for each, heartbeat in heard),
    )
    yield _gauge(
        "taskmanager_cpu_cores",
        "Cores that the container keeps busy.",
        "taskmanager group",
        ((_of(each), heartbeat.cpu_percent / 100) for each, heartbeat in heard),
    )


def _slots(state: ClusterState) -> Iterator[Metric]:
    registered = state.task_managers.registered()
    slots = Counter[str]()
    for each in registered:
        slots[each.group.name] += len(each.registration.slots) if each.registration else 0
    yield _gauge(
        "slots", "Slots of the TaskManagers that are there.", "group", (((group.name,), slots[group.name]) for group in state.plan.groups)
    )
    usages = [(each, usage) for each in registered if each.heartbeat for usage in each.heartbeat.slots]
    yield _gauge(
        "slot_memory_used_bytes",
        "Memory that the slot's processes use.",
        "taskmanager group slot",
        (((*_of(each), usage.slot_id), usage.memory_mb * _MIB) for each, usage in usages),
    )
    yield _gauge(
        "slot_cpu_cores",
        "Cores that the slot's processes keep busy.",
        "taskmanager group slot",
        (((*_of(each), usage.slot_id), usage.cpu_percent / 100) for each, usage in usages),
    )


def _devices(state: ClusterState) -> Iterator[Metric]:
    registered = state.task_managers.registered()
    held = Counter(
        (resource, "lost" if uuid in each.lost_devices else "held")
        for each in registered
        if each.registration
        for resource, uuid in {(device.resource, device.uuid) for slot in each.registration.slots for device in slot.devices}
    )
    yield _gauge(
        "devices", "Devices of the TaskManagers that are there.", "resource state", (((*key,), count) for key, count in held.items())
    )
    usages = [(each, usage) for each in registered if each.heartbeat for usage in each.heartbeat.devices]
    yield _device("device_utilization_ratio", "Part of the last moments in which the device was busy.", usages, "utilization", 0.01)
    yield _device("device_memory_used_bytes", "Memory of the device in use, by whomever.", usages, "memory_used_mb", _MIB)
    yield _device("device_memory_bytes", "Memory that the device has.", usages, "memory_total_mb", _MIB)
    yield _device("device_temperature_celsius", "Temperature of the device.", usages, "temperature_c", 1)
    yield _device("device_power_watts", "Power that the device draws.", usages, "power_w", 1)


def _device(name: str, help_text: str, usages: list[tuple[TaskManager, DeviceUsage]], field: str, unit: float) -> GaugeMetricFamily:
    told = ((each, usage, getattr(usage, field)) for each, usage in usages)
    samples = (((*_of(each), usage.resource, usage.uuid), value * unit) for each, usage, value in told if value is not None)
    return _gauge(name, help_text, "taskmanager group resource uuid", samples)


def _of(task_manager: TaskManager) -> tuple[str, str]:
    return task_manager.id, task_manager.group.name


def _gauge(name: str, help_text: str, labels: str, samples: Iterable[_Sample]) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"treadle_{name}", help_text, labels=labels.split())
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _counter(name: str, help_text: str, labels: str, samples: Iterable[_Sample]) -> CounterMetricFamily:
    """The library ends its name in `_total`."""
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(f"treadle_{name}", help_text, labels=labels.split())
    for values, value in samples:
        family.add_metric(values, value)
    return family

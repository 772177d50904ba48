"""What the REST server shows: the state of the application as JSON, in Flink's shapes where Flink has one. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from importlib.metadata import version
from typing import Any

from conf.settings import Settings, TaskManagerGroup
from protocol.outcome import KILLED, SUCCEEDED
from protocol.records import Registration
from yarn_am import usage_views
from yarn_am.about import About
from yarn_am.cluster_state import ApplicationState, ClusterState
from yarn_am.failures import Failure
from yarn_am.task_managers import TaskManagerState

Json = dict[str, Any]

_UNKNOWN = -1
"""Flink's mark for a number that is not known."""


def overview(state: ClusterState) -> Json:
    """Returns Flink's `/overview`."""
    registered = state.registered()
    slots = sum(len(registration.slots) for registration in registered)
    status = _job_status(state)
    return {
        "taskmanagers": len(registered),
        "slots-total": slots,
        "slots-available": 0 if status == "RUNNING" else slots,
        "jobs-running": int(status == "RUNNING"),
        "jobs-finished": int(status == "FINISHED"),
        "jobs-cancelled": int(status == "CANCELED"),
        "jobs-failed": int(status == "FAILED"),
        "treadle-version": version("treadle-yarn"),
    }


def task_manager(state: ClusterState, settings: Settings, about: About, registration: Registration) -> Json:
    """Returns Flink's `/taskmanagers/<id>`, and what Flink has not: node, grant, and the devices of each slot."""
    grant, known = state.grant_of(registration), state.task_managers[registration.task_manager_id]
    counts = Counter(device.resource for slot in registration.slots for device in slot.devices)
    slots = [(slot, [usage_views.device(known, device) for device in slot.devices]) for slot in registration.slots]
    busy = state.state is ApplicationState.RUNNING
    group = settings.group_of(registration.task_manager_id)
    total = _resource(group, counts)
    return {
        "id": registration.task_manager_id,
        "group": group.name,
        "path": f"{registration.address}:{registration.ports[0]}",
        "dataPort": registration.ports[0],
        "slotsNumber": len(registration.slots),
        "freeSlots": 0 if busy else len(registration.slots),
        "totalResource": total,
        "freeResource": _resource(group, Counter()) | {"cpuCores": 0.0, "taskOffHeapMemory": 0} if busy else total,
        "timeSinceLastHeartbeat": about.timestamp(known.since) if known.registered else _UNKNOWN,
        "state": known.state.value,
        "node": grant.node if grant else registration.node,
        "containerId": registration.container_id,
        "logs": about.container_log_page(grant.http, registration.container_id) if grant else "",
        "granted": dict(grant.resources) if grant else {},
        "slots": [{"id": slot.id, "devices": devices} for slot, devices in slots],
        "devices": [device for _, devices in slots for device in devices],
        "usage": usage_views.latest(known, group.memory_mb),
    }


def task_managers(state: ClusterState, settings: Settings, about: About) -> list[Json]:
    """Returns every TaskManager that ever registered, also one that has ended since."""
    known = [entry.registration for entry in state.task_managers]
    return [task_manager(state, settings, about, registration) for registration in known if registration]


def jobs(state: ClusterState) -> list[Json]:
    """Returns the one job of the application, with Flink's job status."""
    progress = state.job.progress
    return [
        {
            "id": "job-0",
            "name": state.plan.job_name,
            "status": _job_status(state),
            "progress": {"done": progress.done, "total": progress.total, "rows": progress.rows} if progress else None,
            "report": state.job.report,
            "restarts": state.job.attempt,
        }
    ]


def application(state: ClusterState, settings: Settings, about: About, now: float) -> Json:
    """Returns everything that a follower shows."""
    return {
        "id": about.application_id,
        "name": settings.application.name,
        "user": about.user,
        "now": about.timestamp(now),
        "started": about.timestamp(state.started),
        "running_since": None if state.job.started is None else about.timestamp(state.job.started),
        "logs": about.log_page,
        "state": state.state.value,
        "outcome": dataclasses.asdict(state.outcome) if state.outcome else None,
        "requested": state.plan.task_managers,
        "master": usage_views.of_master(state, settings.application.memory_mb),
        "groups": [_group(group) for group in settings.groups],
        "taskmanagers": task_managers(state, settings, about),
        "jobs": jobs(state),
        "waiting": waiting(state),
        "excluded_nodes": sorted(state.losses.excluded),
        "excluded_devices": [dataclasses.asdict(device) for device in state.losses.excluded_devices],
        "failures": [failure(number, each, about) for number, each in state.losses.failures],
    }


def everything(state: ClusterState, settings: Settings, about: About, now: float) -> Json:
    """Returns all that the other views show, for those who keep it."""
    return {
        "overview": overview(state),
        "application": application(state, settings, about, now),
        "usage": usage_views.history(state, now),
        "configuration": about.configuration_view(),
    }


def waiting(state: ClusterState) -> list[Json]:
    """Returns the TaskManagers that have not registered yet, and what each one's container is."""
    return [
        {"id": each.id, "group": each.group.name, "asked": dict(each.group.asked)}
        for each in state.task_managers
        if each.state is TaskManagerState.REQUESTED
    ]


def failure(number: int, failed: Failure, about: About) -> Json:
    """Returns a failure; numbers go up, and old failures are forgotten."""
    return {
        "number": number,
        "timestamp": about.timestamp(failed.at),
        "kind": failed.kind.value,
        "task_manager": failed.task_manager_id,
        "node": failed.node,
        "cause": failed.cause,
        "remedy": failed.remedy,
        "detail": failed.detail,
    }


def _group(group: TaskManagerGroup) -> Json:
    """What is requested: of each external resource so many per TaskManager, `yarn_type` from YARN when there is one."""
    resources = [
        {"name": each.name, "amount": each.amount, "yarn_type": each.yarn_type, "driver": each.driver} for each in group.external_resources
    ]
    return {"name": group.name, "count": group.count, "slots": group.slots, "memory_mb": group.memory_mb, "external_resources": resources}


def _resource(group: TaskManagerGroup, counts: Counter[str]) -> Json:
    """Flink's resource: memory in MiB, counted as off-heap, since nothing here is a JVM's heap."""
    return {
        "cpuCores": float(group.vcores),
        "taskHeapMemory": 0,
        "taskOffHeapMemory": group.memory_mb,
        "managedMemory": 0,
        "networkMemory": 0,
        "extendedResources": {name: float(count) for name, count in counts.items()},
    }


def _job_status(state: ClusterState) -> str:
    if state.outcome is None:
        return "CREATED" if state.state is ApplicationState.STARTING else "RUNNING"
    return {SUCCEEDED: "FINISHED", KILLED: "CANCELED"}.get(state.outcome.status, "FAILED")

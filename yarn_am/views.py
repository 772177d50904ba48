"""What the REST server shows: the state of the application as JSON, in Flink's shapes where Flink has one. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from importlib.metadata import version
from typing import Any

from conf.settings import Settings
from protocol.outcome import KILLED, SUCCEEDED
from protocol.records import Registration
from yarn_am.cluster_state import ApplicationState, ClusterState

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


def task_manager(state: ClusterState, settings: Settings, registration: Registration) -> Json:
    """Returns Flink's `/taskmanagers/<id>`, and what Flink has not: node, grant, and the devices of each slot."""
    grant = state.grant_of(registration)
    counts = Counter(device.resource for slot in registration.slots for device in slot.devices)
    busy = state.state is ApplicationState.RUNNING
    total = _resource(settings, counts)
    return {
        "id": registration.task_manager_id,
        "path": f"{registration.address}:{registration.port}",
        "dataPort": registration.port,
        "slotsNumber": len(registration.slots),
        "freeSlots": 0 if busy else len(registration.slots),
        "totalResource": total,
        "freeResource": _resource(settings, Counter()) | {"cpuCores": 0.0, "taskOffHeapMemory": 0} if busy else total,
        "state": state.task_managers[registration.task_manager_id].state.value,
        "node": grant.node if grant else registration.node,
        "containerId": registration.container_id,
        "granted": dict(grant.resources) if grant else {},
        "slots": [dataclasses.asdict(slot) for slot in registration.slots],
        "devices": [dataclasses.asdict(device) for slot in registration.slots for device in slot.devices],
    }


def task_managers(state: ClusterState, settings: Settings) -> list[Json]:
    """Returns every TaskManager that ever registered, also one that has ended since."""
    known = [entry.registration for entry in state.task_managers.values()]
    return [task_manager(state, settings, registration) for registration in known if registration]


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
        }
    ]


def application(state: ClusterState, settings: Settings, application_id: str) -> Json:
    """Returns everything that a follower shows."""
    return {
        "id": application_id,
        "name": settings.application.name,
        "state": state.state.value,
        "outcome": dataclasses.asdict(state.outcome) if state.outcome else None,
        "requested": state.plan.task_managers,
        "taskmanagers": task_managers(state, settings),
        "jobs": jobs(state),
        "failures": [
            {"task_manager": f.task_manager_id, "node": f.node, "cause": f.cause, "remedy": f.remedy, "detail": f.detail}
            for f in state.failures
        ],
    }


def _resource(settings: Settings, counts: Counter[str]) -> Json:
    """Flink's resource: memory in MiB, counted as off-heap, since nothing here is a JVM's heap."""
    return {
        "cpuCores": float(settings.task_manager.vcores),
        "taskHeapMemory": 0,
        "taskOffHeapMemory": settings.task_manager.memory_mb,
        "managedMemory": 0,
        "networkMemory": 0,
        "extendedResources": {name: float(count) for name, count in counts.items()},
    }


def _job_status(state: ClusterState) -> str:
    if state.outcome is None:
        return "CREATED" if state.state is ApplicationState.STARTING else "RUNNING"
    return {SUCCEEDED: "FINISHED", KILLED: "CANCELED"}.get(state.outcome.status, "FAILED")

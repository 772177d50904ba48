"""The summary of a history: the state of an application, as it is to be remembered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from conf.settings import Settings
from protocol import history
from protocol.history import Setting, Summary, UsedDevice, UsedTaskManager
from protocol.launch import Job
from yarn_am.about import About
from yarn_am.cluster_state import ClusterState
from yarn_am.event_log import iso
from yarn_am.task_managers import TaskManager


def summary(
    state: ClusterState, settings: Settings, about: About, job: Job, attempt: int, reserved: Mapping[str, float], now: float
) -> Summary:
    """Returns what is known at this time since the epoch."""
    progress = state.job.progress
    return Summary(
        id=about.application_id,
        name=settings.application.name,
        user=about.user,
        queue=settings.application.queue,
        job=job.argv,
        job_kind=job.kind,
        attempt=attempt,
        started=iso(about.timestamp(state.started) / 1000),
        written=iso(now),
        ended=iso(now) if state.outcome else None,
        state=state.state.value,
        outcome=state.outcome,
        requested=state.plan.task_managers,
        task_managers=tuple(_used(each) for each in state.task_managers if each.registration),
        reserved_hours=reserved,
        failures={kind.value: count for kind, count in state.losses.counts.items()},
        progress=history.Progress(progress.name, progress.done, progress.total, progress.rows) if progress else None,
        treadle_version=version("treadle-yarn"),
        configuration=tuple(Setting(**each) for each in about.configuration_view()),
    )


def _used(task_manager: TaskManager) -> UsedTaskManager:
    registration = task_manager.registration
    assert registration is not None
    devices = {(each.resource, each.uuid): each for slot in registration.slots for each in slot.devices}
    used = tuple(UsedDevice(each.resource, each.index, each.uuid, each.properties.get("name", "")) for each in devices.values())
    return UsedTaskManager(task_manager.id, registration.node, registration.container_id, task_manager.state.value, used)

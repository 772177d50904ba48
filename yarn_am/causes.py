"""The words for why an application failed: one line of cause, one of remedy, then detail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from protocol.records import Registration, RegistrationFailure, SlotResult
from yarn_am.events import Completed, Granted, MainEnded

if TYPE_CHECKING:
    from yarn_am.cluster_state import Plan

_YARN_CAUSES = {
    -100: "its node was lost, or YARN released it",
    -101: "the node's disks failed",
    -102: "YARN preempted it",
    -103: "it used more virtual memory than the container has",
    -104: "it used more memory than the container has",
    -105: "it was killed by the application master",
    -106: "it was killed by the ResourceManager",
    -107: "it was killed after the application's end",
    -108: "it was killed by the NodeManager's scheduler",
    -109: "it wrote more log than allowed",
    -1000: "it never ran",
}
"""YARN's own exit statuses (org.apache.hadoop.yarn.api.records.ContainerExitStatus)."""


def registration_failed(failure: RegistrationFailure) -> str:
    """Returns the text for a TaskManager that could not register."""
    cause = f"TaskManager {failure.task_manager_id} on {failure.node} could not register: {failure.cause}"
    return _lines(cause, failure.remedy, failure.detail)


def short_grant(registration: Registration, grant: Granted, short: Mapping[str, int]) -> str:
    """Returns the text for a container that has less than was asked for."""
    lacks = ", ".join(f"{name} {grant.resources.get(name, 0)} of {amount}" for name, amount in short.items())
    return _lines(
        f"YARN gave TaskManager {registration.task_manager_id} on {grant.node} less than was asked: {lacks}",
        "Check that the ResourceManager and this node both list the type in yarn.resource-types: YARN drops unknown types silently.",
    )


def container_ended(task_manager_id: str, grant: Granted | None, event: Completed) -> str:
    """Returns the text for a TaskManager's container that ended before the job did."""
    where = f" on {grant.node}" if grant else ""
    why = _YARN_CAUSES.get(event.exit_status, f"its exit code was {event.exit_status}")
    return _lines(
        f"TaskManager {task_manager_id}{where} ended before the job: {why} (container {event.container_id})",
        _container_remedy(event.exit_status),
        event.diagnostics.strip(),
    )


def _container_remedy(exit_status: int) -> str:
    if exit_status in (-103, -104):
        return "Raise taskmanager.memory.process.size (--memory)."
    if exit_status < 0:
        return "Nothing in the job caused this; submit it again."
    return "The TaskManager's log says more: taskmanager.log of that container."


def registration_timed_out(grant: Granted, timeout_s: float) -> str:
    """Returns the text for a container whose TaskManager never registered."""
    return _lines(
        f"The TaskManager in container {grant.container_id} on {grant.node} did not register within {timeout_s:g} s of its grant",
        "Look at taskmanager.log of that container; a slow node needs a longer resourcemanager.taskmanager-registration.timeout.",
    )


def slot_failed(result: SlotResult, plan: Plan) -> str:
    """Returns the text for a slot whose process failed."""
    what = plan.job_name if plan.job_kind == "command" else "its Dask worker"
    return _lines(f"Slot {result.slot_id}: {what} ended with {_ending(result.exit_code)}", "", result.log_tail)


def main_failed(event: MainEnded, plan: Plan) -> str:
    """Returns the text for a job whose main failed."""
    return _lines(f"{plan.job_name} ended with {_ending(event.exit_code)}", "", event.log_tail)


def _ending(exit_code: int) -> str:
    return f"signal {exit_code - 128}" if exit_code > 128 else f"exit code {exit_code}"  # noqa: PLR2004 - 128 + n is the shell's


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)

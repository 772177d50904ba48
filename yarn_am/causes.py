"""The words for what failed: one line of cause, one of remedy, then detail."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from protocol.records import DeviceLost, Registration, RegistrationFailure, SlotResult
from yarn_am.events import Completed, Granted, MainEnded, NodeChanged, host
from yarn_am.failures import Failure, Kind, kind_of

if TYPE_CHECKING:
    from yarn_am.plan import Plan
    from yarn_am.replacement import Limits

ABORTED = -100
"""`ContainerExitStatus.ABORTED`: of a container whose node is out, or that was released."""

NEVER_RAN = -1000
"""`ContainerExitStatus.INVALID`: what a container has that was never started, since its files could not be fetched for instance."""

_YARN_CAUSES = {
    ABORTED: "its node was lost, or YARN released it",
    -101: "the node's disks failed",
    -102: "YARN preempted it",
    -103: "it used more virtual memory than the container has",
    -104: "it used more memory than the container has",
    -105: "it was killed by the application master",
    -106: "it was killed by the ResourceManager",
    -107: "it was killed after the application's end",
    -108: "it was killed by the NodeManager's scheduler",
    -109: "it wrote more log than allowed",
    NEVER_RAN: "its node could not set it up",
}
"""YARN's own exit statuses (org.apache.hadoop.yarn.api.records.ContainerExitStatus)."""

_NODE_STATES = {
    "LOST": "was lost",
    "UNHEALTHY": "became unhealthy",
    "DECOMMISSIONED": "was decommissioned",
    "DECOMMISSIONING": "is being decommissioned",
    "SHUTDOWN": "was shut down",
    "REBOOTED": "was restarted",
}
"""YARN's `NodeState`s of a node that is out."""

HEALTH_LIMIT = 300
"""Characters of a health report that a cause has."""


def registration_failed(failure: RegistrationFailure) -> Failure:
    """A TaskManager could not register."""
    cause = f"could not register: {failure.cause}"
    return Failure(Kind.DISCOVERY, failure.task_manager_id, failure.node, cause, failure.remedy, failure.detail)


def short_grant(registration: Registration, grant: Granted, asked: Mapping[str, int]) -> Failure | None:
    """A container has less than was asked for; None when it has not."""
    given = {name: grant.resources.get(name, 0) for name in asked}
    lacks = ", ".join(f"{name} {given[name]} of {amount}" for name, amount in asked.items() if given[name] < amount)
    if not lacks:
        return None
    return Failure(
        Kind.DISCOVERY,
        registration.task_manager_id,
        host(grant.node),
        f"was given less than was asked by YARN: {lacks}",
        "Check that the ResourceManager and this node both list the type in yarn.resource-types: YARN drops unknown types silently.",
        "",
    )


def container_ended(
    task_manager_id: str, grant: Granted | None, event: Completed, node: NodeChanged | None, *, registered: bool
) -> Failure:
    """A TaskManager's container ended before the job did; `node` is what YARN last said of its node, when that is out."""
    kind = kind_of(event.exit_status, node.state if node else "", registered=registered)
    when = "before the job" if registered else "before it registered"
    return Failure(
        kind,
        task_manager_id,
        host(grant.node) if grant else "",
        f"ended {when}: {_why(event, node)} (container {event.container_id})",
        _container_remedy(kind, task_manager_id if registered else "", event),
        event.diagnostics.strip(),
    )


def _why(event: Completed, node: NodeChanged | None) -> str:
    if node and event.exit_status == ABORTED:
        return f"its node {node_state(node)}"
    return _YARN_CAUSES.get(event.exit_status, f"its exit code was {event.exit_status}")


def node_state(node: NodeChanged) -> str:
    """What became of a node, with the first line of its health report when that is why."""
    health = next(iter(node.health.strip().splitlines()), "")[:HEALTH_LIMIT]
    words = _NODE_STATES.get(node.state, f"is {node.state}")
    return f"{words}: {health}" if health and node.state == "UNHEALTHY" else words


def no_node_left(nodes: Iterable[NodeChanged]) -> str:
    """Why a group's TaskManager does not come: each node that has had one is out."""
    return "no node is left that has had one: " + "; ".join(f"{host(node.node)} {node_state(node)}" for node in nodes)


def _container_remedy(kind: Kind, task_manager_id: str, event: Completed) -> str:
    if kind is Kind.MEMORY:
        return "Raise taskmanager.memory.process.size (--memory)."
    if kind is Kind.UNHEALTHY:
        return "Have the node looked at. Nothing in the job caused this, unless it filled the node's disks."
    if event.exit_status == NEVER_RAN:
        return "YARN says why: a file that is gone, a user that the node does not know, a full disk, …; its NodeManager's log has more."
    if event.exit_status < 0:
        return "Nothing in the job caused this."
    return f"{_see_log(task_manager_id)}."


def _see_log(task_manager_id: str = "") -> str:
    """A TaskManager that never came up may not have said in its log which one it is."""
    return f"See its log: submit logs APP {f'--task {task_manager_id}' if task_manager_id else '--all'}"


def registration_timed_out(task_manager_id: str, grant: Granted, timeout_s: float) -> Failure:
    """A container's TaskManager never registered."""
    return Failure(
        Kind.TIMEOUT,
        task_manager_id,
        host(grant.node),
        f"did not register within {timeout_s:g} s of the grant of container {grant.container_id}",
        f"{_see_log()}; a slow node needs a longer resourcemanager.taskmanager-registration.timeout.",
        "",
    )


def device_lost(lost: DeviceLost, node: str) -> Failure:
    """A TaskManager lost a device that it held."""
    slots = f"; out of service: {', '.join(lost.slots)}" if lost.slots else ""
    return Failure(
        Kind.DEVICE_LOST,
        lost.task_manager_id,
        node,
        f"lost {lost.resource} {lost.uuid}: {lost.cause}{slots}",
        "Have the node looked at: nvidia-smi there, and its kernel log (dmesg).",
        "",
    )


def silent(task_manager_id: str, node: str, timeout_s: float) -> Failure:
    """A TaskManager gave no sign of life."""
    return Failure(
        Kind.HANG,
        task_manager_id,
        node,
        f"gave no sign of life for {timeout_s:g} s (heartbeat.timeout)",
        "Nothing in the job caused this, unless it stopped or starved the whole container.",
        "",
    )


def vanished(task_manager_id: str, node: str) -> Failure:
    """A TaskManager's registration went, and YARN did not say why."""
    return Failure(Kind.EXIT, task_manager_id, node, "ended, and YARN does not say why", f"{_see_log(task_manager_id)}.", "")


def exhausted(failure: Failure, counted: int, limits: Limits) -> str:
    """The application has failed too often: the last failure, and why there is no further attempt."""
    when = "" if math.isinf(limits.validity_s) else f" within {limits.validity_s:g} s"
    return (
        f"{failure.text}\nThis was failure {counted} that counts{when}, and {limits.failures} are borne (treadle.taskmanager.max-failures)."
    )


def slot_failed(result: SlotResult, plan: Plan) -> str:
    """A slot's process failed."""
    what = plan.job_name if plan.job_kind == "command" else "its Dask worker"
    return _lines(f"Slot {result.slot_id}: {what} ended with {_ending(result.exit_code)}", result.log_tail)


def main_failed(event: MainEnded, plan: Plan) -> str:
    """The job's main failed."""
    return _lines(f"{plan.job_name} ended with {_ending(event.exit_code)}", event.log_tail)


def _ending(exit_code: int) -> str:
    return f"signal {exit_code - 128}" if exit_code > 128 else f"exit code {exit_code}"  # noqa: PLR2004 - 128 + n is the shell's


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)

"""What YARN's list of applications says of one, as a typed record; the shapes are those of `apps` and `apps/<id>` of 3.1 to 3.5."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from client.yarn.cluster import ENDED, MEMORY, VCORES, resources

TAG = "treadle"
"""The YARN tag that every application of Treadle is submitted with."""

STATES = ("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING", "FINISHED", "FAILED", "KILLED")
"""YARN's application states (`YarnApplicationState`), in their order."""


@dataclass(frozen=True)
class ApplicationDetails:
    """One application.

    `started` and `finished` are ISO times in this machine's zone, empty when YARN has none; `progress` in percent.

    `resources` is what its containers hold now, resource type → amount, memory in MiB.
    """

    id: str
    name: str
    type: str
    user: str
    queue: str
    state: str
    final_status: str
    progress: float
    started: str
    finished: str
    tracking_url: str
    diagnostics: str
    tags: tuple[str, ...]
    resources: Mapping[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Returns whether no other state follows."""
        return self.state in ENDED


def details(app: Mapping[str, Any]) -> ApplicationDetails:
    """Returns the record behind one `app` object; only `id` and `state` have to be there."""
    return ApplicationDetails(
        id=str(app["id"]),
        name=str(app.get("name") or ""),
        type=str(app.get("applicationType") or ""),
        user=str(app.get("user") or ""),
        queue=str(app.get("queue") or ""),
        state=str(app["state"]),
        final_status=str(app.get("finalStatus") or "UNDEFINED"),
        progress=float(app.get("progress") or 0.0),
        started=_iso(app.get("startedTime")),
        finished=_iso(app.get("finishedTime")),
        tracking_url=str(app.get("trackingUrl") or ""),
        diagnostics=str(app.get("diagnostics") or "").strip(),
        tags=tuple(tag for tag in str(app.get("applicationTags") or "").split(",") if tag),
        resources=_held(app),
    )


def applications(tree: Any) -> tuple[ApplicationDetails, ...]:
    """Returns the records behind the answer of `apps`, the latest first; YARN says null or an empty object for none."""
    found = ((tree or {}).get("apps") or {}).get("app") or ()
    found = [found] if isinstance(found, dict) else found
    return tuple(sorted((details(app) for app in found), key=lambda app: app.started, reverse=True))


def _held(app: Mapping[str, Any]) -> dict[str, int]:
    """`resourceInfo` has every type, and each partition (node label) apart; without it (-1: nothing) there are memory and vcores alone."""
    partitions = (app.get("resourceInfo") or {}).get("resourceUsagesByPartition") or ()
    amounts = [resources(partition.get("used")) for partition in ([partitions] if isinstance(partitions, dict) else partitions)]
    if not amounts:
        amounts = [{MEMORY: int(app.get("allocatedMB") or 0), VCORES: int(app.get("allocatedVCores") or 0)}]
    sums: dict[str, int] = {}
    for amount in amounts:
        for name, value in amount.items():
            sums[name] = sums.get(name, 0) + max(0, value)
    return {name: total for name, total in sums.items() if total}


def _iso(milliseconds: Any) -> str:
    if not milliseconds:
        return ""
    return datetime.datetime.fromtimestamp(int(milliseconds) / 1000).astimezone().isoformat(timespec="seconds")

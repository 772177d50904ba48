"""What YARN's list of applications says of one, as a typed record; the shapes are those of `apps` and `apps/<id>` of 3.1 to 3.5."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from client.cluster import ENDED

TAG = "treadle"
"""The YARN tag that every application of Treadle is submitted with."""

STATES = ("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING", "FINISHED", "FAILED", "KILLED")
"""YARN's application states (`YarnApplicationState`), in their order."""


@dataclass(frozen=True)
class ApplicationDetails:
    """One application; `started` and `finished` are ISO times in this machine's zone, empty when YARN has none; `progress` in percent."""

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
    )


def applications(tree: Any) -> tuple[ApplicationDetails, ...]:
    """Returns the records behind the answer of `apps`, the latest first; YARN says null or an empty object for none."""
    found = ((tree or {}).get("apps") or {}).get("app") or ()
    found = [found] if isinstance(found, dict) else found
    return tuple(sorted((details(app) for app in found), key=lambda app: app.started, reverse=True))


def _iso(milliseconds: Any) -> str:
    if not milliseconds:
        return ""
    return datetime.datetime.fromtimestamp(int(milliseconds) / 1000).astimezone().isoformat(timespec="seconds")

"""Requested, granted, discovered, assigned: what `submit devices --json` writes, and why nothing can be said."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from client.application.records import Application
from client.errors import ENVIRONMENT, ClientError
from client.yarn.application_details import ApplicationDetails


def tree(application: str, told: Application) -> dict[str, Any]:
    """Returns the devices of each slot of each TaskManager, as docs/using.md describes them."""
    task_managers = [
        {"id": tm.id, "node": tm.node, "resources": dict(tm.granted), "slots": [asdict(slot) for slot in tm.slots]}
        for tm in told.task_managers
    ]
    requested = [asdict(each) for each in told.requested_resources]
    return {"application": application, "requested": requested, "taskmanagers": task_managers}


def untold(known: ApplicationDetails) -> ClientError:
    """Returns the error for an application whose master does not tell of its devices."""
    if known.ended:
        said = known.diagnostics.partition("\n")[0]
        cause = f"{known.id} has ended and holds no devices: {known.state}, final status {known.final_status}{said and f': {said}'}"
        return ClientError(cause, f"`submit status {known.id}` shows what is known of it", 1)
    if known.state == "RUNNING":
        cause = f"the application master of {known.id} does not answer"
        where = f"; it is at {known.tracking_url}" if known.tracking_url else ""
        return ClientError(cause, f"try again in a moment; only Treadle's applications answer{where}", ENVIRONMENT)
    return ClientError(f"{known.id} is {known.state} and holds no devices yet", "look again when it is RUNNING", 1)

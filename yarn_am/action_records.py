"""What the application master did, one plain record each. Pure."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from yarn_am.events import (
    Action,
    Deploy,
    Exclude,
    ExcludeDevices,
    Finish,
    RequestContainer,
    StartMain,
    StopContainer,
)

Json = dict[str, Any]

TEXT_LIMIT = 4000
"""Characters kept of what a script, log or traceback said."""


@singledispatch
def of_action(action: Action) -> Json:
    """Returns an action as a plain record."""
    raise TypeError(f"no record for {action!r}")


@of_action.register
def _(action: StartMain) -> Json:
    return {"event": "main started"}


@of_action.register
def _(action: Deploy) -> Json:
    deployment = action.deployment
    return {"event": "deployed", "name": deployment.name, "slots": len(deployment.ranks), "job_attempt": deployment.attempt}


@of_action.register
def _(action: RequestContainer) -> Json:
    return {"event": "replacement requested", "task_manager": action.task_manager_id, "group": action.group}


@of_action.register
def _(action: StopContainer) -> Json:
    return {"event": "container stopped", "container": action.container_id}


@of_action.register
def _(action: Exclude) -> Json:
    return {"event": "nodes excluded", "nodes": sorted(action.nodes)}


@of_action.register
def _(action: ExcludeDevices) -> Json:
    return {"event": "devices excluded", "devices": [f"{each.resource} {each.uuid} of {each.node}" for each in action.devices]}


@of_action.register
def _(action: Finish) -> Json:
    outcome = action.outcome
    return {
        "event": "finished",
        "status": outcome.status,
        "exit_code": outcome.exit_code,
        "diagnostics": outcome.diagnostics[-TEXT_LIMIT:],
    }

"""What the overlay says of containers, one JSON object a line, as events. The lines are described in docs/architecture.md."""

from __future__ import annotations

import logging
from typing import Any

from yarn_am.events import Granted, NodeChanged

logger = logging.getLogger(__name__)


def granted(line: dict[str, Any]) -> Granted | None:
    """Returns the grant that a line tells of, or None for a line of another kind."""
    if line.get("event") != "granted":
        return None
    resources = {str(name): int(value) for name, value in line["resources"].items()}
    return Granted(str(line["container"]), str(line["node"]), resources, str(line.get("http") or ""))


def completed(line: dict[str, Any]) -> tuple[str, int, str] | None:
    """Returns container id, exit status and diagnostics of a completion, or None for a line of another kind."""
    if line.get("event") != "completed":
        return None
    return str(line["container"]), int(line["exit_status"]), str(line.get("diagnostics") or "")


def node_changed(line: dict[str, Any]) -> NodeChanged | None:
    """Returns the change of a node that a line tells of, or None for a line of another kind."""
    if line.get("event") != "node":
        return None
    return NodeChanged(str(line["node"]), str(line["state"]), str(line.get("health") or ""))

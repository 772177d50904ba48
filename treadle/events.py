"""What a job's main says of itself: JSON lines that the application master follows (docs/architecture.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "TREADLE_EVENTS"
"""Environment variable that names the events file; set in a job's main and nowhere else."""

GROUPS = "TREADLE_GROUPS"
"""Environment variable of a job's main: the names of the application's groups of TaskManagers, between semicolons."""


def in_job_main() -> bool:
    """Tells whether this process is the main of a submitted job."""
    return VARIABLE in os.environ


def tell(event: str, **fields: object) -> None:
    """Appends one event; without an application master there is nobody to tell, and nothing is written."""
    path = os.environ.get(VARIABLE)
    if path is not None:
        _append(Path(path), {"event": event, **fields})


def check_group(group: str | None) -> None:
    """Checks that the application of this main has such a group of TaskManagers; without an application any is as good.

    Raises:
        ValueError: when it has not.
    """
    known = os.environ.get(GROUPS, "").split(";")
    if group is not None and in_job_main() and group not in known:
        raise ValueError(f"group is {group!r}, and taskmanager.groups has {', '.join(known)}; give one of these, or leave it out")


def _append(path: Path, event: Mapping[str, object]) -> None:
    # one unbuffered write of a whole line: the reader and a second thread of ours never see half of it
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(event).encode() + b"\n")

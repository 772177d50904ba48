"""What a job's main says of itself: JSON lines that the application master follows (docs/architecture.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "TREADLE_EVENTS"
"""Environment variable that names the events file; set in a job's main and nowhere else."""


def in_job_main() -> bool:
    """Tells whether this process is the main of a submitted job."""
    return VARIABLE in os.environ


def tell(event: str, **fields: object) -> None:
    """Appends one event; without an application master there is nobody to tell, and nothing is written."""
    path = os.environ.get(VARIABLE)
    if path is not None:
        _append(Path(path), {"event": event, **fields})


def _append(path: Path, event: Mapping[str, object]) -> None:
    # one unbuffered write of a whole line: the reader and a second thread of ours never see half of it
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(event).encode() + b"\n")

"""What is worth keeping between clusters: per Hadoop version, outside any cluster's directory, never half filled."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

logger = logging.getLogger(__name__)


def cache_directory(hadoop: str, environment: Mapping[str, str] = os.environ) -> Path:
    """`${TREADLE_CACHE:-~/.cache/treadle}/hadoop-<version>`."""
    root = environment.get("TREADLE_CACHE")
    return (Path(root).absolute() if root else Path.home() / ".cache" / "treadle") / f"hadoop-{hadoop}"


def filled_once(target: Path, fill: Callable[[Path], None]) -> Path:
    """`target`, made by `fill` if it is missing; an interrupted run leaves no half of it, and of two runs at once one wins."""
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        filling = Path(scratch) / target.name
        fill(filling)
        try:
            filling.rename(target)
        except OSError:
            if not target.is_dir():
                raise
            logger.debug("another process was quicker to fill %s", target)
    return target

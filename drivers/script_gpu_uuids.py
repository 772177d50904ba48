"""Asks nvidia-smi which UUIDs the GPUs have that a script gave as bare indices: Flink's own script does."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from drivers.script_process import run_to_end

logger = logging.getLogger(__name__)

_COMMAND = ("nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader")


def gpu_uuids(environment: Mapping[str, str], limit: float) -> Mapping[str, str]:
    """Returns index → UUID of the GPUs that nvidia-smi shows; none when it can't tell, which is logged.

    Args:
        environment: what the script was run with, so that both see the same GPUs.
        limit: seconds that it may take.
    """
    try:
        ended = run_to_end(_COMMAND, environment, limit)
    except OSError as error:
        return _unknown(f"cannot start nvidia-smi: {error.strerror}")
    if ended.code != 0:
        how = "took too long" if ended.code is None else f"ended with {ended.code}"
        return _unknown(f"nvidia-smi {how}: {ended.stdout.end() or ended.stderr.end()}")
    rows = [line.partition(",") for line in ended.stdout.beginning().splitlines()]
    return {index.strip(): uuid.strip() for index, _, uuid in rows if index.strip().isdecimal() and uuid.strip()}


def _unknown(why: str) -> Mapping[str, str]:
    logger.warning(
        "GPUs are leased by their bare indices, which keeps them from others that do so too, but from no one who goes by UUID: %s", why
    )
    return {}

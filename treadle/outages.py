"""Storage that fails for a while, such as a DataNode or a NameNode that is started again: what may pass, and how long to wait for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

logger = logging.getLogger(__name__)

PAUSES_S = (1, 2, 4, 8, 15, 15, 15)
"""Before each further try: a minute in all, which is what a daemon of Hadoop's takes to come back on a busy node."""

_LASTING = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)

_LONGEST = 300
"""Characters of an error in a log: hdfs-native tells all that it knows of every DataNode."""


def may_pass(error: OSError) -> bool:
    """Returns whether storage that said this may work again by itself."""
    return not isinstance(error, _LASTING)


def short(error: OSError) -> str:
    """Returns what an error says, cut to what a log bears."""
    return str(error)[:_LONGEST]


def outlast(call: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Calls until storage works; `call` may be called again after it failed anywhere.

    Raises:
        OSError: when that doesn't pass, or not within a minute.
    """
    for pause in PAUSES_S:
        try:
            return call()
        except OSError as error:
            if not may_pass(error):
                raise
            logger.warning("Storage failed, trying again in %d s: %s", pause, short(error))
        sleep(pause)
    return call()

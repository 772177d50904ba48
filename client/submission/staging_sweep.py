"""Deletes what applications left on HDFS whose application master was killed by force: skein's deletes its staging directory itself.

Nothing here ever fails or holds up what it goes along with.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Protocol

from client.hadoop import rest
from client.hadoop.configuration import HadoopConfiguration
from client.submission.staging_directories import Staged, StagingDirectories
from client.yarn.cluster import ApplicationReport
from client.yarn.resourcemanager import ResourceManager

logger = logging.getLogger(__name__)

_AT_ONCE = 20
"""Directories that one submission looks at, drawn by lot: those of long-running applications don't keep it from the others for ever."""

_FORGOTTEN_S = 30 * 86400.0
"""Age at which a directory goes whose application the ResourceManager does not know: it may be being submitted, or another cluster's."""

_REQUEST_S = 2.0
_PATIENCE_S = 3.0
"""Seconds that the end of an application may take longer because HDFS does not answer; of a submission, `_GRACE_S`."""
_GRACE_S = 0.5


class Reports(Protocol):
    """A ResourceManager, as far as it is asked here."""

    def report(self, application: str) -> ApplicationReport:
        """See `ResourceManager.report`."""


@contextmanager
def sweeping(hadoop: HadoopConfiguration, user: str) -> Iterator[None]:
    """Deletes directories of the user's ended applications while something else is waited for, and stops when that is over."""
    stopped = threading.Event()
    # a ResourceManager of its own: it is not made for two threads
    manager = ResourceManager(hadoop.resourcemanager_urls(), user, _REQUEST_S)
    thread = _start(partial(sweep, StagingDirectories(hadoop, user), manager, stopped))
    try:
        yield
    finally:
        stopped.set()
        thread.join(_GRACE_S)


def remove(hadoop: HadoopConfiguration, user: str, application: str) -> None:
    """Deletes the directory of an application that has ended, if it is still there."""
    _start(lambda: _delete(StagingDirectories(hadoop, user), application)).join(_PATIENCE_S)


def sweep(staging: StagingDirectories, manager: Reports, stopped: threading.Event) -> None:
    """Deletes some directories of applications that are known to have ended, until it is stopped.

    Raises:
        RestError: when the ResourceManager does not answer.
        OSError, RuntimeError: when HDFS does not.
    """
    found = staging.applications()
    for staged in random.sample(found, min(_AT_ONCE, len(found))):
        if stopped.is_set():
            return
        if _is_over(staged, manager) and staging.is_ours(staged.application):
            _delete(staging, staged.application)


def _is_over(staged: Staged, manager: Reports) -> bool:
    try:
        return manager.report(staged.application).ended
    except rest.RestError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return time.time() - staged.since > _FORGOTTEN_S


def _delete(staging: StagingDirectories, application: str) -> None:
    if staging.delete(application):
        logger.debug("deleted what %s had left in its staging directory", application)


def _start(work: Callable[[], object]) -> threading.Thread:
    """A daemon: where HDFS does not answer, nobody waits for it."""
    thread = threading.Thread(target=_quietly, args=(work,), name="staging-sweep", daemon=True)
    thread.start()
    return thread


def _quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except (OSError, RuntimeError, rest.RestError) as error:
        logger.debug("staging directories are left as they are: %s", error)

"""Shows the logs of an application, wherever it runs or ran."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from client.application import directory as application_directory
from client.application import lookup
from client.console import Console
from client.errors import REJECTED, ClientError
from client.hadoop.identity import hadoop_user
from client.logs.directory import LogDirectory
from client.logs.view import LogView, Wish
from client.logs.yarn import YarnLogs

_LOOK_S = 0.5
"""Time between two looks at a local application's files."""


def show(wish: Wish, view: LogView, environ: Mapping[str, str], console: Console) -> None:
    """Shows what there is of an application's logs, and, when it is to be followed, what comes until its end.

    Raises:
        ClientError: for what is no id (exit code 2), an unknown application or task (4, 2); when the logs are gone or out of reach (1, 5).
    """
    lookup.expect_id(wish.application)
    if lookup.is_local(wish.application):
        _show_local(wish, view, environ)
    else:
        _show_on_yarn(wish, view, environ, console)
    view.finish()


def _show_on_yarn(wish: Wish, view: LogView, environ: Mapping[str, str], console: Console) -> None:
    manager = lookup.connect(environ)
    logs = YarnLogs(manager, view, environ, console)
    try:
        known = lookup.find(manager, wish.application)
    except ClientError as error:
        if error.exit_code != REJECTED:
            raise
        if not _has_forgotten(logs, wish.application, hadoop_user(environ)):
            raise
        return
    logs.show(known, follow=wish.follow)


def _has_forgotten(logs: YarnLogs, application: str, owner: str) -> bool:
    """YARN keeps logs longer than its memory of applications; that none can be looked for is no news about one that is unknown."""
    try:
        return logs.show_forgotten(application, owner)
    except ClientError:
        return False


def _show_local(wish: Wish, view: LogView, environ: Mapping[str, str]) -> None:
    """Until nothing answers any more: TaskManagers write on after the job's end."""
    lives = _lives(wish.application, environ)
    source = LogDirectory(application_directory.home(environ) / wish.application)
    while wish.follow and lives:
        view.show(source, growing=True)
        time.sleep(_LOOK_S)
        lives = _lives(wish.application, environ)
    view.show(source, growing=False)


def _lives(application: str, environ: Mapping[str, str]) -> bool:
    """One that does not listen yet lives as long as its `submit run`, whose process id ends its name."""
    known, told = lookup.look(application, environ)
    return told is not None or (known.state == "NEW" and Path("/proc", application.rpartition("-")[2]).exists())

"""Where an application's history goes, and is looked for: what `treadle.history.dir` says of this site and user."""

from __future__ import annotations

from collections.abc import Mapping

from client.application import directory as application_directory
from client.hadoop import hdfs_address
from client.hadoop.configuration import HadoopConfiguration
from protocol.history import HistoryDirectory

_HDFS = "hdfs://"


def on_hdfs(configured: str | None, hadoop: HadoopConfiguration, user: str) -> HistoryDirectory | None:
    """Returns the directory on HDFS; None where none is configured, or the default file system, which a mere path is on, is no HDFS."""
    if configured is None:
        return None
    configured = configured.removeprefix(_HDFS) if configured.startswith(f"{_HDFS}/") else configured
    uri = configured if configured.startswith(_HDFS) else hadoop.default_filesystem()
    if not uri.startswith(_HDFS):
        return None
    path = configured
    if configured.startswith(_HDFS):
        path = f"/{configured.removeprefix(_HDFS).partition('/')[2]}"
    elif not configured.startswith("/"):
        path = f"{hdfs_address.home(hadoop, user)}/{configured}"
    return HistoryDirectory(hdfs_address.url(hadoop, uri), path, hdfs_address.settings(hadoop))


def on_this_machine(environ: Mapping[str, str]) -> HistoryDirectory:
    """Returns the directory of local applications' histories."""
    return HistoryDirectory("file://", str(application_directory.histories(environ)))

"""Submits an application to YARN: checks first, then uploads, and leaves nothing behind when either fails."""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from client.application import directory as application_directory
from client.command_line.request import Request
from client.console import Console
from client.ending.stopping import Stop
from client.following.follow import YarnSource
from client.hadoop import namenode
from client.hadoop.configuration import HadoopConfiguration
from client.hadoop.identity import hadoop_user
from client.history import directory as history_directory
from client.skein_driver import credentials
from client.skein_driver.credentials import Credentials
from client.skein_driver.driver_process import DriverProcess
from client.skein_driver.skein_driver import Driver
from client.submission import preflight, specification, staging_sweep
from client.submission.container_asks import of_group
from client.submission.overlay import write_overlay
from client.submission.refusal import RefusedError
from client.submission.staging import OVERLAY, link_shipped, stage
from client.yarn.resourcemanager import ResourceManager
from conf.settings import Settings
from protocol.history import HistoryDirectory


@dataclass(frozen=True)
class Submitted:
    """An application that YARN has taken, where to look at it and kill it, whom to ask about it, and what cleans up after it."""

    id: str
    tracking_url: str
    source: YarnSource
    manager: ResourceManager
    clean_up: Callable[[], None]


def submit(request: Request, environ: Mapping[str, str], console: Console) -> Submitted:
    """Submits the request and returns as soon as YARN has taken it.

    Raises:
        RefusedError: when this cluster can't run it; nothing was uploaded.
        ClientError: when cluster, file system or Java don't do their part.
    """
    hadoop = HadoopConfiguration.load(environ)
    user = hadoop_user(environ)
    manager = ResourceManager(hadoop.resourcemanager_urls(), user)
    pair = credentials.mint(datetime.datetime.now(datetime.timezone.utc))
    with _record(environ) as directory, _driver(directory / "driver.log", pair, hadoop) as driver:
        pair.save(directory)
        request = replace(request, settings=_checked(request.settings, manager, console))
        namenode.check(hadoop)
        history = _history(request.settings.application.history_directory, hadoop, user, console)
        with staging_sweep.sweeping(hadoop, user):
            application_id = _upload(request, history, hadoop, pair, driver)
        directory.rename(directory.with_name(application_id))
    stop = Stop(manager, application_id, environ, lambda name: kill_by_driver(environ, name), console.line)
    source = YarnSource(manager, application_id, stop)
    clean_up = partial(staging_sweep.remove, hadoop, user, application_id)
    return Submitted(application_id, f"{manager.proxy(application_id)}/", source, manager, clean_up)


def _history(configured: str | None, hadoop: HadoopConfiguration, user: str, console: Console) -> HistoryDirectory | None:
    found = history_directory.on_hdfs(configured, hadoop, user)
    if configured and not found:
        console.line(f"warning: no history is kept: treadle.history.dir is {configured!r}, and fs.defaultFS is no HDFS")
    return found


def kill_by_driver(environ: Mapping[str, str], application: str) -> None:
    """Kills an application as YARN's own clients do, which takes a JVM of its own.

    Raises:
        ClientError: when that fails.
    """
    log = application_directory.ensure(environ, application) / "kill.log"
    pair = credentials.mint(datetime.datetime.now(datetime.timezone.utc))
    with _driver(log, pair, HadoopConfiguration.load(environ)) as driver:
        driver().kill(application)


def _checked(settings: Settings, manager: ResourceManager, console: Console) -> Settings:
    """Returns the settings with the queue's name as this cluster takes it."""
    view = manager.view()
    if problems := preflight.problems(settings, view):
        raise RefusedError(problems)
    for warning in preflight.warnings(settings, view):
        console.line(f"warning: {warning}")
    return replace(settings, application=replace(settings.application, queue=preflight.submission_queue(settings, view)))


def _upload(
    request: Request, history: HistoryDirectory | None, hadoop: HadoopConfiguration, pair: Credentials, driver: Callable[[], Driver]
) -> str:
    with tempfile.TemporaryDirectory(prefix="treadle-staging-") as staging:
        staged = stage(Path(staging), request.launch(history), request.script)
        staged = replace(staged, shipped=link_shipped(Path(staging), request.settings.shipped))
        overlay = Path(staging, OVERLAY)
        services = {group.name: of_group(group).beyond_memory_and_vcores for group in request.settings.groups}
        write_overlay(overlay, hadoop, services, request.settings.application.heartbeat_ms)
        spec = specification.application_spec(request.settings, request.treadle_python, staged, overlay, pair)
        return driver().submit(spec)


@contextmanager
def _record(environ: Mapping[str, str]) -> Iterator[Path]:
    """The application's directory, gone again when it was not submitted."""
    directory = application_directory.create_unnamed(environ)
    try:
        yield directory
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


@contextmanager
def _driver(log: Path, pair: Credentials, hadoop: HadoopConfiguration) -> Iterator[Callable[[], Driver]]:
    """Starts skein's driver while other things are done, and ends it in any case; it may be ending still when this is left."""
    with ThreadPoolExecutor(1) as background:
        starting = background.submit(DriverProcess, log, pair, hadoop)
        connecting = background.submit(lambda: Driver(starting.result()))
        try:
            yield connecting.result
        finally:
            if starting.exception() is None:
                starting.result().end()

"""What is asked of skein: the specification of an application. Skein is imported late: the import alone takes half a second."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from client.skein_driver.credentials import Credentials
from client.skein_driver.driver_process import QUICK_JVM
from client.skein_driver.skein_driver import security_of
from client.submission.staging import OVERLAY, Localised, StagedFiles
from conf.settings import Settings, TaskManagerGroup
from protocol.launch import FILE, TREADLE_ZIP
from protocol.skein_import import import_skein

if TYPE_CHECKING:
    import skein


def application_spec(
    settings: Settings, treadle_python: str, files: StagedFiles, overlay: Path, security: Credentials
) -> skein.ApplicationSpec:
    """Returns what skein is asked for: its AM with our program as script, and a service per group of TaskManagers, asked for at once.

    The files, absolute local paths, are what skein uploads. TaskManagers may fail: restarts, and what a failure means, are decided by
    `yarn_am`.
    """
    skein = import_skein()
    shared = {FILE: _file(files.launch), TREADLE_ZIP: _file(files.treadle_zip)}
    shared |= {each.name: _localised(each) for each in files.shipped}
    own = {OVERLAY: _file(overlay)} | ({files.script.name: _file(files.script)} if files.script else {})
    application = settings.application
    master = skein.Master(
        resources=skein.Resources(memory=application.memory_mb, vcores=application.vcores),
        script=_command(treadle_python, "yarn_am"),
        files=shared | own,
        env={"_JAVA_OPTIONS": " ".join(QUICK_JVM)},
        security=security_of(security),
    )
    services = {group.name: _service(group, treadle_python, shared) for group in settings.groups}
    return skein.ApplicationSpec(
        services,
        master,
        name=application.name,
        queue=application.queue,
        node_label=application.node_label or "",
        tags={"treadle"},
        max_attempts=application.attempts,
    )


def _service(group: TaskManagerGroup, treadle_python: str, files: Mapping[str, skein.File]) -> skein.Service:
    """The overlay knows the service, whose asks it widens, by what stands after @@ in the node label."""
    skein = import_skein()
    return skein.Service(
        instances=group.count,
        resources=skein.Resources(memory=group.memory_mb, vcores=group.vcores),
        script=_command(treadle_python, "task_manager"),
        files=dict(files),
        node_label=f"{group.node_label or ''}@@{group.name}",
        allow_failures=True,
        max_restarts=0,
    )


def _command(python: str, module: str) -> str:
    return f"exec {shlex.quote(python)} -I -m {module} --launch {FILE}"


def _file(path: Path) -> skein.File:
    """The type is given because skein unpacks what is named .zip."""
    return import_skein().File(source=f"file://{path}", type="FILE")


def _localised(shipped: Localised) -> skein.File:
    return import_skein().File(source=shipped.uri, type="ARCHIVE" if shipped.is_archive else "FILE")

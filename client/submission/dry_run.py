"""`submit run --dry-run`: what would be asked of YARN and shipped, and everything that would fail; nothing is uploaded or left behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from client.command_line.command_line import LOCAL, CommandLine
from client.command_line.request import Request
from client.command_line.shipping import local_path
from client.errors import REJECTED, USAGE, ClientError
from client.hadoop import namenode
from client.hadoop.configuration import HadoopConfiguration
from client.hadoop.identity import hadoop_user
from client.skein_driver import driver_process
from client.submission import local, preflight
from client.submission.container_asks import ContainerAsk, container_asks, of_group
from client.submission.overlay import write_overlay
from client.submission.staging import OVERLAY, stage
from client.yarn.cluster import MEMORY, VCORES
from client.yarn.resourcemanager import ResourceManager
from conf.errors import Problem
from conf.redaction import redacted
from conf.settings import ExternalResource, Settings, Shipped


@dataclass
class Findings:
    """What a dry run has found out so far."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int = 0
    """That of the run: it ends at the first thing that fails."""

    def fail(self, exit_code: int, problems: Sequence[Problem]) -> None:
        """Notes what would end the run with this code."""
        self.problems += problems
        self.exit_code = self.exit_code or (exit_code if problems else 0)

    @contextmanager
    def noting(self, key: str) -> Iterator[None]:
        """Notes what is raised, under the key."""
        try:
            yield
        except ClientError as error:
            self.fail(error.exit_code, [Problem(key, error.cause, error.remedy)])


def examine(line: CommandLine, environ: Mapping[str, str]) -> Findings:
    """Returns everything that would fail, in the order in which a run would come upon it."""
    found = Findings(warnings=list(line.warnings))
    found.fail(USAGE, line.problems)
    if line.master == LOCAL:
        _look_here(line, found)
    elif line.master is None:
        found.warnings.append("whether a cluster or this machine can run it was not checked: first --master has to be right")
    else:
        _look_at_cluster(line, environ, found)
    return found


def _look_here(line: CommandLine, found: Findings) -> None:
    if line.problems:
        return
    request = line.request()
    found.fail(USAGE, local.lacking(request))
    found.files = _files(request, None)


def _look_at_cluster(line: CommandLine, environ: Mapping[str, str], found: Findings) -> None:
    settings, hadoop = line.checked.settings, None
    with found.noting("HADOOP_CONF_DIR"):
        hadoop = HadoopConfiguration.load(environ)
    if hadoop is not None:
        with found.noting("ResourceManager"):
            _ask(ResourceManager(hadoop.resourcemanager_urls(), hadoop_user(environ)), settings, found)
        with found.noting("fs.defaultFS"):
            namenode.check(hadoop)
        if not line.problems:
            with found.noting("overlay"):
                found.files = _files(line.request(), hadoop)
    for error in driver_process.lacking(environ):
        found.fail(error.exit_code, [Problem("PATH", error.cause, error.remedy)])


def _ask(manager: ResourceManager, settings: Settings | None, found: Findings) -> None:
    """Where a value is wrong, all that can be known is whether there is anybody to ask."""
    view = manager.view()
    if settings is None:
        found.warnings.append("whether this cluster can run it was not checked: first the configuration has to be right")
        return
    problems = preflight.problems(settings, view)
    found.fail(REJECTED, problems)
    if not problems:
        found.warnings += preflight.warnings(settings, view)


def tree(line: CommandLine, found: Findings) -> dict[str, Any]:
    """Returns the result as JSON; docs/using.md describes it."""
    settings = line.checked.settings
    entries = line.checked.configuration.entries
    return {
        "configuration": {key: {"value": redacted(key, entry.value), "origin": entry.origin} for key, entry in entries.items()},
        "external_resources": dict(_external_resources(settings)) if settings else {},
        "requests": [_request(ask) for ask in container_asks(settings)] if settings else [],
        "problems": [asdict(problem) for problem in found.problems],
        "warnings": found.warnings,
        "files": found.files,
        "job": {"kind": line.job.kind, "argv": list(line.job.argv)} if line.job else None,
    }


def _external_resources(settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each name as the first group has it, and beside that the groups that have it otherwise."""
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for group in settings.groups:
        for resource in group.external_resources:
            groups.setdefault(resource.name, {})[group.name] = _resource(resource)
    for name, by_group in groups.items():
        common = next(iter(by_group.values()))
        others = {group: each for group, each in by_group.items() if each != common}
        yield name, {**common, **({"groups": others} if others else {})}


def _resource(resource: ExternalResource) -> dict[str, Any]:
    params = {key: redacted(key, value) for key, value in resource.params.items()}
    return {"amount": resource.amount, "type": resource.yarn_type, "driver": resource.driver, "params": params}


def _request(ask: ContainerAsk) -> dict[str, Any]:
    return {
        "role": ask.role,
        "group": ask.group,
        "count": ask.count,
        "memory_mb": ask.resources[MEMORY],
        "vcores": ask.resources[VCORES],
        "resources": ask.beyond_memory_and_vcores,
        "label": ask.label,
    }


def _files(request: Request, hadoop: HadoopConfiguration | None) -> list[dict[str, Any]]:
    """What would be shipped, written for its size into a directory that is gone again."""
    with tempfile.TemporaryDirectory(prefix="treadle-dry-run-") as directory:
        stage(Path(directory), request.launch(), request.script)
        if hadoop is not None:
            services = {group.name: of_group(group).beyond_memory_and_vcores for group in request.settings.groups}
            write_overlay(Path(directory, OVERLAY), hadoop, services, request.settings.application.heartbeat_ms)
        ours = [{"name": path.name, "size": path.stat().st_size} for path in sorted(Path(directory).iterdir())]
    return [*ours, *map(_shipped, request.settings.shipped)]


def _shipped(shipped: Shipped) -> dict[str, Any]:
    """Without a size where it lies elsewhere already and nothing is uploaded."""
    path = local_path(shipped.source)
    return {"name": shipped.name, "size": None if path is None else path.stat().st_size}

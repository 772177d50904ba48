"""Runs an application of one container, by the same way as `submit run`, and brings back what its slot sees."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from client.command_line.request import Request
from client.console import Console
from client.doctor.finding import FAILURE, Finding
from client.doctor.probe_findings import CHECK, judge
from client.errors import ClientError
from client.hadoop.configuration import HadoopConfiguration
from client.hadoop.identity import hadoop_user
from client.hadoop.rest import RestError
from client.logs.files import Selection
from client.logs.lines import Line
from client.logs.showing import show
from client.logs.view import LogView, Wish
from client.submission import to_yarn
from client.submission.refusal import RefusedError
from client.submission.to_yarn import Submitted
from client.yarn.resourcemanager import ResourceManager
from conf import configuration, options
from conf.configuration import Configuration
from conf.options import AMOUNT_OF, DRIVER_OF, GROUP_PREFIX, ON_MISSING_OF, YARN_TYPE_OF
from protocol.launch import Job

_PATIENCE_S = 300.0
"""How long the application may take, in seconds, most of which it would wait for a container."""

_BEGINS = "treadle-node-report "
"""What `treadle.node_report` begins its line with."""

_ONE = {options.TASK_MANAGERS.key: "1", options.SLOTS.key: "1", options.PARALLELISM.key: "1", options.NAME.key: "submit doctor --probe"}


def examine(effective: Configuration, environ: Mapping[str, str], console: Console) -> Iterator[Finding]:
    """Asks for one TaskManager with one device of each resource that the configuration names, or else of a GPU type that a node offers.

    Raises:
        KeyboardInterrupt: passed on; the application is killed before.
    """
    try:
        yield from _examine(effective, environ, console)
    except RefusedError as error:
        for problem in error.problems:
            yield Finding(CHECK, FAILURE, problem.cause, problem.remedy)
    except ClientError as error:
        yield Finding(CHECK, FAILURE, error.cause, error.remedy)
    except RestError as error:
        yield Finding(CHECK, FAILURE, f"the ResourceManager does not answer any more: {error}", "run it again when it does")


def _examine(effective: Configuration, environ: Mapping[str, str], console: Console) -> Iterator[Finding]:
    hadoop = HadoopConfiguration.load(environ)
    offered = _offered(ResourceManager(hadoop.resourcemanager_urls(), hadoop_user(environ)))
    flat = one_container(effective.flat(), offered)
    settings = configuration.from_flat(flat).settings()
    job = Job("command", (settings.python or sys.executable, "-m", "treadle.node_report"))
    submitted = to_yarn.submit(Request(job, None, settings, flat), environ, console)
    console.line(f"{submitted.id} submitted, {submitted.tracking_url}")
    with _Patience(submitted) as patience:
        node, words = _read(submitted, environ, console)
    if patience.is_lost:
        remedy = "its queue or the devices may be in use; `yarn application -list` shows by whom"
        yield Finding(CHECK, FAILURE, f"{submitted.id} was killed: it did not end within {_PATIENCE_S / 60:.0f} min", remedy)
        return
    asked = [resource.name for group in settings.groups for resource in group.external_resources]
    yield from judge(submitted.source.look().report, node, words, asked)


def one_container(flat: Mapping[str, str], offered: Mapping[str, int]) -> dict[str, str]:
    """Returns the configuration of the probe: one slot with one device of each resource, which may be missing, since that is to be seen."""
    kept = {key: value for key, value in flat.items() if key != options.GROUPS.key and not key.startswith(GROUP_PREFIX)} | _ONE
    names = options.EXTERNAL_RESOURCES.kind.parse(kept.get(options.EXTERNAL_RESOURCES.key, "none"))
    gpu = next((name for name in sorted(offered, reverse=True) if name.rpartition("/")[2] == "gpu"), None)
    if not names and gpu is not None:
        names = ("gpu",)
        kept |= {YARN_TYPE_OF.of("gpu").key: gpu, DRIVER_OF.of("gpu").key: "nvidia", options.EXTERNAL_RESOURCES.key: "gpu"}
    for name in names:
        kept |= {AMOUNT_OF.of(name).key: "1", ON_MISSING_OF.of(name).key: "warn"}
    return kept


def _offered(manager: ResourceManager) -> dict[str, int]:
    offered: dict[str, int] = {}
    for node in manager.view().nodes:
        for name, amount in node.total.items():
            offered[name] = offered.get(name, 0) + amount
    return {name: amount for name, amount in offered.items() if amount}


def _read(submitted: Submitted, environ: Mapping[str, str], console: Console) -> tuple[dict[str, Any] | None, list[str]]:
    """Returns the slot's report, and all that was logged until the application's end."""
    lines: list[Line] = []
    wish = Wish(submitted.id, Selection(everything=True), follow=True)
    try:
        show(wish, LogView(wish, lines.append, lambda: None), environ, console)
    except ClientError as error:
        console.line(f"warning: {error.cause}")
    told = [line.line for line in lines if line.line.startswith(_BEGINS)]
    return (json.loads(told[-1][len(_BEGINS) :]) if told else None), [line.line for line in lines]


class _Patience:
    """Kills an application that takes too long, or whose reader was interrupted."""

    def __init__(self, submitted: Submitted) -> None:
        self._submitted = submitted
        self._timer = threading.Timer(_PATIENCE_S, self._give_up)
        self.is_lost = False

    def __enter__(self) -> _Patience:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        if kind is not None:
            self._submitted.source.kill()

    def _give_up(self) -> None:
        self.is_lost = True
        self._submitted.source.kill()

"""`submit run`: submits a script or a command, and follows it."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from client.commands import candidates
from client.commands.double_dash import DoubleDashCommand
from client.console import Console

if TYPE_CHECKING:
    from client.follow import Source
    from client.request import Request

_CONFIGURATION = (
    click.option("--name", metavar="TEXT", help="Name of the application."),
    click.option("--queue", metavar="QUEUE", shell_complete=candidates.queues, help="YARN queue, by its leaf name or full path."),
    click.option("--taskmanagers", metavar="N", help="How many TaskManagers."),
    click.option("--slots", metavar="N", help="Slots of each TaskManager."),
    click.option("--memory", metavar="SIZE", help="Memory of each TaskManager, such as 4g."),
    click.option("--vcores", metavar="N", help="Virtual cores of each TaskManager."),
    click.option(
        "--resource", "resources", multiple=True, metavar="NAME=N[:TYPE]", help="Devices of each TaskManager: gpu=2[:yarn.io/gpu]."
    ),
    click.option("--python", metavar="PATH", help="Interpreter of user code on the nodes; default: the one that runs submit."),
    click.option(
        "-D",
        "--conf",
        "definitions",
        multiple=True,
        metavar="KEY=VALUE",
        shell_complete=candidates.keys,
        help="Any option of the configuration.",
    ),
    click.option(
        "--properties-file",
        "files",
        multiple=True,
        metavar="FILE",
        shell_complete=candidates.files,
        help="Flink's config.yaml or flink-conf.yaml.",
    ),
)
"""Options that set keys of the configuration."""

# \b is click's mark for lines that are to stay as they are
_HELP = """Run JOB.py, or a command in every slot, and follow it to its end.

The application's id goes to stdout, everything else to stderr. The exit code is the job's.

\b
Examples:
  submit run --taskmanagers 2 --resource gpu=1 job.py --epochs 3
  submit run --resource gpu=2 -- python train.py
  submit run --master local[2] job.py
"""


_LEFT = 130
"""Exit code when the user left before the end."""


@dataclass(frozen=True)
class _Asked:
    """What the command line asks of this command itself; the rest goes into the configuration."""

    master: str
    words: tuple[str, ...]
    detach: bool
    as_json: bool


def _configured(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_CONFIGURATION):
        command = option(command)
    return command


@click.command(
    cls=DoubleDashCommand,
    context_settings={"allow_interspersed_args": False, "help_option_names": ["-h", "--help"]},
    help=_HELP,
)
@click.option(
    "--master", default="yarn", show_default=True, metavar="yarn|local[N]", help="A YARN cluster, or N TaskManagers on this machine."
)
@_configured
@click.option("--detach", is_flag=True, help="End as soon as YARN has taken the application.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@click.option("--verbose", is_flag=True, help="Log more, and show tracebacks.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="JOB.py [ARGS]... | -- COMMAND...", shell_complete=candidates.files)
@click.pass_context
def run(context: click.Context, /, master: str, words: tuple[str, ...], detach: bool, as_json: bool, verbose: bool, **flags: Any) -> int:
    """Parses nothing itself: what click read goes on as it is."""
    console: Console = context.obj
    console.verbose = verbose
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    asked = _Asked(master, words, detach, as_json)
    return _run(asked, flags, console, is_command=context.meta[DoubleDashCommand.SEEN])


def _run(asked: _Asked, given: Mapping[str, Any], console: Console, *, is_command: bool) -> int:
    from client import driver_names
    from client.errors import USAGE, ClientError
    from client.flags import Flags, overrides, parse_master
    from client.request import Request, parse_job
    from conf import configuration
    from conf.errors import ConfigError

    kind, count = parse_master(asked.master)
    if asked.detach and kind == "local":
        raise ClientError("--detach with --master local", "leave --detach out: a local application lives as long as submit", USAGE)
    job, script = parse_job(asked.words, is_command=is_command)
    flags = Flags(**given)
    effective = configuration.load(flags.paths, overrides(flags, count))
    settings = effective.settings()
    tolerated = driver_names.tolerated(settings)
    unknown = driver_names.problems(settings)
    if refused := [problem for problem in unknown if problem.key not in tolerated]:
        raise ConfigError(refused)
    for problem in unknown:
        console.line(f"warning: {problem.cause}")
    request = Request(job, script, settings, effective.flat(), effective.origins())
    return (_run_locally if kind == "local" else _run_on_yarn)(request, asked, console)


def _run_on_yarn(request: Request, asked: _Asked, console: Console) -> int:
    from client import yarn

    submitted = yarn.submit(request, os.environ, console)
    console.line(f"{submitted.id} submitted, {submitted.tracking_url}")
    if not asked.detach:
        return _follow(submitted.source, submitted.id, submitted.tracking_url, asked, console)
    _write({"id": submitted.id, "tracking_url": submitted.tracking_url}, asked)
    return 0


def _run_locally(request: Request, asked: _Asked, console: Console) -> int:
    from client import local

    with local.run(request, os.environ) as application:
        console.line(f"{application.id} started, {application.tracking_url}, log {application.log}")
        return _follow(application, application.id, application.tracking_url, asked, console)


def _follow(source: Source, application: str, url: str, asked: _Asked, console: Console) -> int:
    from client.follow import Follower
    from client.interrupt import follow
    from client.progress import Progress

    if not asked.as_json:
        _write({"id": application}, asked)
    outcome = follow(Follower(source, Progress(console)), source, application, console)
    if asked.as_json:
        end = {"final_status": outcome.status, "exit_code": outcome.exit_code, "diagnostics": outcome.diagnostics} if outcome else {}
        _write({"id": application, "tracking_url": url, **end}, asked)
    return _LEFT if outcome is None else outcome.exit_code


def _write(result: Mapping[str, Any], asked: _Asked) -> None:
    """The only thing that goes to stdout."""
    click.echo(json.dumps(result) if asked.as_json else result["id"])

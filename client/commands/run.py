"""`submit run`: submits a script or a command, and follows it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from client.commands import candidates, configuring, verbose
from client.commands.double_dash import DoubleDashCommand
from client.console import Console

if TYPE_CHECKING:
    from client.command_line.command_line import CommandLine
    from client.command_line.request import Request
    from client.following.following import Subject

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
    click.option("--restart-attempts", metavar="N", help="How often a command that failed is started again, in all slots."),
    click.option("--allow-failures", metavar="N", help="In how many slots a command may fail."),
    click.option("--fail-fast", flag_value="true", help="Start a command again for lost TaskManagers only, not when it fails."),
    click.option("--python", metavar="PATH", help="Interpreter of user code on the nodes; default: the one that runs submit."),
    click.option("--files", "shipped_files", multiple=True, metavar="PATH[#NAME],...", help="Files for the directory of every container."),
    click.option(
        "--archives", multiple=True, metavar="PATH[#NAME],...", help="Archives, unpacked there: env.tgz#env with --python env/bin/python."
    ),
    click.option("--py-files", multiple=True, metavar="PATH,...", help="Modules beside the job: .py, .zip and .egg files to import from."),
    click.option("--env", "variables", multiple=True, metavar="NAME=VALUE", help="A variable of the job's script and of the slots."),
    click.option("--keytab", metavar="FILE", help="Take a Kerberos ticket from this keytab, for submit alone."),
    click.option("--principal", metavar="NAME", help="Principal of that ticket."),
    click.option("--proxy-user", metavar="USER", help="Run in the name of this user, where the cluster lets you."),
    configuring.definitions,
    configuring.files,
)
"""Options that set keys of the configuration."""

# \b is click's mark for lines that are to stay as they are
_HELP = """Run JOB.py, or a command in every slot, and follow it to its end.

The application's id goes to stdout, everything else to stderr. The exit code is the job's.

\b
Examples:
  submit run --taskmanagers 2 --resource gpu=1 job.py --epochs 3
  submit run --resource gpu=2 -- python train.py
  submit run --archives env.tgz#env --python env/bin/python job.py
  submit run --detach --queue ml --resource gpu=1 job.py
  submit run --master local[2] job.py
  submit run --dry-run --resource gpu=2 job.py
"""


@dataclass(frozen=True)
class _Asked:
    """What the command line asks of this command itself; the rest goes into the configuration."""

    master: str
    words: tuple[str, ...]
    detach: bool
    as_json: bool
    timeout: str | None
    dry: bool


def _configured(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_CONFIGURATION):
        command = option(command)
    return command


@click.command(
    cls=DoubleDashCommand,
    context_settings={"allow_interspersed_args": False},
    help=_HELP,
)
@click.option(
    "--master", default="yarn", show_default=True, metavar="yarn|local[N]", help="A YARN cluster, or N TaskManagers on this machine."
)
@_configured
@click.option(
    "--detach/--follow", " /-f", default=False, help="End as soon as YARN has taken the application; or stay to its end, the default."
)
@click.option("--timeout", metavar="DURATION", help="Kill the application when it has not ended by then, such as 90 s or 2 h.")
@click.option("--dry-run", "dry", is_flag=True, help="Show what would be asked for and shipped, and all that would fail; run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@verbose.option
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="JOB.py [ARGS]... | -- COMMAND...", shell_complete=candidates.files)
@click.pass_context
def run(
    context: click.Context,
    /,
    master: str,
    words: tuple[str, ...],
    detach: bool,
    timeout: str | None,
    dry: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Parses nothing itself: what click read goes on as it is."""
    asked = _Asked(master, words, detach, as_json, timeout, dry)
    return _run(asked, flags, context.obj, is_command=context.meta[DoubleDashCommand.SEEN])


def _run(asked: _Asked, given: Mapping[str, Any], console: Console, *, is_command: bool) -> int:
    from client.command_line.command_line import LOCAL, understand
    from client.command_line.flags import Flags
    from client.hadoop.login import logged_in

    line = understand(asked.master, asked.words, Flags(**given), is_command=is_command, detach=asked.detach, timeout=asked.timeout)
    with logged_in(line.login, os.environ):
        if asked.dry:
            return _dry_run(line, asked, console)
        request = line.request()
        for warning in line.warnings:
            console.line(f"warning: {warning}")
        return (_run_locally if line.master == LOCAL else _run_on_yarn)(request, asked, console)


def _dry_run(line: CommandLine, asked: _Asked, console: Console) -> int:
    from client.submission import dry_run, dry_run_text

    found = dry_run.examine(line, os.environ)
    tree = dry_run.tree(line, found)
    click.echo(json.dumps(tree) if asked.as_json else "\n".join(dry_run_text.lines(tree)))
    for warning in found.warnings:
        console.line(f"warning: {warning}")
    for problem in found.problems:
        console.problem(problem)
    return found.exit_code


def _run_on_yarn(request: Request, asked: _Asked, console: Console) -> int:
    from client import subjects
    from client.submission import to_yarn

    submitted = to_yarn.submit(request, os.environ, console)
    console.line(f"{submitted.id} submitted, {submitted.tracking_url}")
    if asked.detach:
        _write({"id": submitted.id, "tracking_url": submitted.tracking_url}, asked)
        for verb in () if asked.as_json else ("logs -f", "status", "kill"):
            console.line(f"  submit {verb} {submitted.id}")
        return 0
    return _follow(subjects.on_yarn(submitted, request), submitted.tracking_url, asked, console)


def _run_locally(request: Request, asked: _Asked, console: Console) -> int:
    from client import subjects
    from client.submission import local

    with local.run(request, os.environ) as application:
        console.line(f"{application.id} started, {application.tracking_url}, log {application.log}")
        return _follow(subjects.on_this_machine(application, request), application.tracking_url, asked, console)


def _follow(subject: Subject, url: str, asked: _Asked, console: Console) -> int:
    from client.following import following
    from client.following.deadline import parse_timeout

    if not asked.as_json:
        _write({"id": subject.application}, asked)
    followed = following.follow(subject, parse_timeout(asked.timeout), console)
    if asked.as_json:
        end = followed.outcome
        ended = {"final_status": end.status, "exit_code": followed.exit_code, "diagnostics": end.diagnostics} if end else {}
        _write({"id": subject.application, "tracking_url": url, **ended, "summary": followed.summary.as_json()}, asked)
    return followed.exit_code


def _write(result: Mapping[str, Any], asked: _Asked) -> None:
    """The only thing that goes to stdout."""
    click.echo(json.dumps(result) if asked.as_json else result["id"])

"""`submit logs`: what an application's processes wrote, while it runs and afterwards."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from typing import TYPE_CHECKING

import click

from client.commands import candidates, numbers, verbose
from client.console import Console

if TYPE_CHECKING:
    from client.logs.lines import Line

# \b is click's mark for lines that are to stay as they are
_HELP = """Show what an application's processes wrote, each line with its task before it: `job` is the job's main, `tm-0/slot-1` a slot.

While the application runs its nodes are asked, afterwards the logs that YARN collected.

\b
Examples:
  submit logs application_1700000000000_0001 -f
  submit logs application_1700000000000_0001 --task tm-0/slot-1 --tail 20
  submit logs application_1700000000000_0001 --task am
"""

_INTERRUPTED = 130


@click.command(help=_HELP)
@click.option("-f", "--follow", is_flag=True, help="Go on until the application ends.")
@click.option("--task", "tasks", multiple=True, metavar="TASK", help="Only job, am, tm-0 with its slots, or tm-0/slot-1. Repeatable.")
@click.option("--tail", type=numbers.COUNT_OR_NONE, metavar="N", help="Begin with the last N lines of each file.")
@click.option("--stderr", is_flag=True, help="Only what was written to standard error.")
@click.option("--all", "everything", is_flag=True, help="Also what Treadle's own processes wrote.")
@click.option("--json", "as_json", is_flag=True, help="Write an object for each line.")
@verbose.option
@click.argument("application", metavar="APP", shell_complete=candidates.applications)
@click.pass_obj
def logs(
    console: Console,
    application: str,
    follow: bool,
    tasks: tuple[str, ...],
    tail: int | None,
    stderr: bool,
    everything: bool,
    as_json: bool,
) -> int:
    """Writes lines as they come."""
    from client.logs import showing as application_logs
    from client.logs.files import Selection
    from client.logs.view import LogView, Wish

    wish = Wish(application, Selection(tasks, everything, stderr), tail, follow)
    view = LogView(wish, _write_json if as_json else _write, sys.stdout.flush)
    try:
        application_logs.show(wish, view, os.environ, console)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # `| head` has all it wanted; Python would complain when it flushes stdout at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _write(line: Line) -> None:
    sys.stdout.write(f"{line.task} | {line.line}\n")


def _write_json(line: Line) -> None:
    sys.stdout.write(f"{json.dumps(dataclasses.asdict(line))}\n")

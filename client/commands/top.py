"""`submit top`: what my applications' slots and devices do now, again and again."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from client.commands import candidates, numbers, verbose

if TYPE_CHECKING:
    from client.application.records import Application

# \b is click's mark for lines that are to stay as they are
_HELP = """Show what an application's slots and devices do, or those of all your applications that run; every few seconds, until Ctrl-C.

Figures are as old as the TaskManagers' signs of life: `heartbeat.interval`, 10 s unless told otherwise.
Without a terminal they are shown once.

\b
Examples:
  submit top
  submit top application_1700000000000_0001 --interval 10
  submit top --once --json
"""

_REDRAW = "\x1b[H\x1b[2J"


@click.command(help=_HELP)
@click.option("--interval", type=numbers.SECONDS, default=2.0, show_default=True, metavar="S", help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Look once.")
@click.option("--json", "as_json", is_flag=True, help="Write each look as one line of JSON.")
@verbose.option
@click.argument("application", metavar="[APP]", required=False, shell_complete=candidates.applications)
def top(application: str | None, interval: float, once: bool, as_json: bool) -> None:
    """Ends with Ctrl-C and exit code 0, as top does, or with the application that it shows, as an error."""
    from client.errors import ENVIRONMENT, REJECTED, ClientError

    again = sys.stdout.isatty() and not once
    look, show, miss = (_json, click.echo, _say) if as_json else (_screen, _redraw if again else click.echo, _redraw)
    try:
        show(look(application))
        while again:
            time.sleep(interval)
            try:
                show(look(application))
            except ClientError as error:
                # a ResourceManager that restarts is silent, and then does not know its applications yet
                if error.exit_code not in (ENVIRONMENT, REJECTED):
                    raise
                miss(f"{_now()}  {error.cause}")
    except KeyboardInterrupt:
        click.echo()


def _redraw(screen: str) -> None:
    """What the terminal has no room for is counted."""
    size = shutil.get_terminal_size()
    lines = screen.splitlines()
    there = max(size.lines - 1, 1)  # the last one is the cursor's
    if len(lines) > there:
        lines[there - 1 :] = [f"… {len(lines) - there + 1} more lines"]
    click.echo(_REDRAW + "\n".join(line[: size.columns] for line in lines))


def _say(line: str) -> None:
    click.echo(line, err=True)


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")


def _json(application: str | None) -> str:
    from client.application import use_tables

    found = [(name, told) for name, told, _ in _look(application)]
    trees = [
        {"id": name, "master": use_tables.master(told) if told else None, "taskmanagers": use_tables.tree(told) if told else None}
        for name, told in found
    ]
    return json.dumps({"applications": trees})


def _screen(application: str | None) -> str:
    from client.application import use_tables
    from client.table import aligned

    found = _look(application)
    lines = [_now() + ("" if found else "  none of your applications runs")]
    for name, told, state in found:
        lines += ["", f"{name}  {told.name}  {told.state}" if told else f"{name}  {state}: its application master does not answer"]
        if told:
            lines += aligned([use_tables.CONTAINER_HEADER, *use_tables.container_rows(told)])
            if devices := [*use_tables.device_rows(told)]:
                lines += ["", *aligned([use_tables.DEVICE_HEADER, *devices])]
    return "\n".join(lines)


def _look(application: str | None) -> list[tuple[str, Application | None, Any]]:
    """Returns each application's id, what its master tells, and YARN's state of it."""
    from client.application import devices_tree
    from client.application.lookup import connect, look
    from client.hadoop.identity import hadoop_user

    names = [application or ""]
    if not application:
        names = [app.id for app in connect(os.environ).applications(("RUNNING",), hadoop_user(os.environ))]
    looked = [(name, *look(name, os.environ)) for name in names]
    if application and looked[0][1].ended:
        raise devices_tree.untold(looked[0][1])
    return [(name, told, known.state) for name, known, told in looked if not known.ended]

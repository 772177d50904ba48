"""`submit list`: Treadle's applications on YARN."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING

import click

from client.commands import candidates, verbose

if TYPE_CHECKING:
    from client.yarn.application_details import ApplicationDetails

# \b is click's mark for lines that are to stay as they are
_HELP = """List Treadle's applications: your own that have not ended, unless told otherwise.

\b
Examples:
  submit list
  submit list --states RUNNING,ACCEPTED --user '*' --json
"""

_HEADER = ("APPLICATION-ID", "NAME", "USER", "QUEUE", "STATE", "FINAL-STATUS", "PROGRESS", "HOLDS", "STARTED", "TRACKING-URL")


@click.command("list", help=_HELP)
@click.option("-a", "--all", "ended_too", is_flag=True, help="Those that have ended, too.")
@click.option("--states", metavar="S,…", shell_complete=candidates.states, help="Only these of YARN's states, such as RUNNING,ACCEPTED.")
@click.option("--user", metavar="USER", help="Another user's; '*' for everybody's.")
@click.option("--name", metavar="PATTERN", help="Only these names; * and ? stand for any characters.")
@click.option("--no-header", is_flag=True, help="Leave the first line out.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@verbose.option
def list(ended_too: bool, states: str | None, user: str | None, name: str | None, no_header: bool, as_json: bool) -> None:
    """Asks the ResourceManager once."""
    from fnmatch import fnmatchcase

    from client.application.lookup import connect
    from client.hadoop.identity import hadoop_user
    from client.table import aligned

    wanted = _states(states, ended_too)
    whose = None if user == "*" else user or hadoop_user(os.environ)
    found = [app for app in connect(os.environ).applications(wanted, whose) if fnmatchcase(app.name, name or "*")]
    if as_json:
        click.echo(json.dumps({"applications": [dataclasses.asdict(app) for app in found]}))
        return
    rows = [*(() if no_header else (_HEADER,)), *(_row(app) for app in found)]
    for line in aligned(rows):
        click.echo(line)


def _states(given: str | None, ended_too: bool) -> tuple[str, ...]:
    from client.errors import USAGE, ClientError
    from client.yarn.application_details import STATES
    from client.yarn.cluster import ENDED

    if given is None:
        return tuple(state for state in STATES if ended_too or state not in ENDED)
    if ended_too:
        raise ClientError(f"--states {given} together with --all", "leave one of them out", USAGE)
    wanted = tuple(word.strip().upper() for word in given.split(","))
    if unknown := [word for word in wanted if word not in STATES]:
        raise ClientError(f"--states names {unknown[0]!r}, which YARN does not know", f"write some of {','.join(STATES)}", USAGE)
    return wanted


def _row(app: ApplicationDetails) -> tuple[str, ...]:
    progress = f"{app.progress:.0f}%"
    held = " ".join(f"{name}={amount}" for name, amount in app.resources.items()) or "-"
    return (app.id, app.name, app.user, app.queue, app.state, app.final_status, progress, held, app.started, app.tracking_url or "N/A")

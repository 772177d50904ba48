"""`submit kill`: kills applications and waits until they have ended."""

from __future__ import annotations

import json
import os

import click

from client.commands import candidates, verbose
from client.console import Console

# \b is click's mark for lines that are to stay as they are
_HELP = """Kill applications, and wait until YARN says that they have ended. When one of them is unknown, none is killed.

An application that was submitted from here is asked to end, and its slots get SIGTERM and treadle.job.termination-grace.

\b
Example:
  submit kill application_1700000000000_0001
"""


@click.command(help=_HELP)
@click.option("--now", is_flag=True, help="Have YARN kill them at once, without that grace.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@verbose.option
@click.argument("applications", metavar="APP...", nargs=-1, required=True, shell_complete=candidates.applications)
@click.pass_obj
def kill(console: Console, applications: tuple[str, ...], now: bool, as_json: bool) -> None:
    """Writes each id when it has ended."""
    from client.application.lookup import connect
    from client.ending import killing
    from client.ending.stopping import Stop
    from client.hadoop.configuration import HadoopConfiguration
    from client.submission import staging_sweep

    for application in applications:
        killing.expect_on_yarn(application)
    manager, hadoop = connect(os.environ), HadoopConfiguration.load(os.environ)
    found = [killing.killable(manager, application) for application in dict.fromkeys(applications)]
    stops = {known.id: Stop(manager, known.id, os.environ, _kill_by_driver, console.line) for known in found if not known.ended}
    for stop in stops.values():
        stop.force() if now else stop.begin()
    ended = []
    for known in found:
        if known.ended:
            console.line(f"{known.id} had ended before: {known.state}, final status {known.final_status}")
            end = known
        else:
            end = killing.await_end(manager, stops[known.id])
            console.line(f"{end.id} is {end.state}, final status {end.final_status}")
        staging_sweep.remove(hadoop, end.user, end.id)
        ended.append({"id": end.id, "state": end.state, "final_status": end.final_status, "ended_before": known.ended})
        if not as_json:
            click.echo(end.id)
    if as_json:
        click.echo(json.dumps({"applications": ended}))


def _kill_by_driver(application: str) -> None:
    from client.submission import to_yarn

    to_yarn.kill_by_driver(os.environ, application)

"""`submit status`: how an application is, by YARN and by itself."""

from __future__ import annotations

import json
import os

import click

from client.commands import candidates, verbose

# \b is click's mark for lines that are to stay as they are
_HELP = """Show how an application is: what YARN knows, and, while it runs, what its application master says.

\b
Examples:
  submit status application_1700000000000_0001
  submit status application_1700000000000_0001 --json
"""


@click.command(help=_HELP)
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@verbose.option
@click.argument("application", metavar="APP", shell_complete=candidates.applications)
def status(application: str, as_json: bool) -> None:
    """Shows one application, whatever its state."""
    from client.application import status as application_status
    from client.application import status_text

    found = application_status.of(application, os.environ)
    click.echo(json.dumps(found.tree()) if as_json else "\n".join(status_text.lines(found)))

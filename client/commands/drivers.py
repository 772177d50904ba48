"""`submit drivers`: what is installed."""

from __future__ import annotations

import dataclasses
import json

import click

from client.commands import verbose

# \b is click's mark for lines that are to stay as they are
_HELP = """List the drivers that are installed here.

\b
Their names are what external-resource.<name>.driver-factory.class takes.

Nothing of them is imported. The nodes may have more or fewer, where their environment is another (treadle.python.executable).

\b
Example:
  submit drivers --json
"""


@click.command(help=_HELP)
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@verbose.option
def drivers(as_json: bool) -> None:
    """Writes names, packages and objects."""
    from client.command_line.installed_drivers import installed
    from client.table import aligned

    found = installed()
    if as_json:
        click.echo(json.dumps({"drivers": [dataclasses.asdict(driver) for driver in found]}))
        return
    rows = [("NAME", "PACKAGE", "OBJECT"), *((d.name, f"{d.distribution} {d.version}", d.object) for d in found)]
    click.echo("\n".join(aligned(rows)))

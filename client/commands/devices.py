"""`submit devices`: requested, granted, discovered, assigned."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from client.commands import candidates, verbose

if TYPE_CHECKING:
    from client.application.records import Application

# \b is click's mark for lines that are to stay as they are
_HELP = """Show which devices an application's TaskManagers were granted and found, and which slot holds each.

\b
Examples:
  submit devices application_1700000000000_0001
  submit devices application_1700000000000_0001 --json
"""

_HEADER = ("SLOT", "NODE", "STATE", "GRANTED", "RESOURCE", "INDEX", "UUID", "NAME", "MEMORY", "DEVICE-STATE")
_NONE = "-"


@click.command(help=_HELP)
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@verbose.option
@click.argument("application", metavar="APP", shell_complete=candidates.applications)
def devices(application: str, as_json: bool) -> None:
    """Asks the application master, by way of YARN's proxy."""
    from client.application import devices_tree
    from client.application.lookup import look
    from client.table import aligned

    known, told = look(application, os.environ)
    if known.ended or told is None:
        raise devices_tree.untold(known)
    if as_json:
        click.echo(json.dumps(devices_tree.tree(application, told)))
        return
    registered = sum(1 for task_manager in told.task_managers if task_manager.slots)
    click.echo(f"TaskManagers: {told.requested} requested, {registered} registered")
    for each in told.requested_resources:
        source = f"from YARN as {each.yarn_type}" if each.yarn_type else "not from YARN"
        click.echo(f"Requested: {each.name}, {each.amount} for each TaskManager of group {each.group}, {source}")
    click.echo("\n".join(aligned([_HEADER, *_rows(told)])))


def _rows(told: Application) -> Iterator[tuple[str, ...]]:
    for tm in told.task_managers:
        granted = " ".join(f"{name}={amount}" for name, amount in tm.granted.items() if amount) or _NONE
        for slot in tm.slots:
            where = (slot.id, tm.node, tm.state, granted)
            for device in slot.devices:
                found = device.properties
                yield (
                    *where,
                    device.resource,
                    device.index,
                    device.uuid,
                    found.get("name", _NONE),
                    found.get("memory", _NONE),
                    device.state or _NONE,
                )
            if not slot.devices:
                yield (*where, *[_NONE] * 6)

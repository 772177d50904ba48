"""`submit devices`: requested, granted, discovered, assigned."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from client.commands import candidates

if TYPE_CHECKING:
    from client.application import Application
    from client.application_details import ApplicationDetails
    from client.errors import ClientError

# \b is click's mark for lines that are to stay as they are
_HELP = """Show which devices an application's TaskManagers were granted and found, and which slot holds each.

\b
Examples:
  submit devices application_1700000000000_0001
  submit devices application_1700000000000_0001 --json
"""

_HEADER = ("SLOT", "NODE", "STATE", "GRANTED", "RESOURCE", "INDEX", "UUID", "NAME", "MEMORY", "DEVICE-STATE")
_NONE = "-"


@click.command(help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@click.argument("application", metavar="APP", shell_complete=candidates.applications)
def devices(application: str, as_json: bool) -> None:
    """Asks the application master, by way of YARN's proxy."""
    from client.lookup import look
    from client.table import aligned

    known, told = look(application, os.environ)
    if known.ended or told is None:
        raise _untold(known)
    if as_json:
        click.echo(json.dumps(_tree(application, told)))
        return
    registered = sum(1 for task_manager in told.task_managers if task_manager.slots)
    click.echo(f"TaskManagers: {told.requested} requested, {registered} registered")
    for each in told.requested_resources:
        source = f"from YARN as {each.yarn_type}" if each.yarn_type else "not from YARN"
        click.echo(f"Requested: {each.name}, {each.amount} for each TaskManager of group {each.group}, {source}")
    click.echo("\n".join(aligned([_HEADER, *_rows(told)])))


def _untold(known: ApplicationDetails) -> ClientError:
    from client.errors import ENVIRONMENT, ClientError

    if known.ended:
        said = f": {known.diagnostics}" if known.diagnostics else ""
        cause = f"{known.id} has ended and holds no devices: {known.state}, final status {known.final_status}{said}"
        return ClientError(cause, f"`submit status {known.id}` shows what is known of it", 1)
    if known.state == "RUNNING":
        cause = f"the application master of {known.id} does not answer"
        return ClientError(cause, f"try again in a moment; only Treadle's applications answer; it is at {known.tracking_url}", ENVIRONMENT)
    return ClientError(f"{known.id} is {known.state} and holds no devices yet", "look again when it is RUNNING", 1)


def _tree(application: str, told: Application) -> dict[str, Any]:
    task_managers = [
        {"id": tm.id, "node": tm.node, "resources": dict(tm.granted), "slots": [dataclasses.asdict(slot) for slot in tm.slots]}
        for tm in told.task_managers
    ]
    requested = [dataclasses.asdict(each) for each in told.requested_resources]
    return {"application": application, "requested": requested, "taskmanagers": task_managers}


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

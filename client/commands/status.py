"""`submit status`: how an application is, by YARN and by itself."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from client.commands import candidates, verbose

if TYPE_CHECKING:
    from client.application.records import Application
    from client.yarn.application_details import ApplicationDetails
    from client.yarn.totals import Totals

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
    from client.application.lookup import look, totals_for, why_waiting
    from client.table import aligned
    from client.yarn.master_failure import master_failure

    known, told = look(application, os.environ)
    reasons = why_waiting(known, told, os.environ)
    queue, cluster = totals_for(known, os.environ)
    failure = master_failure(known.diagnostics) if known.ended else None
    tree = _tree(known, told) | {
        "cause": failure.cause if failure else "",
        "remedy": failure.remedy if failure else "",
        "queue_totals": queue and dataclasses.asdict(queue),
        "cluster_totals": cluster and dataclasses.asdict(cluster),
        "waiting": [reason.cause for reason in reasons],
    }
    if as_json:
        click.echo(json.dumps(tree))
        return
    click.echo(
        "\n".join(
            [*aligned([*_rows(tree), *(("waiting", reason.cause) for reason in reasons), *_total_rows(queue, cluster)]), *_tables(told)]
        )
    )


def _tree(known: ApplicationDetails, told: Application | None) -> dict[str, Any]:
    """What only the master knows is null while it does not answer."""
    tree = dataclasses.asdict(known)
    tree |= {"master": None, "use": None, "taskmanagers": None, "slots": None, "devices": None, "jobs": None, "failures": None}
    if told is None:
        return tree
    from client.application import use_tables

    present = [task_manager for task_manager in told.task_managers if task_manager.state != "ENDED"]
    slots = [slot for task_manager in present for slot in task_manager.slots]
    registered = sum(1 for task_manager in present if task_manager.slots)
    return tree | {
        "taskmanagers": {"registered": registered, "requested": told.requested},
        "master": use_tables.master(told),
        "use": use_tables.tree(told),
        "slots": len(slots),
        "devices": len({(device.resource, device.uuid) for slot in slots for device in slot.devices}),
        "jobs": [{key: value for key, value in dataclasses.asdict(job).items() if key != "report"} for job in told.jobs],
        "failures": [dataclasses.asdict(failure) for failure in told.failures],
    }


def _rows(tree: dict[str, Any]) -> list[tuple[str, str]]:
    names = (
        "id",
        "name",
        "user",
        "queue",
        "state",
        "final_status",
        "started",
        "finished",
        "tracking_url",
        "cause",
        "remedy",
        "diagnostics",
    )
    rows = [(name.replace("_", " "), " ".join(str(tree[name]).split())) for name in names if tree[name]]
    if tree["resources"]:
        rows.append(("holds", "  ".join(f"{name} {amount}" for name, amount in tree["resources"].items())))
    if tree["taskmanagers"]:
        rows.append(("TaskManagers", "{registered} of {requested} registered".format(**tree["taskmanagers"])))
        rows += [(name, str(tree[name])) for name in ("slots", "devices")]
    for job in tree["jobs"] or ():
        progress = "  {done}/{total} fragments, {rows:,} rows" if job["total"] else ""
        rows.append((job["id"], f"{{status}}  {{name}}{progress}".format(**job)))
    rows += [("failure", f"{failure['task_manager']} on {failure['node']}: {failure['cause']}") for failure in tree["failures"] or ()]
    return rows


def _total_rows(queue: Totals | None, cluster: Totals | None) -> list[tuple[str, str]]:
    from client.yarn.totals import words

    return [(name, words(totals)) for name, totals in (("queue's use", queue), ("cluster's use", cluster)) if totals]


def _tables(told: Application | None) -> Iterator[str]:
    """The TaskManagers and slots, and the devices."""
    from client.application import use_tables
    from client.table import aligned

    if told is None:
        return
    for header, rows in (
        (use_tables.CONTAINER_HEADER, use_tables.container_rows(told)),
        (use_tables.DEVICE_HEADER, use_tables.device_rows(told)),
    ):
        if found := [*rows]:
            yield from ("", *aligned([header, *found]))

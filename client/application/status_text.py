"""How an application is, for a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from client.application import use_tables
from client.application.records import Application
from client.application.status import Status
from client.table import aligned
from client.yarn import totals

_NAMES = ("id", "name", "user", "queue", "state", "final_status", "started", "finished", "tracking_url", "cause", "remedy", "diagnostics")


def lines(status: Status) -> list[str]:
    """Returns a line for each thing that is known, and the tables of what is used."""
    rows = [*_rows(status.tree()), *(("waiting", reason) for reason in status.waiting), *_totals(status)]
    return [*aligned(rows), *(_tables(status.told) if status.told else ())]


def _rows(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((name.replace("_", " "), " ".join(str(tree[name]).split())) for name in _NAMES if tree[name])
    if tree["resources"]:
        yield "holds", "  ".join(f"{name} {amount}" for name, amount in tree["resources"].items())
    if tree["taskmanagers"]:
        yield "TaskManagers", "{registered} of {requested} registered".format(**tree["taskmanagers"])
        yield from ((name, str(tree[name])) for name in ("slots", "devices"))
    for job in tree["jobs"] or ():
        progress = "  {done}/{total} fragments, {rows:,} rows" if job["total"] else ""
        yield job["id"], f"{{status}}  {{name}}{progress}".format(**job)
    yield from (("failure", f"{failure['task_manager']} on {failure['node']}: {failure['cause']}") for failure in tree["failures"] or ())


def _totals(status: Status) -> list[tuple[str, str]]:
    named = (("queue's use", status.queue), ("cluster's use", status.cluster))
    return [(name, totals.words(each)) for name, each in named if each]


def _tables(told: Application) -> Iterator[str]:
    """The TaskManagers and slots, and the devices."""
    for header, rows in (
        (use_tables.CONTAINER_HEADER, use_tables.container_rows(told)),
        (use_tables.DEVICE_HEADER, use_tables.device_rows(told)),
    ):
        if found := [*rows]:
            yield from ("", *aligned([header, *found]))

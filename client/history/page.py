"""The page of a history: what the application master left of its own page, and what is known since."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from client.application.last_words import milliseconds
from client.history.histories import Histories, Past
from page.one_file import one_file
from protocol.history import Summary, UsedTaskManager

Json = dict[str, Any]


def html_of(known: Histories, application: str) -> str:
    """Returns the page of an application as one HTML file.

    Raises:
        ClientError: when there is no history of it, or it can't be read.
    """
    past = known.one(application)
    return one_file(tree(past, known.page(past), known.events(past)))


def tree(past: Past, page: Json | None, events: Sequence[Json]) -> Json:
    """Returns all that the page needs; where no `page` was left, what summary and events have."""
    shown = page or _from_summary(past.summary, events)
    return {
        **shown,
        "application": _ended(shown["application"], past),
        "events": list(events),
        "history": {"written": past.summary.written, "ended": past.summary.ended, "status": past.status},
        "summary": dataclasses.asdict(past.summary),
    }


def _ended(application: Json, past: Past) -> Json:
    """The end as YARN or a marker tells it, which the application master may not have had the time to write."""
    if past.status == "RUNNING":
        return application
    jobs = application["jobs"] if application["outcome"] else [job | {"status": past.status} for job in application["jobs"]]
    end = {"ended": milliseconds(past.summary.ended)} if past.summary.ended else {}
    return application | end | {"jobs": jobs, "outcome": {"status": past.status, "exit_code": past.exit_code, "diagnostics": past.told}}


def _from_summary(summary: Summary, events: Sequence[Json]) -> Json:
    job = {
        "name": summary.job[0] if summary.job else summary.name,
        "status": summary.state,
        "progress": dataclasses.asdict(summary.progress) if summary.progress else None,
        "report": None,
        "restarts": 0,
    }
    application = {
        "id": summary.id,
        "name": summary.name or summary.id,
        "user": summary.user,
        "now": milliseconds(summary.written),
        "started": milliseconds(summary.started) if summary.started else None,
        "logs": "",
        "state": summary.state,
        "outcome": None,
        "requested": summary.requested,
        "taskmanagers": [_task_manager(each) for each in summary.task_managers],
        "jobs": [job],
        "waiting": [],
        "excluded_nodes": [],
        "failures": [
            record | {"number": number, "timestamp": milliseconds(record["time"])}
            for number, record in enumerate((record for record in events if record.get("event") == "failure"), 1)
        ],
    }
    return {
        "overview": {"treadle-version": summary.treadle_version},
        "application": application,
        "usage": {"taskmanagers": []},
        "configuration": [dataclasses.asdict(each) for each in summary.configuration],
    }


def _task_manager(used: UsedTaskManager) -> Json:
    """Which slot had which device is not in a summary: all are shown beside their TaskManager."""
    devices = [
        {"resource": each.resource, "index": each.index, "uuid": each.uuid, "properties": {"name": each.name}} for each in used.devices
    ]
    return {
        "id": used.id,
        "group": "",
        "state": used.state,
        "node": used.node,
        "containerId": used.container,
        "granted": {},
        "timeSinceLastHeartbeat": -1,
        "slotsNumber": None,
        "slots": [{"id": used.id, "devices": devices}],
        "devices": devices,
        "usage": None,
    }

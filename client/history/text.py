"""Histories as text. Pure."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from client.history.histories import Past
from client.table import aligned
from protocol.history import Summary

Json = dict[str, Any]

_HEADER = ("APPLICATION-ID", "NAME", "USER", "FINAL-STATUS", "EXIT", "STARTED", "TOOK", "TASKMANAGERS", "DEVICES")
_MIB_PER_GIB = 1024


def table(found: Sequence[Past]) -> list[str]:
    """Returns a line for each, below one of headings."""
    return aligned([_HEADER, *(_row(past) for past in found)])


def _row(past: Past) -> tuple[str, ...]:
    summary = past.summary
    status = "UNREADABLE" if past.problem and past.seen is None else past.status
    code = "-" if past.exit_code is None else str(past.exit_code)
    devices = sum(len(each.devices) for each in summary.task_managers)
    there = f"{len(summary.task_managers)}/{summary.requested}"
    return (summary.id, summary.name, summary.user or "-", status, code, _local(summary.started), _took(summary), there, str(devices))


def lines(past: Past) -> list[str]:
    """Returns all of a summary: what it was, how it ended, what it had."""
    summary = past.summary
    outcome = past.status if past.exit_code is None else f"{past.status}, exit code {past.exit_code}"
    first, *more = past.told.splitlines() or [""]
    rows = [
        ("id", summary.id),
        ("name", summary.name),
        ("user", summary.user),
        ("queue", "" if summary.id.startswith("local-") else summary.queue),
        ("job", shlex.join(summary.job)),
        ("started", _local(summary.started)),
        ("finished", _local(summary.ended or "")),
        ("took", _took(summary)),
        ("final status", outcome),
        ("cause", first),
        *(("", line) for line in more),
        ("attempt", str(summary.attempt) if summary.attempt > 1 else ""),
        ("progress", _progress(summary)),
        ("reserved", _reserved(summary)),
        ("failures", ", ".join(f"{count} {kind}" for kind, count in summary.failures.items())),
        ("Treadle", summary.treadle_version),
    ]
    told = aligned([row for row in rows if row[1]])
    return [*told, *_task_managers(summary), *_configuration(summary)]


def event_lines(records: Sequence[Json]) -> list[str]:
    """Returns a line for each record: when, what, and the rest as key=value."""
    return ["", *(_event(record) for record in records)] if records else []


def _event(record: Json) -> str:
    rest = {
        key: value for key, value in record.items() if key not in ("number", "time", "attempt", "event") and value not in (None, "", [], {})
    }
    words = " ".join(f"{key}={' '.join(_word(value).split())}" for key, value in rest.items())
    return f"{_local(str(record.get('time', '')))}  {record.get('event', '?')}  {words}".rstrip()


def _word(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}:{each}" for key, each in value.items() if each)
    if isinstance(value, list):
        return ",".join(f"{each.get('resource')} {each.get('index')}" if isinstance(each, dict) else str(each) for each in value)
    return str(value)


def _task_managers(summary: Summary) -> Iterator[str]:
    if not summary.task_managers:
        return
    rows = [("TASKMANAGER", "NODE", "CONTAINER", "DEVICES")]
    for each in summary.task_managers:
        devices = ", ".join(f"{device.resource} {device.index} ({device.uuid}) {device.name}".strip() for device in each.devices)
        rows.append((each.id, each.node, each.container, devices or "none"))
    yield from ("", *aligned(rows))


def _configuration(summary: Summary) -> Iterator[str]:
    """What was left at its default is in `--json`."""
    rows = [(each.key, each.value, each.origin) for each in summary.configuration if each.origin != "default"]
    if rows:
        yield from ("", *aligned([("KEY", "VALUE", "ORIGIN"), *rows]))


def _progress(summary: Summary) -> str:
    told = summary.progress
    return f"{told.done}/{told.total} fragments, {told.rows:,} rows of {told.name}" if told else ""


def _reserved(summary: Summary) -> str:
    hours = dict(summary.reserved_hours)
    memory = hours.pop("memory-mb", 0.0)
    parts = [f"{amount:.3g} {name}-hours" for name, amount in hours.items()]
    return ", ".join([*parts, *([f"{memory / _MIB_PER_GIB:.3g} GiB-hours of memory"] if memory else [])])


def _local(iso: str) -> str:
    """This machine's zone, as the other verbs write times."""
    moment = _time(iso)
    return moment.astimezone().isoformat(timespec="seconds") if moment else ""


def _took(summary: Summary) -> str:
    begin, end = _time(summary.started), _time(summary.ended or "")
    return str(datetime.timedelta(seconds=round((end - begin).total_seconds()))) if begin and end else "-"


def _time(iso: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(iso)
    except ValueError:
        return None

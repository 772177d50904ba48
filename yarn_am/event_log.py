"""The event log: what happened to an application and what its master did about it, one plain record each. Pure."""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Iterator, Sequence
from functools import singledispatchmethod
from itertools import chain, islice, takewhile
from typing import Any

from protocol.history import VERSION
from protocol.records import Registration
from yarn_am.action_records import TEXT_LIMIT, of_action
from yarn_am.cluster_state import ClusterState
from yarn_am.events import (
    Action,
    Completed,
    Event,
    Granted,
    LostDevice,
    NodeChanged,
    Progress,
    Registered,
    Reported,
    SchedulerUp,
    SlotEnded,
)

Json = dict[str, Any]

KEPT_FIRST, KEPT_LAST = 2000, 2000
"""So many records are kept of an application's beginning, and so many of its end; what lies between is counted."""

_MARKS = 20
"""Progress is recorded when another such part of a job is done."""


def iso(seconds: float) -> str:
    """Returns a time since the epoch as ISO, in UTC, to the millisecond."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec="milliseconds")


class EventLog:
    """Records of one attempt of the application master, numbered from 1.

    Args:
        state: read after each event; its failures are recorded as they are noted.
        attempt: stands in each record.
    """

    def __init__(self, state: ClusterState, attempt: int) -> None:
        self._state, self.attempt = state, attempt
        self._first: list[Json] = []
        self._last: deque[Json] = deque(maxlen=KEPT_LAST)
        self._count = 0
        self._failures_seen = 0
        self._announced: dict[str, str] = {}
        self._registered: dict[str, Registration] = {}
        self._mark = ("", -1)

    def begin(self, seconds: float) -> None:
        """Records the beginning, at this time since the epoch, as the other methods take it."""
        self._add(seconds, {"event": "attempt started", "version": VERSION})

    def note(self, event: Event, actions: Sequence[Action], seconds: float) -> bool:
        """Records what happened and what was done about it; returns whether that was worth a record."""
        before = self._count
        for record in (self._of_event(event), *self._new_registration(event), *self._new_failures(), *map(of_action, actions)):
            if record:
                self._add(seconds, record)
        return self._count > before

    def records(self) -> list[Json]:
        """Returns what is kept, in order."""
        left_out = self._count - len(self._first) - len(self._last)
        return [*self._first, *([{"event": "left out", "records": left_out}] if left_out else []), *self._last]

    def latest(self, limit: int, after: int = 0) -> list[Json]:
        """Returns what is kept of those after a number, at most the last `limit` of them, in order."""
        newest_first = chain(reversed(self._last), reversed(self._first))
        return [*islice(takewhile(lambda record: record["number"] > after, newest_first), limit)][::-1]

    @property
    def count(self) -> int:
        """Returns how many records there were, which is the last one's number."""
        return self._count

    def _add(self, seconds: float, record: Json) -> None:
        self._count += 1
        stamped = {"number": self._count, "time": iso(seconds), "attempt": self.attempt, **record}
        if len(self._first) < KEPT_FIRST:
            self._first.append(stamped)
        else:
            self._last.append(stamped)

    def _new_registration(self, event: Event) -> Iterator[Json]:
        """One is taken when it comes, or with the grant that it was ahead of."""
        if isinstance(event, Registered):
            name = event.registration.task_manager_id
            self._announced[event.registration.container_id] = name
        elif isinstance(event, Granted):
            name = self._announced.get(event.container_id, "")
        elif isinstance(event, Completed):  # however often TaskManagers are replaced, only those that are there are kept
            self._announced.pop(event.container_id, None)
            self._registered.pop(event.task_manager_id or "", None)
            return
        else:
            return
        known = self._state.task_managers.get(name)
        told = known.registration if known and known.registered else None
        if told is not None and self._registered.get(name) != told:
            self._registered[name] = told
            yield _registered(told)

    def _new_failures(self) -> Iterator[Json]:
        failures = self._state.losses.failures
        if not failures or failures[-1][0] == self._failures_seen:
            return
        for number, failure in failures:
            if number > self._failures_seen:
                self._failures_seen = number
                yield {
                    "event": "failure",
                    "kind": failure.kind.value,
                    "task_manager": failure.task_manager_id,
                    "node": failure.node,
                    "cause": failure.cause,
                    "remedy": failure.remedy,
                    "detail": failure.detail[-TEXT_LIMIT:],
                }

    @singledispatchmethod
    def _of_event(self, event: Event) -> Json | None:
        """Most events show in what they lead to: a failure, an action."""

    @_of_event.register
    def _(self, event: Granted) -> Json:
        return {"event": "granted", "container": event.container_id, "node": event.node, "resources": dict(event.resources)}

    @_of_event.register
    def _(self, event: Completed) -> Json:
        said = event.diagnostics[-TEXT_LIMIT:]
        return {
            "event": "completed",
            "container": event.container_id,
            "task_manager": event.task_manager_id,
            "exit_status": event.exit_status,
            "diagnostics": said,
        }

    @_of_event.register
    def _(self, event: NodeChanged) -> Json | None:
        """Only of a node that matters here: a cluster has many."""
        nodes = self._state.losses.nodes
        if not nodes.is_known(event.node):
            return None
        return {
            "event": "node changed",
            "node": event.node,
            "state": event.state,
            "health": event.health[:TEXT_LIMIT],
            "left_without": [*nodes.gone()],
        }

    @_of_event.register
    def _(self, event: LostDevice) -> Json:
        lost = event.record
        return {
            "event": "device lost",
            "task_manager": lost.task_manager_id,
            "resource": lost.resource,
            "uuid": lost.uuid,
            "cause": lost.cause,
        }

    @_of_event.register
    def _(self, event: SlotEnded) -> Json:
        result = event.result
        return {"event": "slot ended", "slot": result.slot_id, "exit_code": result.exit_code, "job_attempt": result.attempt}

    @_of_event.register
    def _(self, event: SchedulerUp) -> Json:
        return {"event": "scheduler up", "address": event.address}

    @_of_event.register
    def _(self, event: Progress) -> Json | None:
        mark = (event.name, event.done * _MARKS // event.total if event.total else 0)
        if mark == self._mark:
            return None
        self._mark = mark
        return {"event": "progress", "name": event.name, "done": event.done, "total": event.total, "rows": event.rows}

    @_of_event.register
    def _(self, event: Reported) -> Json:
        told = {key: event.report[key] for key in ("output", "fragments", "rows", "seconds") if key in event.report}
        return {"event": "report", "name": event.name, **told}


def _registered(told: Registration) -> Json:
    devices = [{"resource": each.resource, "index": each.index, "uuid": each.uuid} for slot in told.slots for each in slot.devices]
    return {
        "event": "registered",
        "task_manager": told.task_manager_id,
        "container": told.container_id,
        "node": told.node,
        "slots": len(told.slots),
        "devices": devices,
    }

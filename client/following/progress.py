"""Says what changed between two looks at an application, and draws the closing table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from client.application.records import Application, Device, Failure, Job, Slot
from client.console import Console
from client.table import aligned
from client.yarn.cluster import ApplicationReport
from protocol.outcome import SUCCEEDED, Outcome

_BAR_WIDTH = 30
_ENDED = "ENDED"
"""State of a TaskManager that is gone for good."""

_STEPS = 10
"""How many lines a job's progress is worth where no bar can be drawn."""


class Progress:
    """Remembers what was said, so that each thing is said once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._state = ""
        self._registered: set[str] = set()
        self._known: set[str] = set()
        self._told: list[Failure] = []
        self._steps: dict[str, int] = {}
        self._restarts: dict[str, int] = {}

    def show(self, report: ApplicationReport, application: Application | None) -> bool:
        """Says what is new, and returns whether anything was."""
        lines = list(self._news(report, application))
        for line in lines:
            self._console.line(line)
        return bool(lines)

    def summary(self, outcome: Outcome, application: Application | None) -> None:
        """Says how it ended: slots and their devices, final status; unless it succeeded the cause, and the rest if it was not told."""
        self._console.bar("")
        for line in table(application) if application else ():
            self._console.line(line)
        self._console.line(f"final status: {outcome.status}")
        if outcome.status != SUCCEEDED and outcome.diagnostics:
            cause, _, rest = outcome.diagnostics.partition("\n")
            self._console.line(f"cause: {cause}")
            if rest and not any(cause.endswith(failure.cause) for failure in self._told):
                self._console.line(rest)

    def _news(self, report: ApplicationReport, application: Application | None) -> Iterator[str]:
        state = [] if report.state == self._state else [f"{report.id} is {report.state}"]
        self._state = report.state
        yield from () if report.ended else state
        if application is not None:
            yield from self._registrations(application)
            yield from self._new_failures(application, self._replacements(application))
            for job in application.jobs:
                yield from self._job(job)
        yield from state if report.ended else ()

    def _replacements(self, application: Application) -> list[str]:
        """Returns TaskManagers that were not among the first ones, each once."""
        ids = [*application.waiting, *(task_manager.id for task_manager in application.task_managers)]
        new = [each for each in ids if each not in self._known] if self._known and application.failures else []
        self._known.update(ids)
        return new

    def _new_failures(self, application: Application, replacements: list[str]) -> Iterator[str]:
        last = self._told[-1].number if self._told else 0
        for failure in application.failures:
            if failure.number <= last:
                continue
            self._told.append(failure)
            where = " on ".join(text for text in (failure.task_manager, failure.node) if text)
            group = failure.task_manager.rpartition("-")[0]
            successor = next((each for each in replacements if each.rpartition("-")[0] == group), None)
            if successor:
                replacements.remove(successor)
            yield f"{where or 'failure'}: {failure.cause}{f'; {successor} takes its place' if successor else ''}"
            yield f"  remedy: {failure.remedy}"
            yield from (f"  | {line}" for line in failure.detail.splitlines())
        yield from (f"{each} takes the place of one that failed" for each in replacements)

    def _registrations(self, application: Application) -> Iterator[str]:
        there = {task_manager.id for task_manager in application.task_managers if task_manager.state != _ENDED}
        for task_manager in application.task_managers:
            if task_manager.slots and task_manager.id not in self._registered:
                self._registered.add(task_manager.id)
                devices = describe([device for slot in task_manager.slots for device in slot.devices])
                count = f"{len(self._registered & there)}/{application.requested}"
                yield f"{task_manager.id} registered on {task_manager.node} with {devices} ({count} TaskManagers)"

    def _job(self, job: Job) -> Iterator[str]:
        if job.restarts > self._restarts.get(job.id, 0):
            self._restarts[job.id] = job.restarts
            yield f"{job.name or job.id} failed and is started again ({job.restarts}. restart)"
        if not job.total:
            return
        done = min(job.done, job.total)
        text = f"{job.name or job.id}: {done}/{job.total} fragments, {job.rows:,} rows"
        filled = _BAR_WIDTH * done // job.total
        self._console.bar(f"{text} [{'#' * filled}{'.' * (_BAR_WIDTH - filled)}]" if done < job.total else "")
        step = _STEPS * done // job.total
        if step != self._steps.get(job.id) and (done == job.total or not self._console.interactive):
            self._steps[job.id] = step
            yield text


def describe(devices: Sequence[Device]) -> str:
    """Returns devices as a person names them: resource, index and UUID."""
    return ", ".join(f"{device.resource} {device.index} ({device.uuid})" for device in devices) or "no devices"


def table(application: Application) -> list[str]:
    """Returns each slot with its devices, and the rows that each slot did where the job reported them; empty without slots.

    Slots of TaskManagers that were lost are there only when they did some.
    """
    rows_of = _rows_by_slot(application.jobs)
    header = ("SLOT", "NODE", "DEVICES", *(("ROWS",) if rows_of else ()))
    lines = [header]
    for task_manager in application.task_managers:
        for slot in task_manager.slots:
            if task_manager.state == _ENDED and slot.id not in rows_of:
                continue
            lines.append((slot.id, task_manager.node, describe(slot.devices), *_rows(slot, rows_of)))
    return aligned(lines) if len(lines) > 1 else []


def _rows(slot: Slot, rows_of: dict[str, int]) -> tuple[str, ...]:
    return (f"{rows_of.get(slot.id, 0):,}",) if rows_of else ()


def _rows_by_slot(jobs: Sequence[Job]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for job in jobs:
        for slot in job.report.get("slots") or ():
            rows[str(slot["slot"])] = rows.get(str(slot["slot"]), 0) + int(slot["rows"])
    return rows

"""The state of an application and its policy: events and the time in, actions out. No I/O, no clock, no skein.

Every rule is a method here and a case in `tests/test_cluster_state.py`. A failure of any part fails the application with its cause.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatchmethod

from protocol.outcome import FAILED, KILLED, SUCCEEDED, Outcome
from protocol.records import VERSION, JobDeployment, Registration, RegistrationFailure, SlotResult
from yarn_am import causes
from yarn_am.events import (
    Action,
    Completed,
    Deploy,
    Event,
    Finish,
    Granted,
    Interrupted,
    MainEnded,
    MasterLost,
    Progress,
    Registered,
    RegistrationFailed,
    RegistrationLost,
    Reported,
    SchedulerUp,
    SlotEnded,
    StartMain,
    Tick,
)

logger = logging.getLogger(__name__)


class ApplicationState(enum.Enum):
    """STARTING until all TaskManagers are there, RUNNING until the job's end, then FINISHED."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"


class TaskManagerState(enum.Enum):
    """Of one TaskManager; REQUESTED until it registers."""

    REQUESTED = "REQUESTED"
    REGISTERED = "REGISTERED"
    ENDED = "ENDED"


@dataclass(frozen=True)
class Plan:
    """What is wanted.

    `parallelism` is how many slots take part, the first ones. `asked` is each TaskManager's container (`memory-mb`, `vcores`, YARN types);
    `job_kind` "main" or "command"; the time-out runs from a container's grant to its registration, as Flink's
    `resourcemanager.taskmanager-registration.timeout` does, in seconds.
    """

    job_name: str
    job_kind: str
    command: tuple[str, ...]
    task_managers: int
    parallelism: int
    asked: Mapping[str, int]
    registration_timeout_s: float


@dataclass
class TaskManager:
    """One TaskManager as the application master knows it."""

    id: str
    state: TaskManagerState = TaskManagerState.REQUESTED
    registration: Registration | None = None


@dataclass
class JobState:
    """The job: its last progress and report, and the results of its slots."""

    progress: Progress | None = None
    report: Mapping[str, object] | None = None
    results: dict[str, SlotResult] = field(default_factory=dict)


class ClusterState:
    """See the module. Read by the REST views, changed by `handle` alone."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.state = ApplicationState.STARTING
        self.outcome: Outcome | None = None
        self.task_managers = {f"tm-{i}": TaskManager(f"tm-{i}") for i in range(plan.task_managers)}
        self.grants: dict[str, Granted] = {}
        self.failures: list[RegistrationFailure] = []
        self.job = JobState()
        self._awaiting: dict[str, float] = {}

    def handle(self, event: Event, now: float) -> list[Action]:
        """Takes an event at time `now` (seconds of a monotonic clock), returns what is to be done, in order."""
        if self.state is ApplicationState.FINISHED:
            return []
        return self._on(event, now)

    def registered(self) -> list[Registration]:
        """Returns the registrations that are valid now, by TaskManager."""
        return [
            task_manager.registration
            for task_manager in self.task_managers.values()
            if task_manager.state is TaskManagerState.REGISTERED and task_manager.registration
        ]

    def grant_of(self, registration: Registration) -> Granted | None:
        """Returns what YARN said when it gave the registered TaskManager's container."""
        return self.grants.get(registration.container_id)

    @singledispatchmethod
    def _on(self, event: Event, now: float) -> list[Action]:
        raise TypeError(f"no rule for {event!r}")

    @_on.register
    def _granted(self, event: Granted, now: float) -> list[Action]:
        self.grants[event.container_id] = event
        known = next((r for r in self.registered() if r.container_id == event.container_id), None)
        if known is None:
            self._awaiting[event.container_id] = now
            return []
        return self._short_grant(known)

    @_on.register
    def _registered(self, event: Registered, _now: float) -> list[Action]:
        registration = event.registration
        task_manager = self.task_managers.get(registration.task_manager_id)
        if reason := self._refusal(task_manager, registration):
            logger.warning("Refused registration of %s in %s: %s", registration.task_manager_id, registration.container_id, reason)
            return []
        if task_manager is None or task_manager.registration == registration:
            return []
        task_manager.state, task_manager.registration = TaskManagerState.REGISTERED, registration
        self._awaiting.pop(registration.container_id, None)
        logger.info("Registered TaskManager %s on %s, %d slots", registration.task_manager_id, registration.node, len(registration.slots))
        return self._short_grant(registration) or self._start_when_all_are_there()

    def _refusal(self, task_manager: TaskManager | None, registration: Registration) -> str | None:
        if registration.version != VERSION:
            return f"its protocol version is {registration.version}, mine {VERSION}"
        if task_manager is None:
            return "no such TaskManager was asked for"
        known = task_manager.registration
        if known is not None and known.container_id != registration.container_id and task_manager.state is TaskManagerState.REGISTERED:
            return f"{known.container_id} is registered under this id"
        return None

    def _short_grant(self, registration: Registration) -> list[Action]:
        grant = self.grant_of(registration)
        if grant is None:
            return []
        short = {name: amount for name, amount in self.plan.asked.items() if grant.resources.get(name, 0) < amount}
        return self._fail(causes.short_grant(registration, grant, short)) if short else []

    def _start_when_all_are_there(self) -> list[Action]:
        if self.state is not ApplicationState.STARTING or len(self.registered()) < self.plan.task_managers:
            return []
        self.state = ApplicationState.RUNNING
        logger.info("All %d TaskManagers are there, starting the job", self.plan.task_managers)
        return [StartMain()] if self.plan.job_kind == "main" else [Deploy(self._deployment("command", ""))]

    def _deployment(self, kind: str, scheduler: str) -> JobDeployment:
        registrations = self.registered()
        slots = [slot.id for registration in registrations for slot in registration.slots]
        return JobDeployment(
            kind=kind,
            name=self.plan.job_name,
            command=self.plan.command if kind == "command" else (),
            scheduler=scheduler,
            ranks={slot: rank for rank, slot in enumerate(slots[: self.plan.parallelism])},
            master_address=registrations[0].address,
            master_port=registrations[0].port,
        )

    @_on.register
    def _completed(self, event: Completed, _now: float) -> list[Action]:
        self._awaiting.pop(event.container_id, None)
        task_manager = self.task_managers.get(event.task_manager_id or "")
        if task_manager is None:
            logger.info("Container %s ended with %d, no TaskManager of ours", event.container_id, event.exit_status)
            return []
        task_manager.state = TaskManagerState.ENDED
        return self._fail(causes.container_ended(task_manager.id, self.grants.get(event.container_id), event))

    @_on.register
    def _registration_failed(self, event: RegistrationFailed, _now: float) -> list[Action]:
        self.failures.append(event.failure)
        return self._fail(causes.registration_failed(event.failure))

    @_on.register
    def _registration_lost(self, event: RegistrationLost, _now: float) -> list[Action]:
        task_manager = self.task_managers.get(event.task_manager_id)
        if task_manager is not None and task_manager.state is TaskManagerState.REGISTERED:
            logger.warning("TaskManager %s has gone", task_manager.id)
            task_manager.state = TaskManagerState.ENDED
        return []

    @_on.register
    def _slot_ended(self, event: SlotEnded, _now: float) -> list[Action]:
        result = event.result
        self.job.results[result.slot_id] = result
        if result.exit_code != 0:
            return self._finish(Outcome(FAILED, result.exit_code, causes.slot_failed(result, self.plan)))
        if self.plan.job_kind == "main" or len(self.job.results) < self.plan.parallelism:
            return []
        return self._finish(Outcome(SUCCEEDED, 0, f"{self.plan.job_name} succeeded in {len(self.job.results)} slots"))

    @_on.register
    def _main_ended(self, event: MainEnded, _now: float) -> list[Action]:
        if event.exit_code == 0:
            return self._finish(Outcome(SUCCEEDED, 0, f"{self.plan.job_name} succeeded"))
        return self._finish(Outcome(FAILED, event.exit_code, causes.main_failed(event, self.plan)))

    @_on.register
    def _scheduler_up(self, event: SchedulerUp, _now: float) -> list[Action]:
        return [Deploy(self._deployment("dask", event.address))] if self.registered() else []

    @_on.register
    def _progress(self, event: Progress, _now: float) -> list[Action]:
        self.job.progress = event
        return []

    @_on.register
    def _reported(self, event: Reported, _now: float) -> list[Action]:
        self.job.report = event.report
        return []

    @_on.register
    def _interrupted(self, event: Interrupted, _now: float) -> list[Action]:
        return self._finish(Outcome(KILLED, 3, event.reason))

    @_on.register
    def _master_lost(self, event: MasterLost, _now: float) -> list[Action]:
        return self._fail(event.cause)

    @_on.register
    def _tick(self, _event: Tick, now: float) -> list[Action]:
        late = [id for id, since in self._awaiting.items() if now - since > self.plan.registration_timeout_s]
        if not late:
            return []
        return self._fail(causes.registration_timed_out(self.grants[late[0]], self.plan.registration_timeout_s))

    def _fail(self, diagnostics: str) -> list[Action]:
        return self._finish(Outcome(FAILED, 1, diagnostics))

    def _finish(self, outcome: Outcome) -> list[Action]:
        self.state, self.outcome = ApplicationState.FINISHED, outcome
        return [Finish(outcome)]

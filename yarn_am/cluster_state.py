"""The state of an application and its policy: events and the time in, actions out. No I/O, no clock, no skein.

Every rule is a method here and a case in `tests/test_cluster_state.py`. What a lost TaskManager means is in `yarn_am.losses`, how the job
goes on in `yarn_am.job_course`.
"""

from __future__ import annotations

import enum
import logging
from functools import singledispatchmethod

from protocol.outcome import FAILED, KILLED, Outcome
from protocol.records import JobDeployment, Registration
from yarn_am import causes, refusals
from yarn_am.events import (
    Action,
    Completed,
    Event,
    Finish,
    Granted,
    Heard,
    Interrupted,
    LostDevice,
    MainEnded,
    MasterLost,
    MasterUsed,
    Progress,
    Registered,
    RegistrationFailed,
    RegistrationLost,
    Reported,
    SchedulerUp,
    SlotEnded,
    StopAsked,
    StopContainer,
    Tick,
)
from yarn_am.failures import Failure
from yarn_am.first_words import FirstWords
from yarn_am.idle import IdleTaskManagers
from yarn_am.job_course import JobCourse
from yarn_am.job_state import JobState
from yarn_am.losses import Losses
from yarn_am.plan import Plan
from yarn_am.task_managers import TaskManager, TaskManagers, TaskManagerState

logger = logging.getLogger(__name__)


class ApplicationState(enum.Enum):
    """STARTING until all TaskManagers are there, RUNNING until the job's end, then FINISHED."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"


class ClusterState:
    """See the module. Read by the REST views, changed by `handle` alone."""

    def __init__(self, plan: Plan, now: float = 0.0) -> None:
        self.plan, self.started = plan, now
        self.outcome: Outcome | None = None
        self.task_managers = TaskManagers(plan, now)
        self.losses = Losses(plan, self.task_managers)
        self.grants: dict[str, Granted] = {}
        self._first_words = FirstWords(self.task_managers)
        self.job = JobState(plan)
        self._course = JobCourse(plan, self.task_managers, self.job, self.losses)
        self._idle = IdleTaskManagers(plan.idle_timeout_s)
        self.master: MasterUsed | None = None

    def handle(self, event: Event, now: float) -> list[Action]:
        """Takes an event at time `now` (seconds of a monotonic clock), returns what is to be done, in order."""
        if self.outcome is not None:
            return []
        return self._until_the_end(self._on(event, now))

    @property
    def state(self) -> ApplicationState:
        """Returns how far it is."""
        if self.outcome is not None:
            return ApplicationState.FINISHED
        return ApplicationState.STARTING if self.job.started is None else ApplicationState.RUNNING

    def registered(self) -> list[Registration]:
        """Returns the registrations that are valid now, by the places of their TaskManagers."""
        return [each.registration for each in self.task_managers.registered() if each.registration]

    def grant_of(self, registration: Registration) -> Granted | None:
        """Returns what YARN said when it gave the registered TaskManager's container."""
        return self.grants.get(registration.container_id)

    def last_words(self) -> tuple[set[str], JobDeployment]:
        """Returns the slots that still run something at the end, and the order to stop it."""
        running = self.job.running(self.task_managers)
        return running, self.job.halt()

    def _until_the_end(self, actions: list[Action]) -> list[Action]:
        """Nothing follows the end."""
        for number, action in enumerate(actions):
            if isinstance(action, Finish):
                self.outcome = action.outcome
                return actions[: number + 1]
        return actions

    @singledispatchmethod
    def _on(self, event: Event, now: float) -> list[Action]:
        raise TypeError(f"no rule for {event!r}")

    @_on.register
    def _granted(self, event: Granted, now: float) -> list[Action]:
        self.grants[event.container_id] = event
        known = next((each for each in self.task_managers.registered() if each.container_id == event.container_id), None)
        self.losses.granted(event, now, is_registered=known is not None)
        said = [action for each in self._first_words.granted(event.container_id) for action in self._on(each, now)]
        return [*said, *(self._check_grant(known, now) if known else ())]

    @_on.register
    def _registered(self, event: Registered, now: float) -> list[Action]:
        registration = event.registration
        known = self.task_managers.get(registration.task_manager_id)
        if known is not None and known.registered and known.registration == registration:
            return []
        task_manager = self._first_words.speaker(event, self.grants)
        if task_manager is None:
            return []
        task_manager.state, task_manager.since = TaskManagerState.REGISTERED, now
        task_manager.registration, task_manager.container_id = registration, registration.container_id
        logger.info("Registered TaskManager %s on %s, %d slots", task_manager.id, registration.node, len(registration.slots))
        return [*self.losses.registered(task_manager, now), *self._check_grant(task_manager, now), *self._course.due(now)]

    def _check_grant(self, task_manager: TaskManager, now: float) -> list[Action]:
        registration = task_manager.registration
        grant = self.grant_of(registration) if registration else None
        if registration is None or grant is None:
            return []
        short = {name: amount for name, amount in task_manager.group.asked.items() if grant.resources.get(name, 0) < amount}
        if not short:
            return []
        return [StopContainer(task_manager.container_id), *self._lost(task_manager, causes.short_grant(registration, grant, short), now)]

    def _lost(self, task_manager: TaskManager, failure: Failure, now: float) -> list[Action]:
        """What the loss of a TaskManager means to the application, and to the job that ran in it."""
        needed = self.job.needs(task_manager)
        return [*self.losses.lost(task_manager, failure, now, needed=needed), *(self._course.lost(failure, now) if needed else ())]

    @_on.register
    def _completed(self, event: Completed, now: float) -> list[Action]:
        grant, timed_out = self.grants.pop(event.container_id, None), self.losses.completed(event.container_id)
        task_manager = self.task_managers.get(event.task_manager_id)
        if task_manager is None or task_manager.state is TaskManagerState.ENDED:
            logger.info("Container %s of %s ended with %d, as expected", event.container_id, event.task_manager_id, event.exit_status)
            return []
        if timed_out:
            failure = causes.registration_timed_out(task_manager.id, timed_out, self.plan.registration_timeout_s)
        else:
            failure = causes.container_ended(task_manager.id, grant, event, registered=task_manager.registration is not None)
        return self._lost(task_manager, failure, now)

    @_on.register
    def _registration_failed(self, event: RegistrationFailed, now: float) -> list[Action]:
        task_manager = self._first_words.speaker(event, self.grants)
        return self._lost(task_manager, causes.registration_failed(event.failure), now) if task_manager else []

    @_on.register
    def _registration_lost(self, event: RegistrationLost, now: float) -> list[Action]:
        task_manager = self.task_managers.get(event.task_manager_id)
        if task_manager is not None and task_manager.registered:
            logger.warning("TaskManager %s has gone", task_manager.id)
            task_manager.state, task_manager.since = TaskManagerState.GONE, now
        return []

    @_on.register
    def _lost_device(self, event: LostDevice, now: float) -> list[Action]:
        lost = event.record
        task_manager = self.task_managers.get(lost.task_manager_id)
        if task_manager is None or not task_manager.registered or task_manager.container_id != lost.container_id:
            self._first_words.follow(event)
            return []
        if reason := refusals.of_lost_device(task_manager, lost):
            logger.warning("Refused what %s says of a lost device: %s", task_manager.id, reason)
            return []
        task_manager.lost_devices[lost.uuid] = lost.cause
        node = task_manager.registration.node if task_manager.registration else ""
        failure = causes.device_lost(lost, node)
        self.losses.lost_device(lost, node, now)
        if not lost.slots:
            self.losses.note(failure, now)
            return []
        return [StopContainer(task_manager.container_id), *self._lost(task_manager, failure, now)]

    @_on.register
    def _heard(self, event: Heard, now: float) -> list[Action]:
        task_manager = self.task_managers.get(event.record.task_manager_id)
        if task_manager is not None and task_manager.registered and task_manager.container_id == event.record.container_id:
            reason = refusals.of_heartbeat(task_manager, event.record)
            if reason is None:
                task_manager.since, task_manager.heartbeat = now, event.record
                task_manager.samples.add(event.record, now)
            elif reason != task_manager.refused:
                task_manager.refused = reason
                logger.warning("Refused a heartbeat of %s: %s", task_manager.id, reason)
        return []

    @_on.register
    def _master_used(self, event: MasterUsed, _now: float) -> list[Action]:
        self.master = event
        return []

    @_on.register
    def _slot_ended(self, event: SlotEnded, now: float) -> list[Action]:
        return self._course.slot_ended(event.result, now)

    @_on.register
    def _main_ended(self, event: MainEnded, _now: float) -> list[Action]:
        return self._course.main_ended(event)

    @_on.register
    def _scheduler_up(self, event: SchedulerUp, now: float) -> list[Action]:
        self.job.scheduler = event.address
        return self._course.due(now)

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
        return [Finish(Outcome(KILLED, 3, event.reason), retriable=True)]

    @_on.register
    def _stop_asked(self, event: StopAsked, _now: float) -> list[Action]:
        return [Finish(Outcome(KILLED, 3, f"Stopped by {event.request.user} on {event.request.host}"))]

    @_on.register
    def _master_lost(self, event: MasterLost, _now: float) -> list[Action]:
        return [Finish(Outcome(FAILED, 1, event.cause), retriable=True)]

    @_on.register
    def _tick(self, _event: Tick, now: float) -> list[Action]:
        actions = self.losses.due(now)
        for task_manager, failure in self.losses.silent(now):
            actions += [StopContainer(task_manager.container_id), *self._lost(task_manager, failure, now)]
        for task_manager in self._idle.due(self.task_managers, self.job, now):
            task_manager.state, task_manager.since = TaskManagerState.ENDED, now
            actions.append(StopContainer(task_manager.container_id))
        return [*actions, *(self._course.due(now) if self.job.restart_due is not None else [])]

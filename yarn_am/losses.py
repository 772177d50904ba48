"""What follows from the loss of a TaskManager: another one, now or later, elsewhere perhaps; or the end. Pure.

Before any TaskManager of a group has registered, nothing shows that what its TaskManagers are told can work at all: then a failure to
come up is held until another one has registered, and is the application's end when all have failed or none comes up in time.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter, deque
from collections.abc import Iterator

from protocol.outcome import FAILED, Outcome
from protocol.records import DeviceLost, ExcludedDevice
from yarn_am import causes
from yarn_am.events import Action, Exclude, ExcludeDevices, Finish, Granted, RequestContainer, StopContainer
from yarn_am.excluded_devices import ExcludedDevices
from yarn_am.failures import Failure, Kind
from yarn_am.plan import GroupPlan, Plan
from yarn_am.replacement import Replacements
from yarn_am.task_managers import TaskManager, TaskManagers, TaskManagerState

logger = logging.getLogger(__name__)

KEPT = 100
"""How many failures are remembered, for those who look."""

HOLD_S = 10.0
"""How long the failure of an unproven group's TaskManager waits for another one to register."""

GONE_S = 60.0
"""How long YARN may take to say why a TaskManager whose registration went has ended."""

_COMING_UP = frozenset({Kind.DISCOVERY, Kind.START, Kind.TIMEOUT})


class Losses:
    """Every failure so far, and what is to follow from them.

    Attributes:
        failures: the latest, each with its number, from 1.
        counts: how many there have been, by kind.
        nodes: hosts that gave containers.
        excluded: hosts that are kept out now.
        excluded_devices: devices that are.
    """

    def __init__(self, plan: Plan, task_managers: TaskManagers) -> None:
        self._plan, self._task_managers = plan, task_managers
        self._replacements = Replacements(plan.limits)
        self.failures: deque[tuple[int, Failure]] = deque(maxlen=KEPT)
        self.counts: Counter[Kind] = Counter()
        self.nodes: set[str] = set()
        self.excluded: frozenset[str] = frozenset()
        self.excluded_devices: tuple[ExcludedDevice, ...] = ()
        self._bad_devices = ExcludedDevices(plan.limits.exclusion_s)
        self._number = 0
        self._proven: set[str] = set()
        self._held: list[tuple[TaskManager, Failure, float]] = []
        self._requests: deque[tuple[TaskManager, float]] = deque()
        self._unneeded: list[TaskManager] = []
        self._awaiting: dict[str, tuple[Granted, float]] = {}
        self._timed_out: dict[str, Granted] = {}

    def granted(self, grant: Granted, now: float, *, is_registered: bool) -> None:
        """A container was granted: its TaskManager has until the registration time-out."""
        self.nodes.add(causes.host(grant.node))
        if not is_registered:
            self._awaiting[grant.container_id] = (grant, now)

    def registered(self, task_manager: TaskManager, now: float) -> list[Action]:
        """A TaskManager registered: its group can work, and those that failed before are replaced."""
        self._awaiting.pop(task_manager.container_id, None)
        self._proven.add(task_manager.group.name)
        held, self._held = self._held, [each for each in self._held if each[0].group is not task_manager.group]
        return [action for each in held if each not in self._held for action in self._replace(each[0], now)]

    def completed(self, container_id: str) -> Granted | None:
        """A container has ended; returns its grant when it was stopped because its TaskManager did not register in time."""
        self._awaiting.pop(container_id, None)
        return self._timed_out.pop(container_id, None)

    def note(self, failure: Failure, now: float) -> None:
        """Remembers a failure."""
        logger.warning("Failure (%s): %s", failure.kind.value, failure.text)
        self._number += 1
        self.counts[failure.kind] += 1
        self.failures.append((self._number, dataclasses.replace(failure, at=now)))
        self._replacements.note(failure, now, self.nodes)

    def lost(self, task_manager: TaskManager, failure: Failure, now: float, *, needed: bool) -> list[Action]:
        """A TaskManager is lost for good; one whose slots had nothing more to do is not `needed`, unless everything starts again."""
        task_manager.state, task_manager.since = TaskManagerState.ENDED, now
        self._awaiting.pop(task_manager.container_id, None)
        self.note(failure, now)
        if not needed:
            self._unneeded.append(task_manager)
            return self.due(now)
        if failure.kind is Kind.DISCOVERY and self._plan.one_node:
            return [Finish(Outcome(FAILED, 1, failure.text))]
        if failure.kind in _COMING_UP and task_manager.group.name not in self._proven:
            self._held.append((task_manager, failure, now))
            return self._end_if_hopeless(task_manager.group)
        return self._replace(task_manager, now)

    def needed_again(self, now: float) -> list[Action]:
        """Everything starts again: those that were lost when nobody needed them are replaced."""
        needed, self._unneeded = self._unneeded, []
        return [action for each in needed for action in self._replace(each, now)]

    def lost_device(self, lost: DeviceLost, node: str, now: float) -> None:
        """A device is lost: nobody is to take it again for a while."""
        self._bad_devices.add(lost, node, now)

    def _end_if_hopeless(self, group: GroupPlan) -> list[Action]:
        if any(each.group is group and each.state is not TaskManagerState.ENDED for each in self._task_managers):
            return []
        first = next(failure for task_manager, failure, _ in self._held if task_manager.group is group)
        return [Finish(Outcome(FAILED, 1, first.text))]

    def _replace(self, task_manager: TaskManager, now: float) -> list[Action]:
        if self._replacements.exhausted:
            _, failure = self.failures[-1]
            words = causes.exhausted(failure, self._replacements.counted, self._plan.limits.failures)
            return [Finish(Outcome(FAILED, 1, words))]
        new, delay = self._task_managers.replace(task_manager, now), self._replacements.delay_s(now)
        logger.info("Replacing TaskManager %s by %s in %g s", task_manager.id, new.id, delay)
        self._requests.append((new, now + delay))
        return self.due(now)

    def due(self, now: float) -> list[Action]:
        """What the time brings: requests whose pause is over, nodes let in again, registrations that come too late, failures held."""
        actions = self._exclude(now)
        while self._requests and self._requests[0][1] <= now:
            task_manager, _ = self._requests.popleft()
            actions.append(RequestContainer(task_manager.id, task_manager.group.name))
        late = [(name, grant) for name, (grant, since) in self._awaiting.items() if now - since > self._plan.registration_timeout_s]
        for name, grant in late:
            del self._awaiting[name]
            self._timed_out[name] = grant
            actions.append(StopContainer(name))
        actions += [Finish(Outcome(FAILED, 1, failure.text)) for _, failure, since in self._held if now - since > HOLD_S]
        return actions

    def silent(self, now: float) -> Iterator[tuple[TaskManager, Failure]]:
        """Yields TaskManagers that are to be given up: no heartbeat any more, or gone without a word from YARN."""
        timeout = self._plan.heartbeat_timeout_s
        for task_manager in list(self._task_managers):
            node = task_manager.registration.node if task_manager.registration else ""
            if task_manager.registered and task_manager.heartbeat and now - task_manager.since > timeout:
                yield task_manager, causes.silent(task_manager.id, node, timeout)
            elif task_manager.state is TaskManagerState.GONE and now - task_manager.since > GONE_S:
                yield task_manager, causes.vanished(task_manager.id, node)

    def _exclude(self, now: float) -> list[Action]:
        actions: list[Action] = []
        if (nodes := self._replacements.excluded(now)) != self.excluded:
            self.excluded = nodes
            actions.append(Exclude(nodes))
        if (devices := self._bad_devices.at(now)) != self.excluded_devices:
            self.excluded_devices = devices
            actions.append(ExcludeDevices(devices))
        return actions

"""Whatever TaskManagers do, end as they may, a device is had by one at a time."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from task_manager.leases import Leases

DEVICES = [f"GPU-{i}" for i in range(3)]


@dataclass(eq=False)
class Slots:
    """A TaskManager's slots: they have the descriptors that they inherited, on the same locks."""

    descriptors: list[int]


@dataclass(eq=False)
class TaskManager:
    leases: Leases
    slots: list[Slots] = field(default_factory=list)


class Node(RuleBasedStateMachine):
    """TaskManagers of one node. flock does not care whether two openings of a file are of one process or of two."""

    task_managers = Bundle("task_managers")
    slots = Bundle("slots")

    def __init__(self) -> None:
        super().__init__()
        self._scratch = tempfile.TemporaryDirectory(prefix="treadle-leases-")
        self._directory = Path(self._scratch.name) / "leases"
        self._holders: dict[str, set[object]] = {device: set() for device in DEVICES}
        self._started = 0
        self._open: set[int] = set()

    @rule(target=task_managers)
    def start(self) -> TaskManager:
        self._started += 1
        return TaskManager(Leases(self._directory, f"container_{self._started}"))

    @rule(task_manager=task_managers, device=st.sampled_from(DEVICES))
    def take(self, task_manager: TaskManager, device: str) -> None:
        free = not self._holders[device]
        with task_manager.leases.turn():
            holder = task_manager.leases.take(device)
        assert (holder is None) == free, f"{device}: {holder}, but held by {self._holders[device]}"
        if holder is None:
            self._holders[device].add(task_manager)
        else:
            assert "container_" in holder

    @rule(task_manager=task_managers, device=st.sampled_from(DEVICES))
    def give_back(self, task_manager: TaskManager, device: str) -> None:
        if task_manager.leases.holds(device):
            task_manager.leases.give_back([device])
            self._ended(task_manager, device)

    @rule(target=slots, task_manager=task_managers)
    def start_slots(self, task_manager: TaskManager) -> Slots:
        slots = Slots([os.dup(descriptor) for descriptor in task_manager.leases.descriptors()])
        self._open.update(slots.descriptors)
        for holders in self._holders.values():
            if task_manager in holders:
                holders.add(slots)
        return slots

    @rule(slots=consumes(slots))
    def end_slots(self, slots: Slots) -> None:
        for descriptor in slots.descriptors:
            os.close(descriptor)
        self._open.difference_update(slots.descriptors)
        self._ended(slots, *DEVICES)

    @rule(task_manager=consumes(task_managers))
    def close(self, task_manager: TaskManager) -> None:
        task_manager.leases.close()
        self._ended(task_manager, *DEVICES)

    @rule(task_manager=consumes(task_managers))
    def crash(self, task_manager: TaskManager) -> None:
        for descriptor in task_manager.leases.descriptors():  # as the kernel does for a killed process
            os.close(descriptor)
        self._ended(task_manager, *DEVICES)

    @rule(device=st.sampled_from(DEVICES))
    def tidy(self, device: str) -> None:
        if not self._holders[device]:
            (self._directory / f"{device}.lock").unlink(missing_ok=True)

    @rule(device=st.sampled_from(DEVICES), content=st.binary(max_size=300))
    def scribble(self, device: str, content: bytes) -> None:
        file = self._directory / f"{device}.lock"
        if file.exists() and not self._holders[device]:
            file.write_bytes(content)

    @invariant()
    def what_is_held_by_none_is_free_and_the_rest_is_not(self) -> None:
        with Leases(self._directory, "container_probe") as probe:
            assert {device for device in DEVICES if probe.take(device) is None} == {d for d in DEVICES if not self._holders[d]}

    def _ended(self, holder: object, *devices: str) -> None:
        for device in devices:
            self._holders[device].discard(holder)

    def teardown(self) -> None:
        for descriptor in self._open:
            os.close(descriptor)
        self._scratch.cleanup()


TestNode = Node.TestCase
TestNode.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

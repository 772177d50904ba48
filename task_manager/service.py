"""A registered TaskManager at work: waits for the job, runs it in its slots, reports their results, until the master has gone."""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from protocol import keys
from protocol.records import DeviceLost, JobDeployment, Slot, SlotResult
from protocol.store import Change, Store, StoreClosedError
from protocol.wire import MalformedRecordError, from_bytes, to_bytes
from task_manager.health import HealthWatch
from task_manager.heartbeat import Pulse
from task_manager.slot_environment import SlotProcessSpec
from task_manager.slot_process import SlotProcess, stop_all
from task_manager.slot_silence import SlotSilence

logger = logging.getLogger(__name__)

_NEVER = (-1, -1)

Happening = JobDeployment | SlotResult | DeviceLost | signal.Signals | StoreClosedError


@dataclass(frozen=True)
class Watches:
    """What is looked after while slots run: the devices, the signs of life that this TaskManager gives, and those that its slots do not."""

    health: HealthWatch
    pulse: Pulse
    silence: SlotSilence


class Service:
    """Runs in the TaskManager's main thread; other threads only put what happened into its queue.

    Args:
        store: shared with the application master.
        jobs: a watch of `keys.JOB`, opened before this TaskManager registered.
        slots: this TaskManager's.
        describe: makes a slot's process description for a deployment.
        lease_descriptors: inherited by every slot's process.
        watches: what is looked after meanwhile.
        grace_s: seconds between a slot's SIGTERM and SIGKILL.
    """

    def __init__(
        self,
        store: Store,
        jobs: Iterator[Change],
        slots: tuple[Slot, ...],
        describe: Callable[[Slot, JobDeployment], SlotProcessSpec],
        lease_descriptors: Sequence[int],
        watches: Watches,
        grace_s: float,
    ) -> None:
        self._store, self._jobs, self._slots, self._describe, self._lease_descriptors = store, jobs, slots, describe, lease_descriptors
        self._happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._health, self._pulse, self._silence, self._grace_s = watches.health, watches.pulse, watches.silence, grace_s
        self._out_of_service: set[str] = set()
        self._processes: dict[str, SlotProcess] = {}
        self._started: dict[str, tuple[int, int]] = {}
        self._deployment: JobDeployment | None = None

    def run(self) -> int:
        """Serves until it is told to stop or the application master has gone; returns the process's exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: self._happenings.put(signal.Signals(number)))
        threading.Thread(target=self._watch, name="store", daemon=True).start()
        self._health.start(self._happenings.put)
        self._pulse.start()
        try:
            return self._serve()
        except StoreClosedError as error:
            logger.warning("Stopping: %s", error)
            return 0
        finally:
            self._pulse.stop()
            self._health.stop()
            stop_all(self._processes.values())

    def _serve(self) -> int:
        while True:
            self._beat()
            try:
                happening = self._happenings.get(timeout=self._pulse.due_in_s())
            except queue.Empty:
                continue
            if isinstance(happening, JobDeployment):
                self._deploy(happening)
            elif isinstance(happening, SlotResult):
                self._slot_ended(happening)
            elif isinstance(happening, DeviceLost):
                self._device_lost(happening)
            elif isinstance(happening, signal.Signals):
                logger.info("Stopping on %s", happening.name)
                return 128 + happening
            else:
                raise happening

    def _beat(self) -> None:
        used = self._pulse.beat({slot_id: process.pid for slot_id, process in self._processes.items()})
        for slot_id in self._silence.silent(used):
            self._end_silent(slot_id)

    def _deploy(self, deployment: JobDeployment) -> None:
        """Starts what is new in it; a new attempt of the job first ends what is left of the one before."""
        if self._deployment is not None and deployment.attempt > self._deployment.attempt:
            self._stop_attempt()
        self._deployment = deployment
        for slot in (slot for slot in self._slots if slot.id in deployment.ranks and slot.id not in self._out_of_service):
            start = deployment.attempt, deployment.starts.get(slot.id, 0)
            if start > self._started.get(slot.id, _NEVER):
                self._started[slot.id] = start
                self._start(slot, deployment, *start)

    def _stop_attempt(self) -> None:
        """The signs of life go on meanwhile."""
        stopping = threading.Thread(target=stop_all, args=(list(self._processes.values()),), name="stop", daemon=True)
        stopping.start()
        while stopping.is_alive():
            stopping.join(self._pulse.due_in_s())
            self._beat()

    def _start(self, slot: Slot, deployment: JobDeployment, attempt: int, start: int) -> None:
        spec = self._describe(slot, deployment)
        logger.info("Starting slot %s: %s", slot.id, spec.command)
        self._silence.begin(slot.id)
        process = self._processes[slot.id] = SlotProcess(slot.id, spec, self._lease_descriptors, self._grace_s)
        process.report(lambda result: self._ended(replace(result, attempt=attempt, start=start)))

    def _end_silent(self, slot_id: str) -> None:
        """Its end is told as that of any process, and its log says why."""
        words = f"no sign of life for {self._silence.timeout_s:g} s (heartbeat.timeout)"
        logger.error("Ending slot %s: %s", slot_id, words)
        process = self._processes[slot_id]
        process.say(f"Treadle ends this process: {words}")
        threading.Thread(target=process.stop, kwargs={"at_once": True}, name=f"stop-{slot_id}", daemon=True).start()

    def _ended(self, result: SlotResult) -> None:
        """Runs in a thread of the slot's own. A process that failed may be the first to notice a lost device, which is to be told first."""
        if result.exit_code:
            resources = {device.resource for slot in self._slots if slot.id == result.slot_id for device in slot.devices}
            self._health.look_now(resources)
        self._happenings.put(result)

    def _slot_ended(self, result: SlotResult) -> None:
        logger.info("Slot %s ended with exit code %d", result.slot_id, result.exit_code)
        if result.slot_id in self._out_of_service:
            logger.info("That is not reported: %s is out of service, for its device is lost", result.slot_id)
        else:
            self._store.put(keys.result(result.slot_id), to_bytes(result))

    def _device_lost(self, lost: DeviceLost) -> None:
        """The lease is kept, so that nobody else gets the device."""
        logger.error("Lost %s %s: %s; out of service: %s", lost.resource, lost.uuid, lost.cause, ", ".join(lost.slots) or "no slot")
        self._out_of_service.update(lost.slots)
        self._store.put(keys.lost_device(lost.task_manager_id, lost.uuid), to_bytes(lost))
        for process in self._processes.values():
            if process.slot_id in lost.slots:
                threading.Thread(target=process.stop, name=f"stop-{process.slot_id}", daemon=True).start()

    def _watch(self) -> None:
        try:
            for change in self._jobs:
                if change.value is not None:
                    self._tell(change.value)
        except StoreClosedError as error:
            self._happenings.put(error)

    def _tell(self, value: bytes) -> None:
        """A malformed deployment is not the application master's, whose version is ours: what runs goes on."""
        try:
            self._happenings.put(from_bytes(JobDeployment, value))
        except MalformedRecordError as error:
            logger.warning("Ignored a malformed deployment: %s", error)

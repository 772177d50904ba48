"""A registered TaskManager at work: waits for the job, runs it in its slots, reports their results, until the master has gone."""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence

from protocol import keys
from protocol.records import JobDeployment, Slot, SlotResult
from protocol.store import Change, Store, StoreClosedError
from protocol.wire import MalformedRecordError, from_bytes, to_bytes
from task_manager.slot_environment import SlotProcessSpec
from task_manager.slot_process import SlotProcess

logger = logging.getLogger(__name__)

GRACE_S = 1.5
"""Seconds between a slot's SIGTERM and SIGKILL; a NodeManager kills the container itself soon after (250 ms by default)."""

Happening = JobDeployment | SlotResult | signal.Signals | StoreClosedError | MalformedRecordError


class Service:
    """Runs in the TaskManager's main thread; other threads only put what happened into its queue.

    Args:
        store: shared with the application master.
        jobs: a watch of `keys.JOB`, opened before this TaskManager registered.
        slots: this TaskManager's.
        describe: makes a slot's process description for a deployment.
        lease_descriptors: inherited by every slot's process.
    """

    def __init__(
        self,
        store: Store,
        jobs: Iterator[Change],
        slots: tuple[Slot, ...],
        describe: Callable[[Slot, JobDeployment], SlotProcessSpec],
        lease_descriptors: Sequence[int],
    ) -> None:
        self._store, self._jobs, self._slots, self._describe, self._lease_descriptors = store, jobs, slots, describe, lease_descriptors
        self._happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._processes: list[SlotProcess] = []
        self._deployment: JobDeployment | None = None

    def run(self) -> int:
        """Serves until it is told to stop or the application master has gone; returns the process's exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: self._happenings.put(signal.Signals(number)))
        threading.Thread(target=self._watch, name="store", daemon=True).start()
        try:
            return self._serve()
        except StoreClosedError as error:
            logger.warning("Stopping: %s", error)
            return 0
        finally:
            for process in self._processes:
                process.stop(GRACE_S)

    def _serve(self) -> int:
        while True:
            happening = self._happenings.get()
            if isinstance(happening, JobDeployment):
                self._deploy(happening)
            elif isinstance(happening, SlotResult):
                logger.info("Slot %s ended with exit code %d", happening.slot_id, happening.exit_code)
                self._store.put(keys.result(happening.slot_id), to_bytes(happening))
            elif isinstance(happening, signal.Signals):
                logger.info("Stopping on %s", happening.name)
                return 128 + happening
            else:
                raise happening

    def _deploy(self, deployment: JobDeployment) -> None:
        if self._deployment is not None:
            if deployment != self._deployment:
                logger.warning("Ignored a second deployment of %s", deployment.name)
            return
        self._deployment = deployment
        for slot in (slot for slot in self._slots if slot.id in deployment.ranks):
            spec = self._describe(slot, deployment)
            logger.info("Starting slot %s: %s", slot.id, spec.command)
            process = SlotProcess(slot.id, spec, self._lease_descriptors)
            self._processes.append(process)
            process.report(self._happenings.put)

    def _watch(self) -> None:
        try:
            for change in self._jobs:
                if change.value is not None:
                    self._happenings.put(from_bytes(JobDeployment, change.value))
        except (StoreClosedError, MalformedRecordError) as error:
            self._happenings.put(error)

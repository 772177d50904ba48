"""The application master's loop: events from every side into the state, the state's actions out again. Wiring, no policy."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator

from protocol import keys
from protocol.outcome import FAILED, SUCCEEDED, Outcome
from protocol.records import DeviceExclusions, Ending, JobDeployment
from protocol.store import Change, Store, StoreClosedError
from protocol.wire import to_bytes
from yarn_am.cluster_state import ClusterState
from yarn_am.containers import Containers
from yarn_am.event_log import EventLog
from yarn_am.events import (
    Action,
    Completed,
    Deploy,
    Event,
    Exclude,
    ExcludeDevices,
    Finish,
    Interrupted,
    MasterLost,
    RequestContainer,
    SlotEnded,
    StartMain,
    StopContainer,
    Tick,
)
from yarn_am.history import END_S, NO_HISTORY, History
from yarn_am.job_main import JobMain
from yarn_am.messages import Messages
from yarn_am.rest import RestServer

logger = logging.getLogger(__name__)

TICK_S = 1.0
FOLLOWER_GRACE_S = 2.0
"""Seconds that the end waits for a follower to see the outcome."""

ON_THE_WAY_S = 0.5
"""Seconds that an order to stop, and the word that it was done, take besides the slots' grace period."""

KILLED_BY_MASTER = -105
"""YARN's `ContainerExitStatus.KILLED_BY_APPMASTER`."""


class EventQueue:
    """Where every thread puts what happened."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._tick_due = time.monotonic() + TICK_S

    def put(self, event: Event) -> None:
        """Adds an event; safe from any thread and from a signal handler."""
        self._queue.put(event)

    def get(self, timeout_s: float = TICK_S) -> Event:
        """Returns the next event, a `Tick` every second however much else happens; what came before it is told before it.

        One comes after `timeout_s` seconds, too, when nothing else happens.
        """
        self._tick_due = min(self._tick_due, time.monotonic() + timeout_s)
        left = self._tick_due - time.monotonic()
        if left <= 0:
            self._tick_due = time.monotonic() + TICK_S
            self._queue.put(Tick())
            return self._queue.get()
        try:
            return self._queue.get(timeout=left)
        except queue.Empty:
            return self.get()


class Master:
    """Brings the application from its start to its outcome; slots that it stops have the plan's `grace_s` to end by themselves."""

    def __init__(
        self,
        state: ClusterState,
        lock: threading.Lock,
        events: EventQueue,
        store: Store,
        containers: Containers,
        main: JobMain,
        log: EventLog,
        history: History = NO_HISTORY,
    ) -> None:
        self._state, self._lock, self._events = state, lock, events
        self._store, self._containers, self._main = store, containers, main
        self._log, self._history = log, history

    def run(self, rest: RestServer) -> Outcome:
        """Runs until the end; returns how it ended. Containers are gone and YARN knows when this returns."""
        self._log.begin(time.time())
        rest.start()
        changes = self._store.watch("")
        self._store.put(keys.READY, b"1")
        self._in_thread("store", lambda: self._watch_store(changes))
        self._in_thread("containers", self._watch_containers)
        self._containers.start()
        self._containers.publish(rest.url)
        finish = self._until_finished()
        outcome = finish.outcome
        logger.info("Finished: %s", outcome.to_diagnostics())
        self._tell(keys.ENDING, Ending(self._longest_end_s()))
        self._history.end(outcome)
        self._main.stop()
        if outcome.status != SUCCEEDED:
            self._stop_slots()
        rest.wait_for_followers(FOLLOWER_GRACE_S)
        self._history.wait()
        self._containers.finish(outcome, retriable=finish.retriable)
        return outcome

    def _until_finished(self) -> Finish:
        while True:
            event = self._events.get()
            with self._lock:
                actions = self._state.handle(event, time.monotonic())
                recorded = self._log.note(event, actions, time.time())
            self._history.note(event, recorded=recorded)
            for action in actions:
                if isinstance(action, Finish):
                    return action
                self._act(action)

    def _stop_slots(self) -> None:
        """Has the TaskManagers end what still runs, with their grace period: YARN gives a container that it ends a quarter of a second."""
        with self._lock:
            running, deployment = self._state.last_words()
        if not running:
            return
        deadline = time.monotonic() + self._state.plan.grace_s + ON_THE_WAY_S
        if not self._tell(keys.JOB, deployment):
            return
        while running and (left := deadline - time.monotonic()) > 0:
            event = self._events.get(left)
            if isinstance(event, SlotEnded):
                running.discard(event.result.slot_id)
            elif isinstance(event, MasterLost):
                return

    def _longest_end_s(self) -> float:
        graces = 2 if self._state.plan.job_kind == "main" else 1
        return graces * self._state.plan.grace_s + ON_THE_WAY_S + FOLLOWER_GRACE_S + END_S

    def _tell(self, key: str, record: Ending | JobDeployment) -> bool:
        """Returns whether the store still takes what is said at the end."""
        try:
            self._store.put(key, to_bytes(record))
        except StoreClosedError as error:
            logger.warning("Nobody is told of the end: %s", error)
            return False
        return True

    def _act(self, action: Action) -> None:
        if isinstance(action, StartMain):
            self._main.start()
        elif isinstance(action, Deploy):
            self._store.put(keys.JOB, to_bytes(action.deployment))
        elif isinstance(action, RequestContainer):
            self._containers.request(action.task_manager_id, action.group)
        elif isinstance(action, StopContainer):
            self._stop(action.container_id)
        elif isinstance(action, Exclude):
            self._containers.exclude(action.nodes)
        elif isinstance(action, ExcludeDevices):
            self._store.put(keys.EXCLUDED_DEVICES, to_bytes(DeviceExclusions(action.devices)))

    def _stop(self, container_id: str) -> None:
        """Counts as its end: that YARN may never tell of it is no reason to wait for its replacement for ever."""
        task_manager_id = self._containers.stop(container_id)
        if task_manager_id is not None:
            self._events.put(Completed(container_id, task_manager_id, KILLED_BY_MASTER, "Stopped by the application master"))

    def _watch_store(self, changes: Iterator[Change]) -> None:
        messages = Messages()
        try:
            for change in changes:
                if event := messages.event_of(change):
                    self._events.put(event)
        except StoreClosedError as error:
            self._events.put(Interrupted(f"skein's application master has ended, and YARN knows why: {error}"))

    def _watch_containers(self) -> None:
        for event in self._containers.events():
            self._events.put(event)

    def _in_thread(self, name: str, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:
                logger.exception("Thread %s broke", name)
                self._events.put(MasterLost(f"The application master broke while it watched its {name}: {error!r}"))

        threading.Thread(target=run, name=name, daemon=True).start()


def broken(error: BaseException) -> Outcome:
    """Returns the outcome of an application whose master itself failed."""
    return Outcome(
        FAILED, 1, f"The application master failed: {error!r}\nThis is a fault of Treadle's; application.driver.log has the traceback."
    )

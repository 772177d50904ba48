"""`python -m benchmarks.replacements`: the application master's memory over 10,000 lost and replaced TaskManagers.

The real loop, state, policy and REST server over the store of local mode. Containers are the only thing made up: each one asked for is
granted, registers, gives two signs of life and is lost, at once.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from benchmarks.figures import table
from benchmarks.proc import cost
from benchmarks.simulated import heartbeat, registration
from conf.configuration import load
from protocol import keys
from protocol.launch import Job
from protocol.memory_store import MemoryStore
from protocol.outcome import Outcome
from protocol.user_code import UserCode
from protocol.wire import to_bytes
from yarn_am.about import About
from yarn_am.cluster_state import ClusterState
from yarn_am.event_log import EventLog
from yarn_am.events import Completed, Granted, Interrupted
from yarn_am.job_main import JobMain, MainContext
from yarn_am.master import EventQueue, Master
from yarn_am.plan import GroupPlan, Plan, Restart
from yarn_am.replacement import Limits
from yarn_am.rest import RestServer

NODE_LOST = -100
"""`ContainerExitStatus.ABORTED`: does not count against the application, which goes on for ever."""

TASK_MANAGERS = 8


class MortalContainers:
    """See `yarn_am.containers.Containers`: every container dies young, until so many have been replaced."""

    def __init__(self, store: MemoryStore, events: EventQueue, replacements: int, at_each: int) -> None:
        self._store, self._master, self._left, self._at_each = store, events, replacements, at_each
        self._queue: queue.SimpleQueue[Granted | Completed | None] = queue.SimpleQueue()
        self._last = TASK_MANAGERS - 1
        self.memory: list[tuple[int, float]] = []

    def start(self) -> None:
        """Has the first ones come up, and lets one of them die."""
        for number in range(TASK_MANAGERS):
            self._come_up(number)
        self._die(0)

    def events(self) -> Iterator[Granted | Completed]:
        """Yields grants and losses."""
        while (event := self._queue.get()) is not None:
            yield event

    def request(self, task_manager_id: str, _group: str) -> None:
        """Has the next one come up, and the oldest one die."""
        self._last = int(task_manager_id.rpartition("-")[2])
        done = self._last - TASK_MANAGERS + 1
        if done % self._at_each == 0:
            gc.collect()
            self.memory.append((done, cost(os.getpid()).memory_mb))
        self._come_up(self._last)
        if done < self._left:
            self._die(done)
        else:
            self._master.put(Interrupted("all have been replaced"))

    def stop(self, container_id: str) -> None:
        """Nothing runs in a container."""

    def exclude(self, hosts: Collection[str]) -> None:
        """There is one node only."""

    def publish(self, url: str) -> None:
        """Nobody looks."""

    def finish(self, outcome: Outcome, *, retriable: bool = False) -> None:
        """Ends `events`."""
        self._queue.put(None)

    def _come_up(self, number: int) -> None:
        one = registration(number, _container(number))
        self._queue.put(Granted(one.container_id, "127.0.0.11:1", {}, "127.0.0.11:2"))
        self._store.put(keys.registration(one.task_manager_id), to_bytes(one), owned=True, owner=one.container_id)
        for beat in (1, 2):
            self._store.put(keys.heartbeat(one.task_manager_id), to_bytes(heartbeat(one, beat)), owned=True, owner=one.container_id)

    def _die(self, number: int) -> None:
        self._store.disown(_container(number))
        self._queue.put(Completed(_container(number), f"tm-{number}", NODE_LOST, "simulated"))


def _container(number: int) -> str:
    return f"container_simulated_{number:06d}"


def measure(replacements: int, at_each: int) -> tuple[list[tuple[int, float]], float]:
    """Returns how many had been replaced and the memory in MiB then, again and again; and the seconds that it took."""
    configuration = load(overrides=[("treadle.taskmanagers", str(TASK_MANAGERS), "benchmark")])
    limits = Limits(failures=0, failure_rate=1e9, retry_interval_s=0, node_failures=10**9, exclusion_s=0)
    group = GroupPlan("tm", TASK_MANAGERS, 1, {})
    plan = Plan("sleep", "command", ("sleep", "1"), (group,), TASK_MANAGERS, 300, 300, limits, Restart(1, 0), 0, one_node=False)
    events, lock, store = EventQueue(), threading.Lock(), MemoryStore()
    state = ClusterState(plan, time.monotonic())
    containers = MortalContainers(store, events, replacements, at_each)
    context = MainContext(Path.cwd(), Path(os.devnull), "127.0.0.1", TASK_MANAGERS, ("tm",), "application_0_0", 1, 1)
    main = JobMain(Job("command", ("sleep", "1")), UserCode(sys.executable), context, events.put, grace_s=1.0)
    begin = time.monotonic()
    log = EventLog(state, 1)
    server = RestServer(state, lock, configuration.settings(), About("application_0_0"), log)
    Master(state, lock, events, store, containers, main, log).run(server)
    return containers.memory, time.monotonic() - begin


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replacements", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, metavar="N", help="how many are replaced (default: %(default)s)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    memory, seconds = measure(options.count, max(1, options.count // 10))
    print(table(["replaced", "MiB"], [[f"{count:,}", f"{megabytes:.1f}"] for count, megabytes in memory]))
    print(f"\n{options.count / seconds:,.0f} replacements a second")


if __name__ == "__main__":
    main()

"""What may happen to a cluster, one function each: chooses a victim among those that there are, strikes, and says how it passes."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass

from chaos.arena import Arena
from minicluster.errors import ClusterError

SPARED_NODES = 2
"""So many NodeManagers are always left alone, for the job to go on with."""


@dataclass(frozen=True)
class Blow:
    """What was struck, and what ends it after the strike's time; None for what does not pass."""

    victim: str
    end: Callable[[], None] | None = None
    daemon: str = ""


Fault = Callable[[Arena, random.Random], "Blow | None"]
"""Returns None when there was nothing to strike."""


def kill_slot(arena: Arena, dice: random.Random) -> Blow | None:
    """A slot's process dies."""
    return _signal(arena, dice, "slot", signal.SIGKILL)


def kill_task_manager(arena: Arena, dice: random.Random) -> Blow | None:
    """A TaskManager dies, and with it its container."""
    return _signal(arena, dice, "TaskManager", signal.SIGKILL)


def kill_master(arena: Arena, dice: random.Random) -> Blow | None:
    """Our program in the AM's container dies."""
    return _signal(arena, dice, "master", signal.SIGKILL)


def kill_am(arena: Arena, dice: random.Random) -> Blow | None:
    """The AM's JVM dies, and with it its container and the store."""
    return _signal(arena, dice, "AM", signal.SIGKILL)


def pause_slot(arena: Arena, dice: random.Random) -> Blow | None:
    """A slot's process stands still, and goes on."""
    return _pause(arena, dice, "slot")


def pause_task_manager(arena: Arena, dice: random.Random) -> Blow | None:
    """A TaskManager stands still, and goes on."""
    return _pause(arena, dice, "TaskManager")


def pause_master(arena: Arena, dice: random.Random) -> Blow | None:
    """Our program in the AM's container stands still, and goes on."""
    return _pause(arena, dice, "master")


def pause_am(arena: Arena, dice: random.Random) -> Blow | None:
    """The AM's JVM stands still, and with it the store and what YARN hears of the application; and goes on."""
    return _pause(arena, dice, "AM")


def crash_node(arena: Arena, dice: random.Random) -> Blow | None:
    """A NodeManager is killed, its containers run on; another one is started in its place."""
    return _daemon(arena, _node(arena, dice), arena.cluster.kill_node, arena.cluster.start)


def stop_node(arena: Arena, dice: random.Random) -> Blow | None:
    """A NodeManager is taken out of service and comes back."""

    def stop(name: str) -> None:
        try:
            arena.cluster.stop_node(name)
        except ClusterError:  # it waits for a ResourceManager that is struck just now
            arena.cluster.kill_node(name)

    return _daemon(arena, _node(arena, dice), stop, arena.cluster.start)


def pause_node(arena: Arena, dice: random.Random) -> Blow | None:
    """A NodeManager stands still, and goes on."""
    return _daemon(arena, _node(arena, dice), arena.cluster.pause, arena.cluster.resume)


def restart_resourcemanager(arena: Arena, _: random.Random) -> Blow | None:
    """The ResourceManager is killed and started again."""
    return _daemon(arena, "rm", arena.cluster.kill, arena.cluster.start)


def pause_resourcemanager(arena: Arena, _: random.Random) -> Blow | None:
    """The ResourceManager stands still, and goes on."""
    return _daemon(arena, "rm", arena.cluster.pause, arena.cluster.resume)


def restart_datanode(arena: Arena, _: random.Random) -> Blow | None:
    """The DataNode is killed and started again."""
    return _daemon(arena, "dn", arena.cluster.kill, arena.cluster.start)


def pause_datanode(arena: Arena, _: random.Random) -> Blow | None:
    """The DataNode stands still, and goes on."""
    return _daemon(arena, "dn", arena.cluster.pause, arena.cluster.resume)


def pause_namenode(arena: Arena, _: random.Random) -> Blow | None:
    """The NameNode stands still, and with it all of HDFS, where the staging directory is, too; and goes on."""
    return _daemon(arena, "nn", arena.cluster.pause, arena.cluster.resume)


FAULTS: dict[str, Fault] = {
    each.__name__: each
    for each in (
        *(kill_slot, kill_task_manager, kill_master, kill_am, pause_slot, pause_task_manager, pause_master, pause_am),
        *(crash_node, stop_node, pause_node),
        *(restart_resourcemanager, pause_resourcemanager, restart_datanode, pause_datanode, pause_namenode),
    )
}

SURVIVED = ("kill_slot", "kill_task_manager", "pause_slot", "stop_node", "pause_resourcemanager")
"""Those that an application must survive whenever they strike."""


def _signal(arena: Arena, dice: random.Random, role: str, number: signal.Signals) -> Blow | None:
    there = [each for each in arena.processes() if each.role == role]
    if not there:
        return None
    victim = dice.choice(there)
    victim.process.signal(number)
    return Blow(str(victim), lambda: victim.process.signal(signal.SIGCONT))


def _pause(arena: Arena, dice: random.Random, role: str) -> Blow | None:
    return _signal(arena, dice, role, signal.SIGSTOP)


def _node(arena: Arena, dice: random.Random) -> str:
    """A NodeManager that may be struck, "" for none."""
    untouched = [node.name for node in arena.cluster.nodes if node.name not in arena.struck]
    return dice.choice(untouched) if len(untouched) > SPARED_NODES else ""


def _daemon(arena: Arena, name: str, strike: Callable[[str], None], end: Callable[[str], None]) -> Blow | None:
    with arena.lock:
        if not name or name in arena.struck:
            return None
        arena.struck.add(name)
    strike(name)

    def over() -> None:
        end(name)
        with arena.lock:
            arena.struck.remove(name)

    return Blow(name, over)

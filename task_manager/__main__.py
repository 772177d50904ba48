"""Runs in a TaskManager container, or with `--local` as a process of this machine: drivers, leases, slots, registration, service."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from conf.configuration import from_flat
from conf.settings import Settings, TaskManagerGroup
from drivers.device import DriverError
from protocol import keys
from protocol.launch import FILE, Launch
from protocol.local_store import LocalStore
from protocol.records import VERSION, Device, JobDeployment, Registration, RegistrationFailure, Slot
from protocol.skein_store import SkeinStore
from protocol.store import Store
from protocol.user_code import UserCode
from protocol.wire import from_bytes, to_bytes
from task_manager.affinity import cpus_near
from task_manager.assigned import ask
from task_manager.dealing import Hand, deal, visibility
from task_manager.device_usage import DeviceUsageWatch
from task_manager.devices import acquire
from task_manager.exclusions import excluded_devices
from task_manager.health import HealthWatch
from task_manager.heartbeat import Pulse
from task_manager.held_devices import HeldDevices
from task_manager.identity import Identity, of_container, of_process
from task_manager.leases import Leases
from task_manager.mig import check as check_mig
from task_manager.service import Service, Watches
from task_manager.slot_environment import SlotProcessSpec, sign_of_life, slot_process
from task_manager.slot_silence import SlotSilence

logger = logging.getLogger("task_manager")

READY_POLL_S = 0.05
"""Seconds between two looks whether the application master watches: a watch of ours would be what `keys.READY` warns of."""

MASTER_PORTS = 4
"""A port that an attempt used is free for another one a minute later (TIME_WAIT); so many take turns."""

INITIALISATION_FAILED = 31
"""Exit code of a TaskManager that can't register, as Flink's TaskManagerRunner."""

Held = Mapping[str, HeldDevices]
"""Resource name → its devices."""

SlotDevices = Mapping[str, Mapping[str, Hand]]
"""Slot id → resource name → the slot's devices."""


def deal_to_slots(held: Held, group: TaskManagerGroup, task_manager_id: str) -> SlotDevices:
    """Returns every slot's own devices of each resource.

    Raises:
        DriverError: when a slot would hold a MIG device in vain.
    """
    count = group.slots
    hands = {
        resource.name: deal(held[resource.name].devices, count, assignment=resource.assignment, slots_per_device=resource.slots_per_device)
        for resource in group.external_resources
        if resource.name in held
    }
    for resource in group.external_resources:
        check_mig(resource, hands.get(resource.name, ()))
    return {f"{task_manager_id}/slot-{i}": {name: hand[i] for name, hand in hands.items()} for i in range(count)}


def slots_of(dealt: SlotDevices) -> tuple[Slot, ...]:
    """Returns the slots as they are registered."""
    return tuple(
        Slot(slot_id, tuple(Device(name, d.index, d.uuid, d.properties) for name, devices in hand.items() for d in devices))
        for slot_id, hand in dealt.items()
    )


def free_ports(address: str) -> tuple[int, ...]:
    """Returns ports that are free on `address` now: the MASTER_PORT of a job's attempts, one after the other."""
    with ExitStack() as opened:
        servers = [opened.enter_context(socket.create_server((address, 0))) for _ in range(MASTER_PORTS)]
        return tuple(int(server.getsockname()[1]) for server in servers)


def registration_failure(identity: Identity, error: DriverError) -> RegistrationFailure:
    """Returns what the application master is told when the devices are not there."""
    return RegistrationFailure(
        VERSION, identity.task_manager_id, identity.container_id, identity.node, error.cause, error.remedy, error.detail[-4096:]
    )


def serve(launch: Launch, settings: Settings, identity: Identity, store: Store, leases: Leases, held: Held, dealt: SlotDevices) -> int:
    """Registers and serves; returns the exit code."""
    slots = slots_of(dealt)
    health = HealthWatch(held.values(), identity, slots, settings.health_interval_s)
    beat_s = settings.failures.heartbeat_interval_s
    pulse = Pulse(store, identity, beat_s, DeviceUsageWatch(held.values(), beat_s))
    registration = Registration(
        VERSION,
        identity.task_manager_id,
        identity.container_id,
        identity.node,
        identity.address,
        free_ports(identity.address),
        os.getpid(),
        slots,
    )

    user = UserCode(launch.python, settings.module_paths, settings.slot_variables)

    def describe(slot: Slot, deployment: JobDeployment) -> SlotProcessSpec:
        own = [device for devices in dealt[slot.id].values() for device in devices]
        cpus = cpus_near(own, os.sched_getaffinity(0), slot.id) if settings.cpu_affinity == "numa" else ()
        return slot_process(slot, slots, deployment, identity, user, os.environ, visibility(own), cpus)

    jobs = store.watch(keys.JOB)
    store.put(keys.registration(identity.task_manager_id), to_bytes(registration), owned=True)
    logger.info("Registered %s with %d slots", identity.task_manager_id, len(slots))
    silence = SlotSilence(lambda slot_id: sign_of_life(identity.directory, slot_id), settings.failures.heartbeat_timeout_s)
    watches = Watches(health, pulse, silence)
    return Service(store, jobs, slots, describe, leases.descriptors(), watches, settings.failures.termination_grace_s).run()


def open_store(address: Path | None, patience_s: float) -> Store:
    """Returns the store, once the application master watches it."""
    store = LocalStore(address) if address else SkeinStore.from_current(patience_s)
    while not store.get(keys.READY):
        time.sleep(READY_POLL_S)
    return store


def run(launch: Launch, identity: Identity, store_address: Path | None) -> int:
    """Finds the devices while the store is opened (skein's import alone takes half a second), then serves."""
    settings = from_flat(launch.configuration).settings()
    group = settings.group_of(identity.task_manager_id)
    with ThreadPoolExecutor(1) as pool, Leases(Path(settings.lease_directory), identity.container_id) as leases, ExitStack() as at_end:
        opening = pool.submit(open_store, store_address, settings.failures.heartbeat_timeout_s)
        try:
            assigned = ask(group.external_resources, os.environ)
            excluded = cache(lambda: excluded_devices(opening.result(), identity.node))
            held = acquire(group.external_resources, leases, at_end, settings.lease_timeout_s, assigned, excluded)
            dealt = deal_to_slots(held, group, identity.task_manager_id)
        except DriverError as error:
            logger.error("Could not register: %s. %s\n%s", error.cause, error.remedy, error.detail)
            opening.result().put(keys.failure(identity.task_manager_id), to_bytes(registration_failure(identity, error)))
            return INITIALISATION_FAILED
        return serve(launch, settings, identity, opening.result(), leases, held, dealt)


def main() -> int:
    """Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m task_manager", description="A TaskManager; started by the application master.")
    parser.add_argument("--launch", type=Path, default=Path(FILE), help="the file that describes the application")
    parser.add_argument("--local", type=Path, metavar="SOCKET", help="the application master's store, when both run without YARN")
    parser.add_argument("--id", help="this TaskManager's id, with --local")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    identity = of_process(arguments.id, Path.cwd()) if arguments.local else of_container(os.environ, Path.cwd())
    # `submit logs` knows a container by this line
    logger.info("TaskManager %s starts in %s on %s", identity.task_manager_id, identity.container_id, identity.node)
    return run(from_bytes(Launch, arguments.launch.read_bytes()), identity, arguments.local)


if __name__ == "__main__":
    raise SystemExit(main())

"""Runs in a TaskManager container, or with `--local` as a process of this machine: drivers, leases, slots, registration, service."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conf.configuration import from_flat
from conf.settings import Settings
from drivers.device import DriverError
from protocol import keys
from protocol.launch import FILE, Launch
from protocol.local_store import LocalStore
from protocol.records import VERSION, Device, JobDeployment, Registration, RegistrationFailure, Slot
from protocol.skein_store import SkeinStore
from protocol.store import Store
from protocol.wire import from_bytes, to_bytes
from task_manager.dealing import Hand, deal, visibility
from task_manager.devices import acquire
from task_manager.identity import Identity, of_container, of_process
from task_manager.leases import Leases
from task_manager.service import Service
from task_manager.slot_environment import SlotProcessSpec, slot_process

logger = logging.getLogger("task_manager")

READY_POLL_S = 0.05
"""Seconds between two looks whether the application master watches: a watch of ours would be what `keys.READY` warns of."""

INITIALISATION_FAILED = 31
"""Exit code of a TaskManager that can't register, as Flink's TaskManagerRunner."""

SlotDevices = Mapping[str, Mapping[str, Hand]]
"""Slot id → resource name → the slot's devices."""


def deal_to_slots(found: Mapping[str, Hand], settings: Settings, task_manager_id: str) -> SlotDevices:
    """Returns every slot's own devices of each resource."""
    count = settings.task_manager.slots
    hands = {
        resource.name: deal(found[resource.name], count, assignment=resource.assignment, slots_per_device=resource.slots_per_device)
        for resource in settings.external_resources
        if resource.name in found
    }
    return {f"{task_manager_id}/slot-{i}": {name: hand[i] for name, hand in hands.items()} for i in range(count)}


def slots_of(dealt: SlotDevices) -> tuple[Slot, ...]:
    """Returns the slots as they are registered."""
    return tuple(
        Slot(slot_id, tuple(Device(name, d.index, d.uuid, d.properties) for name, devices in hand.items() for d in devices))
        for slot_id, hand in dealt.items()
    )


def free_port(address: str) -> int:
    """Returns a port that is free on `address` now: a job's MASTER_PORT."""
    with socket.create_server((address, 0)) as server:
        return int(server.getsockname()[1])


def registration_failure(identity: Identity, error: DriverError) -> RegistrationFailure:
    """Returns what the application master is told when the devices are not there."""
    return RegistrationFailure(
        VERSION, identity.task_manager_id, identity.container_id, identity.node, error.cause, error.remedy, error.detail[-4096:]
    )


def serve(launch: Launch, settings: Settings, identity: Identity, store: Store, leases: Leases, dealt: SlotDevices) -> int:
    """Registers and serves; returns the exit code."""
    slots = slots_of(dealt)
    registration = Registration(
        VERSION,
        identity.task_manager_id,
        identity.container_id,
        identity.node,
        identity.address,
        free_port(identity.address),
        os.getpid(),
        slots,
    )

    def describe(slot: Slot, deployment: JobDeployment) -> SlotProcessSpec:
        own = [device for devices in dealt[slot.id].values() for device in devices]
        return slot_process(slot, slots, deployment, identity, launch.python, os.environ, visibility(own))

    jobs = store.watch(keys.JOB)
    store.put(keys.registration(identity.task_manager_id), to_bytes(registration), owned=True)
    logger.info("Registered %s with %d slots", identity.task_manager_id, len(slots))
    return Service(store, jobs, slots, describe, leases.descriptors()).run()


def open_store(address: Path | None) -> Store:
    """Returns the store, once the application master watches it."""
    store = LocalStore(address) if address else SkeinStore.from_current()
    while not store.get(keys.READY):
        time.sleep(READY_POLL_S)
    return store


def run(launch: Launch, identity: Identity, store_address: Path | None) -> int:
    """Finds the devices while the store is opened (skein's import alone takes half a second), then serves."""
    settings = from_flat(launch.configuration).settings()
    with ThreadPoolExecutor(1) as pool, Leases(Path(settings.lease_directory), identity.container_id) as leases:
        opening = pool.submit(open_store, store_address)
        try:
            dealt = deal_to_slots(acquire(settings.external_resources, leases), settings, identity.task_manager_id)
        except DriverError as error:
            logger.error("Could not register: %s. %s\n%s", error.cause, error.remedy, error.detail)
            opening.result().put(keys.failure(identity.task_manager_id), to_bytes(registration_failure(identity, error)))
            return INITIALISATION_FAILED
        return serve(launch, settings, identity, opening.result(), leases, dealt)


def main() -> int:
    """Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m task_manager", description="A TaskManager; started by the application master.")
    parser.add_argument("--launch", type=Path, default=Path(FILE), help="the file that describes the application")
    parser.add_argument("--local", type=Path, metavar="SOCKET", help="the application master's store, when both run without YARN")
    parser.add_argument("--id", help="this TaskManager's id, with --local")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    identity = of_process(arguments.id, Path.cwd()) if arguments.local else of_container(os.environ, Path.cwd())
    return run(from_bytes(Launch, arguments.launch.read_bytes()), identity, arguments.local)


if __name__ == "__main__":
    raise SystemExit(main())

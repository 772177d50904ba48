"""What a slot's process is told: its command, its environment, its runtime context. Pure; docs/architecture.md has the table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.launch import CERTIFICATE, KEY
from protocol.records import JobDeployment, Slot
from protocol.user_code import UserCode
from task_manager.identity import Identity


@dataclass(frozen=True)
class SlotProcessSpec:
    """A slot's process before it is started: `context` is the runtime context, written to `context_file`; `cpus` it is bound to, if any."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    context: Mapping[str, Any]
    context_file: Path
    log_file: Path
    cpus: tuple[int, ...] = ()


def sign_of_life(directory: Path, slot_id: str) -> Path:
    """Returns the file that a slot's process touches to say that it gets on."""
    return directory / f"slot-{slot_id.rpartition('-')[2]}.alive"


def slot_process(
    slot: Slot,
    siblings: tuple[Slot, ...],
    deployment: JobDeployment,
    identity: Identity,
    user: UserCode,
    base: Mapping[str, str],
    visibility: Mapping[str, str],
    cpus: Collection[int] = (),
) -> SlotProcessSpec:
    """Returns what to start for `slot` of a TaskManager with the slots `siblings` (itself among them).

    `user` is what the user asked for, `base` the TaskManager's own environment, `visibility` the variables that show the slot its own
    devices and hide all others, `cpus` what it may run on (none: as the TaskManager).
    """
    number = slot.id.rpartition("-")[2]
    context_file = identity.directory / f"slot-{number}.json"
    own = {
        "TREADLE_RUNTIME_CONTEXT": str(context_file),
        "TREADLE_GROUP": identity.group,
        "TREADLE_SIGN_OF_LIFE": str(sign_of_life(identity.directory, slot.id)),
    }
    by_kind = _dask(deployment, identity) if deployment.kind == "dask" else _ranks(slot, siblings, deployment)
    return SlotProcessSpec(
        command=(user.interpreter(identity.directory), "-m", "treadle.dask_slot") if deployment.kind == "dask" else deployment.command,
        environment=user.environment(base, identity.directory) | own | by_kind | dict(visibility),
        context=_context(slot, deployment, identity),
        context_file=context_file,
        log_file=identity.logs / f"slot-{number}.log",
        cpus=tuple(sorted(cpus)),
    )


def _dask(deployment: JobDeployment, identity: Identity) -> dict[str, str]:
    return {
        "TREADLE_SCHEDULER": deployment.scheduler,
        "TREADLE_ADDRESS": identity.address,
        "TREADLE_TLS_CERTIFICATE": str(identity.directory / CERTIFICATE),
        "TREADLE_TLS_KEY": str(identity.directory / KEY),
    }


def _ranks(slot: Slot, siblings: tuple[Slot, ...], deployment: JobDeployment) -> dict[str, str]:
    """Torchrun's variables. LOCAL_RANK counts the slots that see the same devices, so that `cuda:LOCAL_RANK` is always one of the slot's.

    More slots than devices begin again at 0; slots without any all see the same: none.
    """
    peers = [sibling.id for sibling in siblings if sibling.devices == slot.devices]
    number = peers.index(slot.id)
    return {
        "RANK": str(deployment.ranks[slot.id]),
        "WORLD_SIZE": str(len(deployment.ranks)),
        "LOCAL_RANK": str(number % len(slot.devices) if slot.devices else number),
        "LOCAL_WORLD_SIZE": str(len(peers)),
        "MASTER_ADDR": deployment.master_address,
        "MASTER_PORT": str(deployment.master_port),
    }


def _context(slot: Slot, deployment: JobDeployment, identity: Identity) -> dict[str, Any]:
    resources: dict[str, list[dict[str, str]]] = {}
    for device in slot.devices:
        resources.setdefault(device.resource, []).append({**device.properties, "index": device.index, "uuid": device.uuid})
    return {
        "task_name": deployment.name,
        "subtask_index": deployment.ranks[slot.id],
        "parallelism": len(deployment.ranks),
        "slot": slot.id,
        "task_manager": identity.task_manager_id,
        "group": identity.group,
        "node": identity.node,
        "external_resources": resources,
    }

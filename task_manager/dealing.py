"""Which slot gets which devices, and what a slot's process must be told to see just these. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from drivers.device import FoundDevice
from task_manager.closeness import is_mig, split

Hand = tuple[FoundDevice, ...]
"""The devices of one slot."""

CUDA, NVIDIA = "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"

BASE = {CUDA: "", NVIDIA: "void", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
"""What every slot is told: without devices it sees no GPU, not every one of the node; and an index means what nvidia-smi means by it.

NVIDIA's container runtime, and tools made for it, read a variable of their own, where `void` means none.
"""


def deal(devices: Sequence[FoundDevice], slots: int, *, assignment: str = "slot", slots_per_device: int = 1) -> tuple[Hand, ...]:
    """Returns the devices of each slot: near ones together (`task_manager.closeness`), else neighbours in the order of the devices.

    Assignment "slot": every slot gets the same number; what is left over goes to the first slots, one each. With fewer devices than slots
    the last slots have none: a device is one slot's alone, or that of up to `slots_per_device` neighbours. Assignment "task-manager": every
    slot has all.
    """
    if assignment == "task-manager":
        return (tuple(devices),) * slots
    ordered = [device for hand in split(devices, _even(len(devices), slots)) for device in hand]
    shares = [device for device in ordered for _ in range(slots_per_device)]
    ends = list(accumulate(_even(len(shares), slots)))
    return tuple(_once(shares[start:end]) for start, end in zip([0, *ends], ends, strict=False))


def _even(count: int, slots: int) -> list[int]:
    share, more = divmod(count, slots)
    return [share + (i < more) for i in range(slots)]


def _once(shares: Sequence[FoundDevice]) -> Hand:
    return tuple({device.uuid: device for device in shares}.values())


def lost_beside_mig(hands: Sequence[Hand]) -> Hand:
    """Returns the devices of the first slot that has another one beside a MIG device, which CUDA can't use; else nothing.

    "CUDA can only enumerate a single compute instance" (NVIDIA's MIG user guide, section CUDA visibility): the first that is visible.
    """
    return next((hand for hand in hands if len(hand) > 1 and any(map(is_mig, hand))), ())


def visibility(devices: Sequence[FoundDevice]) -> dict[str, str]:
    """Returns the environment that makes just these devices visible: each variable's values joined by commas, as CUDA wants them.

    NVIDIA's container runtime is told the same as CUDA, whose names for devices it understands.
    """
    values: dict[str, list[str]] = {}
    for device in devices:
        for variable, value in device.visibility.items():
            values.setdefault(variable, []).append(value)
    if CUDA in values:
        values.setdefault(NVIDIA, values[CUDA])
    return BASE | {variable: ",".join(own) for variable, own in values.items()}

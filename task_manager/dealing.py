"""Which slot gets which devices, and what a slot's process must be told to see just these. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.device import FoundDevice

Hand = tuple[FoundDevice, ...]
"""The devices of one slot."""

BASE = {"CUDA_VISIBLE_DEVICES": "", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
"""What every slot is told: without devices it sees no GPU, not every one of the node; and an index means what nvidia-smi means by it."""


def deal(devices: Sequence[FoundDevice], slots: int, *, assignment: str = "slot", slots_per_device: int = 1) -> tuple[Hand, ...]:
    """Returns the devices of each slot, neighbours together, in the order of the devices.

    Assignment "slot": every slot gets the same number; what is left over goes to the first slots, one each. With fewer devices than slots
    the last slots have none: a device is one slot's alone, or that of `slots_per_device` neighbours. Assignment "task-manager": every slot
    has all.
    """
    if assignment == "task-manager":
        return (tuple(devices),) * slots
    shares = [device for device in devices for _ in range(slots_per_device)]
    share, more = divmod(len(shares), slots)
    ends = [share * (i + 1) + min(i + 1, more) for i in range(slots)]
    return tuple(_once(shares[start:end]) for start, end in zip([0, *ends], ends, strict=False))


def _once(shares: Sequence[FoundDevice]) -> Hand:
    return tuple({device.uuid: device for device in shares}.values())


def visibility(devices: Sequence[FoundDevice]) -> dict[str, str]:
    """Returns the environment that makes just these devices visible: each variable's values joined by commas, as CUDA wants them."""
    values: dict[str, list[str]] = {}
    for device in devices:
        for variable, value in device.visibility.items():
            values.setdefault(variable, []).append(value)
    return BASE | {variable: ",".join(own) for variable, own in values.items()}

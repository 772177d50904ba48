"""What a `map_batches` did, in numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from treadle.runtime_context import RuntimeContext


@dataclass(frozen=True)
class FragmentResult:
    """One fragment, mapped.

    `seconds` is the time the slot was busy with it, `seconds_to_first_batch` the part of that before its first batch was mapped; None for a
    fragment without rows.
    """

    path: str
    rows: int
    seconds: float
    seconds_to_first_batch: float | None
    context: RuntimeContext


@dataclass(frozen=True)
class DeviceReport:
    """A device that a slot had; `uuid` and `index` are empty where its driver gives none."""

    resource: str
    index: str
    uuid: str


@dataclass(frozen=True)
class SlotReport:
    """What one slot did: input fragments and rows, and the seconds that it was busy with them."""

    slot: str
    task_manager: str
    node: str
    devices: tuple[DeviceReport, ...]
    fragments: int
    rows: int
    seconds_busy: float


@dataclass(frozen=True)
class MapReport:
    """What a `map_batches` did: input fragments and rows, wall-clock seconds, and each slot's share (slots that got any).

    `resumed` of the fragments were done by an earlier attempt of the application.
    """

    name: str
    output: str
    fragments: int
    resumed: int
    rows: int
    seconds: float
    seconds_to_first_batch: float | None
    slots: tuple[SlotReport, ...]

    def to_plain(self) -> dict[str, object]:
        """Returns the report as dictionaries, lists, numbers and texts, ready for JSON."""
        return dataclasses.asdict(self)


def slot_reports(results: Iterable[FragmentResult]) -> tuple[SlotReport, ...]:
    """Returns one report per slot, in the order of TaskManager and slot."""
    by_slot: dict[tuple[str, str], list[FragmentResult]] = {}
    for result in results:
        by_slot.setdefault((result.context.task_manager, result.context.slot), []).append(result)
    return tuple(_slot_report(by_slot[key]) for key in sorted(by_slot))


def _slot_report(results: list[FragmentResult]) -> SlotReport:
    context = results[0].context
    return SlotReport(
        slot=context.slot,
        task_manager=context.task_manager,
        node=context.node,
        devices=_devices(context),
        fragments=len(results),
        rows=sum(result.rows for result in results),
        seconds_busy=sum(result.seconds for result in results),
    )


def _devices(context: RuntimeContext) -> tuple[DeviceReport, ...]:
    devices = [
        DeviceReport(name, info.get_property("index") or "", info.get_property("uuid") or "")
        for name, infos in context.external_resources.items()
        for info in infos
    ]
    return tuple(sorted(devices, key=dataclasses.astuple))

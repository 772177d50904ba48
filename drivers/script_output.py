"""What a discovery script prints, read: Flink's one line of indices, and the lines of properties that a script for Treadle may add."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivers.device import DriverError, FoundDevice

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScriptOutput:
    """The indices that a script printed, and the properties that it told of some of them."""

    indices: tuple[str, ...]
    properties: Mapping[str, Mapping[str, str]]

    @classmethod
    def parse(cls, text: str) -> ScriptOutput:
        """Reads a script's standard output.

        The first line counts: it is split at commas, blank pieces are skipped, doubled ones collapse (Flink's `GPUDriver`). Each further
        line may be `<index>: uuid=…;name=…;<key>=<value>`; others are warned of and ignored, as all of them are by Flink.
        """
        first, *further = text.split("\n")
        indices = tuple(dict.fromkeys(piece.strip() for piece in first.split(",") if piece.strip()))
        properties: dict[str, dict[str, str]] = {}
        ignored = []
        for line in filter(str.strip, further):
            index, told = _property_line(line.strip())
            if told and index in indices:
                properties[index] = told
            else:
                ignored.append(line)
        if ignored:
            logger.warning("Only the first line of a discovery script counts; ignored %d more: %.200s …", len(ignored), ignored[0])
        return cls(indices, properties)

    def bare(self) -> tuple[str, ...]:
        """Returns the indices that are numbers and nothing was told of whose UUID."""
        return tuple(index for index in self.indices if index.isdecimal() and not self.properties.get(index, {}).get("uuid"))

    def with_uuids(self, uuids: Mapping[str, str]) -> ScriptOutput:
        """Returns the same, with the UUIDs (by index) of those that are bare."""
        told = {index: {**self.properties.get(index, {}), "uuid": uuids[index]} for index in self.bare() if index in uuids}
        return ScriptOutput(self.indices, {**self.properties, **told})

    def devices(self, visibility_variable: str | None) -> list[FoundDevice]:
        """Returns the devices; one whose UUID was not told has its index for it.

        Args:
            visibility_variable: what makes a device visible to a process, set to its UUID (or index); None for nothing.

        Raises:
            DriverError: when two devices were told to have the same UUID.
        """
        return _distinct([_device(index, self.properties.get(index, {}), visibility_variable) for index in self.indices])


def _property_line(line: str) -> tuple[str, dict[str, str]]:
    """Returns the index and what is told of it, which is empty when the line is something else."""
    # an index may hold colons (a PCI address), but no blank
    index, _, fields = line.partition(": ")
    pairs = [field.partition("=") for field in fields.split(";") if field.strip()]
    told = {key.strip(): value.strip() for key, _, value in pairs}
    understood = all(separator and key.strip() for key, separator, _ in pairs) and "index" not in told
    return index, told if understood else {}


def _device(index: str, told: Mapping[str, str], visibility_variable: str | None) -> FoundDevice:
    uuid = told.get("uuid") or index
    properties = {key: value for key, value in told.items() if key != "uuid"}
    return FoundDevice(index, uuid, properties, {visibility_variable: uuid} if visibility_variable else {})


def _distinct(devices: Sequence[FoundDevice]) -> list[FoundDevice]:
    by_uuid: dict[str, FoundDevice] = {}
    for device in devices:
        other = by_uuid.setdefault(device.uuid, device)
        if other is not device:
            raise DriverError(
                f"the discovery script says that {other.index} and {device.index} have the same uuid, {device.uuid}",
                "Mend the script: each device needs a uuid of its own.",
            )
    return list(by_uuid.values())

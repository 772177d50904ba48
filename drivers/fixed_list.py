"""The driver `list`: the devices are those that the configuration names, the same on every node."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from drivers.device import DriverError, FoundDevice

ADDRESSES = "addresses"
VISIBILITY = "visibility-variable"
_SEPARATOR = re.compile("[;,]")
_AROUND = " \t\n'\""


class ListDriver:
    """Answers with fixed addresses: for devices that no tool lists, such as RDMA ports or licences.

    Args:
        params: `addresses` (`mlx5_0;mlx5_1`, a YAML list, or with `,`), each address being index and uuid of a device; and, if programs are
            told their devices by an environment variable, its name as `visibility-variable`.

    Raises:
        DriverError: on construction, when the addresses are missing, blank or repeated, or a parameter is unknown.
    """

    def __init__(self, params: Mapping[str, str]) -> None:
        if unknown := sorted(params.keys() - {ADDRESSES, VISIBILITY}):
            raise DriverError(f"the list driver has no parameter {', '.join(unknown)}", f"It takes {ADDRESSES} and {VISIBILITY}.")
        variable = _variable(params.get(VISIBILITY, ""))
        self._devices = tuple(_device(address, variable) for address in _addresses(params.get(ADDRESSES, "")))

    def discover(self, amount: int) -> Sequence[FoundDevice]:
        """Returns all devices of the list, in its order."""
        return self._devices


def _device(address: str, variable: str | None) -> FoundDevice:
    return FoundDevice(address, address, visibility={variable: address} if variable else {})


def _addresses(text: str) -> list[str]:
    # a YAML list in config.yaml arrives here as a flow list
    *first, last = (item.strip(_AROUND) for item in _SEPARATOR.split(text.strip().removeprefix("[").removesuffix("]")))
    addresses = [*first, last] if last else first  # as in Flink's lists, a separator at the end adds nothing
    if not addresses or not all(addresses):
        raise DriverError(
            f"the list driver's param.{ADDRESSES} {'is missing' if not addresses else 'has a blank address'}: {text!r}",
            f"Write the addresses separated by ';', such as param.{ADDRESSES}: mlx5_0;mlx5_1.",
        )
    if repeated := sorted({address for address in addresses if addresses.count(address) > 1}):
        raise DriverError(
            f"the list driver's param.{ADDRESSES} names {', '.join(repeated)} more than once: {text!r}", "Name each device once."
        )
    return addresses


def _variable(text: str) -> str | None:
    name = text.strip()
    if name and not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        raise DriverError(
            f"param.{VISIBILITY} is no name of an environment variable: {text!r}",
            "Letters, digits and '_', such as UCX_NET_DEVICES; blank for none.",
        )
    return name or None

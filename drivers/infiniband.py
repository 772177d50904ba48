"""The driver `infiniband`: ports of RDMA devices (InfiniBand, RoCE) as the kernel lists them in sysfs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from drivers.device import DriverError, FoundDevice
from drivers.listing_health import ListingHealth

ROOT = "root"
PORTS = "ports"
VISIBILITY = "visibility-variable"
_KNOWN = {ROOT, PORTS, VISIBILITY}
_AS = {"active": "an active port", "all": "a port"}
_NO_GUID = "0000:0000:0000:0000"


class InfinibandDriver:
    """Lists each port of each RDMA device, see the kernel's Documentation/ABI/stable/sysfs-class-infiniband.

    `index` is `mlx5_0`, or `mlx5_0:1` where a device has several ports; `uuid` is the node's GUID with the port.
    Properties: `device`, `port`, `state`, `rate`, `link_layer`, `numa_node`, `netdev`; what sysfs does not tell is left out.

    Args:
        params: all optional. `root`: default /sys/class/infiniband. `ports`: `active` (default) or `all`. `visibility-variable`: default
            UCX_NET_DEVICES, which takes `device:port`; blank for none.

    Raises:
        DriverError: on construction, when a parameter is unknown or malformed.
    """

    def __init__(self, params: Mapping[str, str]) -> None:
        if unknown := sorted(params.keys() - _KNOWN):
            raise DriverError(f"the infiniband driver has no parameter {', '.join(unknown)}", f"It takes {', '.join(sorted(_KNOWN))}.")
        self._root = Path(params.get(ROOT, "/sys/class/infiniband"))
        self._variable = params.get(VISIBILITY, "UCX_NET_DEVICES").strip()
        ports = params.get(PORTS, "active")
        if ports not in _AS:
            raise DriverError(f"param.{PORTS} is unknown: {ports!r}", "Write active or all.")
        if self._variable and not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", self._variable):
            raise DriverError(f"param.{VISIBILITY} is no name of an environment variable: {self._variable!r}", "Blank is for none.")
        self._all = ports == "all"
        self._health = ListingHealth(
            lambda: {port.uuid for port in self.discover(1)}, f"{self._root} does not list it as {_AS[ports]} any more"
        )

    def discover(self, amount: int) -> Sequence[FoundDevice]:
        """Returns all ports wanted, by device and port.

        Raises:
            DriverError: when sysfs lists no RDMA devices at all, or can't be read.
        """
        try:
            devices = sorted(self._root.iterdir(), key=_natural)
            return [found for device in devices for found in self._ports(device)]
        except OSError as error:
            remedy = f"Load the device's kernel module (ib_core makes the directory), or correct param.{ROOT}."
            raise DriverError(f"cannot read {error.filename}: {error.strerror}", remedy) from error

    def health(self, device_uuid: str) -> str | None:
        """Returns None for a port that is listed as `discover` lists them (active, unless `ports` is `all`), or once is not.

        A link that comes back between two looks is none that was lost.

        Raises:
            DriverError: as `discover`.
        """
        return self._health.of(device_uuid)

    def _ports(self, device: Path) -> list[FoundDevice]:
        ports = sorted((device / "ports").iterdir(), key=_natural)
        active = [port for port in ports if self._all or _state(port) == "ACTIVE"]
        return [self._found(device, port, device.name if len(ports) == 1 else f"{device.name}:{port.name}") for port in active]

    def _found(self, device: Path, port: Path, index: str) -> FoundDevice:
        address = f"{device.name}:{port.name}"
        guid = _read(device / "node_guid")
        numa_node = _read(device / "device/numa_node")
        known = {
            "device": device.name,
            "port": port.name,
            "state": _state(port),
            "rate": _read(port / "rate"),
            "link_layer": _read(port / "link_layer"),
            "numa_node": "" if numa_node == "-1" else numa_node,
            "netdev": _read(port / "gid_attrs/ndevs/0"),
        }
        uuid = f"{guid}:{port.name}" if guid not in {"", _NO_GUID} else address
        properties = {key: value for key, value in known.items() if value}
        return FoundDevice(index, uuid, properties, {self._variable: address} if self._variable else {})


def _natural(path: Path) -> list[tuple[int, str]]:
    """mlx5_2 comes before mlx5_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split("([0-9]+)", path.name)]


def _state(port: Path) -> str:
    return _read(port / "state").rpartition(":")[2].strip()  # "4: ACTIVE"


def _read(path: Path) -> str:
    """Blank when the file is missing or, as with a port's `ndevs` without a network device, can't be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""

"""The overlay jar as it is shipped: the compiled classes, the cluster's own configuration with our keys, and the resource types.

Skein's application master has it on its class path ahead of the node's configuration directory, so that this `yarn-site.xml` is read
by that one JVM, in place of the node's; TaskManagers, and what they run, never see it.
"""

from __future__ import annotations

import importlib.resources
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from client.errors import ENVIRONMENT, ClientError
from client.hadoop.configuration import RESOURCE_TYPES, YARN_SITE, HadoopConfiguration, split
from client.hadoop.xml import Property, render
from protocol.launch import EXCLUDED_NODES_FILE, FINAL_STATUS_FILE, TAP_FILE

JAR = "treadle-yarn-overlay.jar"

_RPC_CLASS = "yarn.ipc.rpc.class"
_HADOOPS_RPC = "org.apache.hadoop.yarn.ipc.HadoopYarnProtoRPC"
_TYPES = "yarn.resource-types"


def write_overlay(target: Path, hadoop: HadoopConfiguration, services: Mapping[str, Mapping[str, int]], heartbeat_ms: int) -> None:
    """Writes the jar.

    Args:
        target: the file to write.
        hadoop: the cluster's own configuration.
        services: skein's name of each service that carries a marker → resource type beyond memory and vcores → amount.
        heartbeat_ms: how often the application master asks the ResourceManager, in milliseconds; more than 5000 is 5000 (skein's cap).

    Raises:
        ClientError: when Treadle was installed without the compiled classes.
        OSError: when the file can't be written.
    """
    built = importlib.resources.files("yarn_overlay") / JAR
    if not built.is_file():
        raise ClientError(f"{built} was not built", "run `make` in Treadle's source directory (it needs a JDK and Maven)", ENVIRONMENT)
    with built.open("rb") as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as jar:
        jar.writestr(YARN_SITE, render(yarn_site(hadoop, services, heartbeat_ms)))
        jar.writestr(RESOURCE_TYPES, render(resource_types(hadoop, services)))


def yarn_site(hadoop: HadoopConfiguration, services: Mapping[str, Mapping[str, int]], heartbeat_ms: int) -> list[Property]:
    """Returns the cluster's properties, their `${…}` left for the node to expand, with ours in place of any of the same name."""
    ours = {
        _RPC_CLASS: "treadle.overlay.OverlayRpc",
        "treadle.overlay.rpc-class": hadoop.get(_RPC_CLASS, _HADOOPS_RPC),
        "treadle.overlay.tap-file": TAP_FILE,
        "treadle.overlay.excluded-nodes-file": EXCLUDED_NODES_FILE,
        "treadle.overlay.final-status-file": FINAL_STATUS_FILE,
        # skein asks twice in this time
        "yarn.am.liveness-monitor.expiry-interval-ms": str(2 * heartbeat_ms),
        # Hadoop reads an empty value as none at all
        **{f"treadle.overlay.resources.{service}": _amounts(resources) for service, resources in services.items() if resources},
    }
    # a final list of types here would beat the one in resource-types.xml, which is read later
    return _with(hadoop.files[YARN_SITE], ours, without=_TYPES)


def resource_types(hadoop: HadoopConfiguration, services: Mapping[str, Mapping[str, int]]) -> list[Property]:
    """Returns the cluster's types with their units and limits, and those asked for that this machine's configuration doesn't name."""
    asked = [name for resources in services.values() for name in resources]
    types = dict.fromkeys([*split(hadoop.get(_TYPES, "")), *asked])
    return _with(hadoop.files.get(RESOURCE_TYPES, ()), {_TYPES: ",".join(types)})


def _with(properties: Iterable[Property], ours: Mapping[str, str], without: str = "") -> list[Property]:
    """Theirs of the same name go: a final one would win over ours."""
    theirs = [item for item in properties if item.name not in ours and item.name != without]
    return [*theirs, *(Property(name, value) for name, value in ours.items())]


def _amounts(resources: Mapping[str, int]) -> str:
    return ",".join(f"{name}={amount}" for name, amount in resources.items())

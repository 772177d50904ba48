"""Whether HDFS and YARN serve: asked of NameNode and ResourceManager over HTTP, as any client would see it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from minicluster.layout import Node

_TIMEOUT_S = 5.0
# loopback addresses only: a proxy named in the environment must not be asked for them
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class RunningNode:
    """A NodeManager as the ResourceManager shows it: host, web address `host:port`, total of each resource type."""

    host: str
    http: str
    totals: Mapping[str, int]


def hdfs_is_ready(namenode_http: int) -> bool:
    """The NameNode is out of safe mode and has its DataNode."""
    answer = _get(f"http://127.0.0.1:{namenode_http}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState")
    state = (answer or {}).get("beans") or [{}]
    return bool(state[0].get("FSState") == "Operational" and state[0].get("NumLiveDataNodes", 0) >= 1)


def datanodes(namenode_http: int) -> frozenset[str]:
    """The addresses of the DataNodes that the NameNode takes for alive; one that has ended is among them for ten minutes more."""
    answer = _get(f"http://127.0.0.1:{namenode_http}/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo")
    state = (answer or {}).get("beans") or [{}]
    return frozenset(node["xferaddr"] for node in json.loads(state[0].get("LiveNodes", "{}")).values())


def running_nodes(resourcemanager_url: str) -> list[RunningNode] | None:
    """The nodes that are RUNNING; None when the ResourceManager does not answer."""
    answer = _get(f"{resourcemanager_url}/ws/v1/cluster/nodes?states=RUNNING")
    if answer is None:
        return None
    nodes = (answer.get("nodes") or {}).get("node") or []
    return [shown_node(node) for node in nodes]


def shown_node(node: Mapping[str, Any]) -> RunningNode:
    """One entry of the ResourceManager's answer."""
    return RunningNode(node["nodeHostName"], node["nodeHTTPAddress"], _totals(node))


def advertises(node: Node, running: Iterable[RunningNode]) -> bool:
    """The node is among the running ones, with all that it shall have."""
    totals = next((shown.totals for shown in running if shown.host == node.address), None)
    return totals is not None and all(totals.get(name) == count for name, count in node.expected().items())


def _totals(node: Mapping[str, Any]) -> dict[str, int]:
    """Hadoop 3.1 shows no total: used and available make it. A node that its scheduler has not met yet shows neither."""
    keys = ("totalResource",) if "totalResource" in node else ("usedResource", "availableResource")
    totals: dict[str, int] = {}
    for resource in (node[key] for key in keys if key in node):
        for entry in resource["resourceInformations"]["resourceInformation"]:
            totals[entry["name"]] = totals.get(entry["name"], 0) + int(entry["value"])
    return totals


def _get(url: str) -> dict[str, Any] | None:
    try:
        with _opener.open(urllib.request.Request(url, headers={"Accept": "application/json"}), timeout=_TIMEOUT_S) as response:
            answer = json.load(response)
    except (OSError, urllib.error.URLError, json.JSONDecodeError):  # not listening yet, or a start-up page
        return None
    return answer if isinstance(answer, dict) else None

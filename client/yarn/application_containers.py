"""What YARN says of the containers of an application, as typed records; the shapes are those of `appattempts` of 3.1 to 3.5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Container:
    """A container, and the address of its NodeManager's pages, without a slash at its end."""

    id: str
    node: str


def attempts(application: str, tree: Any) -> list[str]:
    """Returns the ids of an application's attempts; 3.1 numbers them and leaves the making of ids to the reader."""
    found = _several(((tree or {}).get("appAttempts") or {}).get("appAttempt"))
    made = application.replace("application_", "appattempt_")
    return [str(attempt.get("appAttemptId") or f"{made}_{int(attempt['id']):06}") for attempt in found]


def containers(tree: Any) -> list[Container]:
    """Returns the containers behind the answer of `containers`, without any whose node is not told."""
    found = _several((tree or {}).get("container"))
    return [Container(str(item["containerId"]), _url(str(item["nodeHttpAddress"]))) for item in found if item.get("nodeHttpAddress")]


def of_master(app: Any) -> Container | None:
    """Returns the application master's container out of its log page, `http://node:port/node/containerlogs/<container>/<user>`."""
    address, page, rest = str(app.get("amContainerLogs") or "").partition("/node/containerlogs/")
    return Container(rest.partition("/")[0], _url(address)) if page else None


def _url(address: str) -> str:
    return address.rstrip("/") if "://" in address else f"http://{address}"


def _several(tree: Any) -> list[Any]:
    if not tree:
        return []
    return tree if isinstance(tree, list) else [tree]

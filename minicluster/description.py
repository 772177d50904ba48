"""What runs in a cluster's directory, kept there for those who come later: `down`, `status`, `env`."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicluster.java import Java
from minicluster.layout import Layout, Node, nodes_of
from minicluster.ports import Ports
from minicluster.spec import ClusterSpec


@dataclass(frozen=True)
class Description:
    """One start of a cluster: its identity (8 hex digits), what was asked for, what runs it and where it listens."""

    identity: str
    spec: ClusterSpec
    java: Java
    lib: Path
    ports: Ports

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The NodeManagers."""
        return nodes_of(self.spec, self.identity)

    def save(self, layout: Layout) -> None:
        """Write it into the cluster's directory."""
        layout.description.write_text(json.dumps(dataclasses.asdict(self), indent=2, default=str) + "\n", encoding="utf-8")


def load(layout: Layout) -> Description | None:
    """The description of the cluster that was started here last; None if there never was one."""
    try:
        text = layout.description.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    value: dict[str, Any] = json.loads(text)
    spec = value["spec"]
    return Description(
        identity=value["identity"],
        spec=ClusterSpec(
            hadoop=spec["hadoop"],
            gpus=tuple(spec["gpus"]),
            resources={name: tuple(counts) for name, counts in spec["resources"].items()},
            memory_mb=spec["memory_mb"],
            vcores=spec["vcores"],
        ),
        java=Java(Path(value["java"]["home"]), value["java"]["release"]),
        lib=Path(value["lib"]),
        ports=Ports(**value["ports"]),
    )

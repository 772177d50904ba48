"""Where things are in a cluster's directory, and which node lives where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conf.errors import ConfigError, Problem
from minicluster.spec import ClusterSpec

# Hadoop's lists split at commas, its class path at colons, its shell scripts at spaces
_PLAIN_PATH = re.compile(r"[\w./@+=-]+", re.ASCII)


@dataclass(frozen=True)
class Layout:
    """The paths in one cluster's directory."""

    work: Path

    @classmethod
    def of(cls, work: Path) -> Layout:
        """The layout of `work`.

        Raises:
            ConfigError: a path that Hadoop's configuration can't hold.
        """
        absolute = work.absolute()
        if not _PLAIN_PATH.fullmatch(str(absolute)):
            raise ConfigError(
                [
                    Problem(
                        "--work", f"Hadoop's lists can't hold the path {absolute}", "choose a directory of letters, digits and . _ - / only"
                    )
                ]
            )
        return cls(absolute)

    @property
    def description(self) -> Path:
        """What runs here (JSON); its presence marks a directory as a cluster's."""
        return self.work / "cluster.json"

    @property
    def conf(self) -> Path:
        """HADOOP_CONF_DIR."""
        return self.work / "conf"

    @property
    def bin(self) -> Path:
        """The shims `yarn`, `hadoop` and `hdfs`."""
        return self.work / "bin"

    @property
    def data(self) -> Path:
        """HDFS's blocks and the nodes' local directories."""
        return self.work / "data"

    @property
    def namenode_image(self) -> Path:
        """The NameNode's directory."""
        return self.data / "nn"

    @property
    def log(self) -> Path:
        """One file per daemon."""
        return self.work / "log"

    @property
    def pid(self) -> Path:
        """One file per daemon."""
        return self.work / "pid"

    def daemon_log(self, name: str) -> Path:
        """What a daemon writes to its output."""
        return self.log / f"{name}.log"

    def fake(self, node: str) -> Path:
        """The directory of a node's own `nvidia-smi`."""
        return self.work / "fake" / node

    def container_logs(self, node: str) -> Path:
        """`<application>/<container>/` of what ran on a node."""
        return self.data / node / "logs"

    def written_by_up(self) -> list[Path]:
        """All that `up` makes anew."""
        return [self.conf, self.bin, self.data, self.log, self.pid, self.work / "fake", self.description]


@dataclass(frozen=True)
class Node:
    """One NodeManager: its name (the daemon's and the log's), the address that YARN knows it by, and what it has."""

    name: str
    address: str
    gpu_uuids: tuple[str, ...]
    resources: Mapping[str, int]

    @property
    def gpus(self) -> int:
        """How many GPUs it advertises."""
        return len(self.gpu_uuids)

    def expected(self) -> dict[str, int]:
        """The counts that the ResourceManager must show for it, types with none left out."""
        counts = {"yarn.io/gpu": self.gpus, **self.resources}
        return {name: count for name, count in counts.items() if count}


def nodes_of(spec: ClusterSpec, identity: str) -> tuple[Node, ...]:
    """The nodes of a cluster; `identity` keeps the UUIDs of clusters side by side apart, since device leases are keyed by UUID."""
    nodes = []
    for number, gpus in enumerate(spec.gpus, start=1):
        name = f"nm{number}"
        uuids = tuple(f"GPU-{name}-{index:04d}-{identity}" for index in range(gpus))
        nodes.append(Node(name, f"127.0.0.{10 + number}", uuids, {kind: counts[number - 1] for kind, counts in spec.resources.items()}))
    return tuple(nodes)

"""What the contestants share: the task, the cluster that they run on, and one start of theirs, measured."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from minicluster.cluster import Cluster, running_cluster
from minicluster.spec import ClusterSpec

CONTAINERS, MEMORY_MB, GPU = 2, 1024, "yarn.io/gpu"
"""What every contestant asks for: so many containers, each with so much memory, one vcore and one GPU. Flink's need more memory."""

APPLICATION_ID = re.compile(r"application_\d+_\d+")

_POLL_S = 0.05
_PATIENCE_S = 180.0

T = TypeVar("T")


@dataclass(frozen=True)
class Start:
    """One start in seconds: `ready` until all containers were ready, `whole` until the command came back, and the stages of `ready`."""

    ready: float
    whole: float
    stages: Mapping[str, float]


@dataclass(frozen=True)
class Arena:
    """The cluster, and the environment of its clients."""

    cluster: Cluster
    environment: Mapping[str, str]

    def run(self, command: Sequence[str], log: Path) -> str:
        """Runs a client's command, its output in `log`, and returns the output; ends the benchmark when it fails."""
        with log.open("w") as file:
            done = subprocess.run(command, env=self.environment, stdout=file, stderr=subprocess.STDOUT, check=False)
        text = log.read_text(errors="replace")
        if done.returncode:
            sys.exit(f"{text[-4000:]}\n`{command[0]} …` ended with exit code {done.returncode}, log {log}")
        return text

    def resourcemanager_log(self) -> list[str]:
        """Returns the ResourceManager's log."""
        return _lines(self.cluster.layout.daemon_log("rm"))

    def nodemanager_logs(self) -> list[str]:
        """Returns the logs of all NodeManagers, one after the other."""
        return [line for node in self.cluster.nodes for line in _lines(self.cluster.layout.daemon_log(node.name))]

    def container_logs(self, application: str, name: str) -> Iterator[list[str]]:
        """Yields the files of that name in an application's log directories."""
        for node in self.cluster.nodes:
            for path in self.cluster.layout.container_logs(node.name).glob(f"{application}/*/{name}"):
                yield _lines(path)

    def wait_until_idle(self) -> None:
        """Waits until the cluster holds no container of an earlier run."""
        metrics = f"{self.cluster.resourcemanager_url}/ws/v1/cluster/metrics"
        until(lambda: get(metrics)["clusterMetrics"]["containersAllocated"] == 0, "the cluster is idle again")


@contextmanager
def opened(work: Path | None, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[tuple[Arena, Path]]:
    """Yields a cluster of two nodes with two GPUs each, its clients' environment with `settings` added, and a directory for logs.

    The cluster lies in `work`, which stays, or in a temporary directory. SIGTERM ends it as Ctrl-C does.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="treadle-benchmark-", ignore_cleanup_errors=True) as scratch:
        directory = Path(scratch)
        with running_cluster(ClusterSpec(gpus=(2, 2)), work or directory / "cluster") as cluster:
            yield Arena(cluster, {**_ours(), **settings, **cluster.environment(), "TREADLE_HOME": str(directory / "home")}), directory


def _ours() -> dict[str, str]:
    """This process's environment, with byte code written, which an installed Treadle has: the first round, uncounted, compiles."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def until(condition: Callable[[], T], what: str) -> T:
    """Returns what `condition` returns as soon as that is true; ends the benchmark when it takes more than three minutes."""
    deadline = time.monotonic() + _PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > deadline:
            sys.exit(f"waited {_PATIENCE_S:.0f} s in vain until {what}")
        time.sleep(_POLL_S)
    return value


def get(url: str) -> Any:
    """Returns the JSON behind a page of the cluster's.

    Raises:
        OSError: when nobody answers, or with another status than 200.
        ValueError: for anything but JSON.
    """
    with _opener.open(urllib.request.Request(url, headers={"Accept": "application/json"}), timeout=10) as answer:
        return json.load(answer)


# the cluster is on this machine, which a proxy of the environment's knows nothing of
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines()

"""The cluster that is struck, the job that runs on it, and what its clients are told."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import pyarrow.fs

import treadle
from chaos.container_processes import ContainerProcess, container_processes
from minicluster.cluster import Cluster, running_cluster
from minicluster.rendering import edited
from minicluster.spec import ClusterSpec

MNIST = Path(__file__).parents[2] / "examples" / "mnist"
NODES, TASK_MANAGERS = 4, 4
_OPTIONS = {
    "external-resource.gpu.driver-factory.class": "discovery-script",
    "jobmanager.memory.process.size": "768m",
    "yarn.application-attempts": "2",
    "heartbeat.interval": "1 s",
    "heartbeat.timeout": "8 s",
    "resourcemanager.taskmanager-registration.timeout": "40 s",
    "resourcemanager.start-worker.retry-interval": "1 s",
    "treadle.taskmanager.max-failures": "30",
    "treadle.node.exclusion": "30 s",
    "treadle.lease.timeout": "5 s",
}
_PATIENT = {"yarn.resourcemanager.connect.max-wait.ms": "120000"}
"""The mini cluster's 10 s are for tests without a ResourceManager; YARN's default is 15 minutes, and a restart takes longer than 10 s."""

# the cluster is on this machine, which a proxy of the environment's knows nothing of
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

T = TypeVar("T")


@dataclass(frozen=True)
class Arena:
    """`struck` are the daemons that a fault has in its hands now; change it under `lock`."""

    cluster: Cluster
    work: Path
    repeat: int
    struck: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    @property
    def leases(self) -> Path:
        """The lease directory, which is this arena's own."""
        return self.work / "leases"

    @property
    def mnist(self) -> str:
        """The URI of the prepared data."""
        return f"{self.cluster.namenode_uri}/mnist"

    def environment(self) -> Mapping[str, str]:
        """What `submit` and the preparation are told."""
        own = {"HADOOP_CONF_DIR": str(self.work / "conf"), "TREADLE_HOME": str(self.work / "home")}
        return {**os.environ, **self.cluster.environment(), **own}

    def command(self, name: str, output: str) -> list[str]:
        """Returns the `submit run` of the MNIST job."""
        options = {**_OPTIONS, "treadle.lease.directory": str(self.leases)}
        return [
            *(str(Path(sys.executable).parent / "submit"), "run", "--name", name, "--json"),
            *("--taskmanagers", str(TASK_MANAGERS), "--memory", "512m", "--resource", "gpu=1:yarn.io/gpu"),
            *(word for key, value in options.items() for word in ("-D", f"{key}={value}")),
            *self._job(output),
        ]

    def fault_free(self) -> dict[str, str]:
        """Returns the files of the output, each with its digest, as the same script writes them in one plain process."""
        output = str(self.work / "fault-free")
        subprocess.run([sys.executable, *self._job(output)], env=self.environment(), check=True, stdout=subprocess.DEVNULL)
        return _digests(output)

    def _job(self, output: str) -> list[str]:
        data = ["--input", f"{self.mnist}/test", "--model", f"{self.mnist}/model.npz"]
        return [str(MNIST / "classify.py"), *data, "--output", output, "--repeat", str(self.repeat)]

    def processes(self) -> list[ContainerProcess]:
        """All processes in containers now."""
        return container_processes(self.cluster.description.identity)

    def ask(self, path: str) -> Any:
        """Returns what the ResourceManager, or an AM behind its proxy, says; None when it doesn't."""
        try:
            with _opener.open(f"{self.cluster.resourcemanager_url}{path}", timeout=5) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def visible_files(self, uri: str) -> dict[str, str]:
        """Returns the data files and `_SUCCESS` of a directory, each with its digest; waits for an HDFS that is struck just now."""
        return patiently(lambda: _digests(uri), OSError)


@contextmanager
def opened(work: Path, repeat: int) -> Iterator[Arena]:
    """Yields a cluster of four nodes with two GPUs each, with MNIST prepared on it."""
    with running_cluster(ClusterSpec(gpus=(2,) * NODES), work / "cluster") as cluster:
        arena = Arena(cluster, work, repeat)
        (work / "conf").mkdir()
        for file in cluster.conf_dir.iterdir():
            text = file.read_text()
            (work / "conf" / file.name).write_text(edited(text, _PATIENT) if file.name == "yarn-site.xml" else text)
        for words in (("prepare.py", "--output", arena.mnist), ("train.py", "--input", arena.mnist, "--model", f"{arena.mnist}/model.npz")):
            subprocess.run([sys.executable, MNIST / words[0], *words[1:]], env=arena.environment(), check=True, stdout=subprocess.DEVNULL)
        yield arena


def patiently(work: Callable[[], T], error: type[Exception], limit_s: float = 90.0) -> T:
    """Returns what `work` returns, however often it raises `error` before that; raises it itself when the time is over."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return work()
        except error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _digests(uri: str) -> dict[str, str]:
    filesystem, path = treadle.open_filesystem(uri)
    infos = filesystem.get_file_info(pyarrow.fs.FileSelector(path, allow_not_found=True))
    shown = [info for info in infos if info.base_name == "_SUCCESS" or not info.base_name.startswith(("_", "."))]
    digests = {}
    for info in shown:
        with filesystem.open_input_file(info.path) as file:
            digests[info.base_name] = hashlib.sha256(file.read()).hexdigest()
    return digests

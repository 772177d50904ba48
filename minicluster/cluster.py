"""A running cluster as an object: where it is, what to export, how to lose a node; and the context manager that tests use."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conf.errors import ConfigError, Problem
from minicluster.daemons import MARKER, read_pids
from minicluster.description import Description, load
from minicluster.errors import ClusterError
from minicluster.layout import Layout, Node
from minicluster.processes import marked
from minicluster.readiness import RunningNode, running_nodes
from minicluster.shutdown import stop_cluster, stop_process
from minicluster.spec import ClusterSpec
from minicluster.startup import prepare, start_daemon, start_daemons
from minicluster.waiting import served_at, wait_until_back, wait_until_ready

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cluster:
    """A cluster that `up` started."""

    layout: Layout
    description: Description

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The NodeManagers, each with name, address, GPUs and counted resources."""
        return self.description.nodes

    @property
    def conf_dir(self) -> Path:
        """HADOOP_CONF_DIR."""
        return self.layout.conf

    @property
    def resourcemanager_url(self) -> str:
        """The ResourceManager's web address, `http://host:port`."""
        return f"http://127.0.0.1:{self.description.ports.web}"

    @property
    def namenode_uri(self) -> str:
        """HDFS, `hdfs://host:port`."""
        return f"hdfs://127.0.0.1:{self.description.ports.namenode}"

    def exports(self) -> dict[str, str]:
        """What a client of the cluster needs besides the shims on PATH."""
        work = str(self.layout.work)
        return {
            "JAVA_HOME": str(self.description.java.home),
            "HADOOP_HOME": work,
            "HADOOP_YARN_HOME": work,
            "HADOOP_CONF_DIR": str(self.conf_dir),
        }

    def environment(self, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
        """What to add to a client's environment: `exports` and PATH with the shims first."""
        return {**self.exports(), "PATH": f"{self.layout.bin}:{inherited.get('PATH', os.defpath)}"}

    def running_nodes(self) -> list[RunningNode]:
        """The nodes as the ResourceManager shows them now; empty when it does not answer."""
        return running_nodes(self.resourcemanager_url) or []

    def daemons(self) -> dict[str, bool]:
        """Each daemon by name (nn, dn, rm, nm1, …), and whether it runs."""
        return {name: process.runs() for name, process in read_pids(self.layout).items()}

    def stop_node(self, name: str) -> None:
        """End a NodeManager by SIGTERM: it ends its containers and unregisters."""
        stop_process(read_pids(self.layout)[name], signal.SIGTERM)

    def kill_node(self, name: str) -> None:
        """End a NodeManager by SIGKILL: it is LOST after the expiry interval, and its containers run on meanwhile."""
        stop_process(read_pids(self.layout)[name], signal.SIGKILL)

    def kill(self, name: str) -> None:
        """End any daemon (nn, dn, rm, nm1, …) by SIGKILL; what it had in memory alone is lost."""
        stop_process(read_pids(self.layout)[name], signal.SIGKILL)

    def start(self, name: str) -> None:
        """Start a daemon that has ended, and wait until it serves.

        A ResourceManager finds its applications again; a NodeManager comes as a new one and knows no container of before.

        Raises:
            ClusterError: it ends at once, or does not serve in time, for instance since the ResourceManager is down.
        """
        before = served_at(self.description)
        daemon, process = start_daemon(name, self.description, self.layout)
        wait_until_back(daemon, process, before, self.description, self.layout)

    def pause(self, name: str) -> None:
        """Stop a daemon in its tracks (SIGSTOP), as a host that hangs or a network that is cut would."""
        read_pids(self.layout)[name].signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a paused daemon go on."""
        read_pids(self.layout)[name].signal(signal.SIGCONT)

    def down(self) -> None:
        """End all processes of the cluster.

        Raises:
            ClusterError: one does not end even by SIGKILL.
        """
        stop_cluster(self.layout, self.description.identity)


def cluster_in(work: Path) -> Cluster | None:
    """The cluster that is up in this directory, whole or in part; None when nothing of it runs.

    Raises:
        ConfigError: a path that Hadoop's configuration can't hold.
    """
    layout = Layout.of(work)
    description = load(layout)
    if description is None:
        return None
    runs = any(process.runs() for process in read_pids(layout).values()) or marked(f"{MARKER}={description.identity}")
    return Cluster(layout, description) if runs else None


def up(spec: ClusterSpec, work: Path) -> Cluster:
    """Bring a cluster up, or find the one that is up here if it was asked for in the same words.

    Raises:
        ConfigError: no such Hadoop version, or a directory that holds something else.
        ClusterError: the environment lacks something, or another cluster runs in this directory.
    """
    existing = cluster_in(work)
    if existing:
        return _same(existing, spec)
    layout = Layout.of(work)
    if layout.work.exists() and not layout.description.exists() and any(layout.work.iterdir()):
        raise ConfigError(
            [Problem("--work", f"{layout.work} holds something that is no mini cluster", "choose a new or an empty directory")]
        )
    cluster = Cluster(layout, prepare(spec, layout))
    try:
        wait_until_ready(start_daemons(cluster.description, layout), cluster.description, layout)
    except BaseException:
        cluster.down()
        raise
    return cluster


@contextmanager
def running_cluster(spec: ClusterSpec, work: Path) -> Iterator[Cluster]:
    """A cluster for the time of a `with` block; its logs stay in `work`.

    Raises:
        ConfigError, ClusterError: as `up`.
    """
    cluster = up(spec, work)
    try:
        yield cluster
    finally:
        cluster.down()


def _same(existing: Cluster, spec: ClusterSpec) -> Cluster:
    work = existing.layout.work
    ended = [name for name, runs in existing.daemons().items() if not runs]
    if ended or existing.description.spec != spec:
        why = f"its {', '.join(ended)} ended" if ended else "it was asked for in other words"
        raise ClusterError(
            f"a cluster is up in {work}, but {why}", f"run: python -m minicluster down --work {work}, or choose another --work"
        )
    logger.info("already up in %s", work)
    return existing

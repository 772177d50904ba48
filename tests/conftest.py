"""The clusters that tests run on: real Hadoop daemons, one of each version per session, started when a test first asks for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
from chromium import Tab, chromium

from minicluster.cluster import Cluster, running_cluster
from minicluster.errors import ClusterError
from minicluster.spec import ClusterSpec

# a busy machine is no reason to fail: what an example does is checked, not how long it took
hypothesis.settings.register_profile("no deadline", deadline=None, max_examples=int(os.environ.get("TREADLE_FUZZ_EXAMPLES", "100")))
hypothesis.settings.load_profile("no deadline")

# a shell that starts us in the background has us ignore SIGINT, and every program that a test starts and interrupts with us
signal.signal(signal.SIGINT, signal.default_int_handler)

_clusters = pytest.StashKey[dict[str, Cluster]]()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """Hadoop 3.5.0: two nodes with 2 GPUs and 3 example.com/rdma each, the second with 2 yarn.io/fpga besides."""
    spec = ClusterSpec("3.5.0", gpus=(2, 2), resources={"example.com/rdma": (3, 3), "yarn.io/fpga": (0, 2)})
    with _session_cluster("cluster", spec, tmp_path_factory, pytestconfig) as started:
        yield started


@pytest.fixture(scope="session")
def cluster_314(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """Hadoop 3.1.4: two nodes with 2 GPUs and 3 example.com/rdma each."""
    spec = ClusterSpec("3.1.4", gpus=(2, 2), resources={"example.com/rdma": (3, 3)})
    with _session_cluster("cluster_314", spec, tmp_path_factory, pytestconfig) as started:
        yield started


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """A headless Chromium."""
    with chromium(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@contextmanager
def _session_cluster(name: str, spec: ClusterSpec, directories: pytest.TempPathFactory, config: pytest.Config) -> Iterator[Cluster]:
    try:
        with running_cluster(spec, directories.mktemp(name)) as started:
            config.stash.setdefault(_clusters, {})[name] = started
            yield started
    except ClusterError as error:
        pytest.fail(f"no cluster for the tests: {error}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say where the daemons' and containers' logs are when a test on a cluster fails."""
    report = yield
    if report.failed:
        for name, started in item.config.stash.get(_clusters, {}).items():
            if name in getattr(item, "fixturenames", ()):
                report.sections.append((f"logs of {name}", _where_logs_are(started)))
    return report


def _where_logs_are(started: Cluster) -> str:
    layout = started.layout
    containers: list[Path] = [path for node in started.nodes for path in sorted(layout.container_logs(node.name).glob("*/*"))]
    return "\n".join([f"daemons: {layout.log}", *(f"container: {path}" for path in containers[-10:])])

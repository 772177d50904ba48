"""Nodes of real clusters that go, or on which TaskManagers fail: the cause in YARN's words, and what is asked for next where."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest
from submitting import running
from test_failures_on_yarn import application, master_of, numbers, pids_of, registered  # noqa: F401 - numbers is a fixture
from test_lost_master_on_yarn import node_back, node_of_master  # noqa: F401 - node_back is a fixture
from test_on_yarn import GPU, SMALL, wait_for

from drivers.discovery_script import SHIPPED_SCRIPT

pytestmark = pytest.mark.cluster

RDMA = ["--resource", "rdma=2:example.com/rdma"]
"""A node has three: of TaskManagers with two each there is one on each node."""


@contextmanager
def configured(cluster, values):
    """With these keys in the cluster's yarn-site.xml, which daemons that start read, and the ResourceManager at `-refreshNodes`."""
    site = cluster.conf_dir / "yarn-site.xml"
    before = site.read_text()
    added = "".join(f"<property><name>{key}</name><value>{value}</value></property>" for key, value in values.items())
    site.write_text(before.replace("</configuration>", f"{added}</configuration>"))
    try:
        yield
    finally:
        site.write_text(before)


def refresh_nodes(cluster):
    subprocess.run(["yarn", "rmadmin", "-refreshNodes"], env=os.environ | cluster.environment(), check=True, capture_output=True)


def failures(cluster, app):
    return [(each["kind"], each["cause"].partition(" (container")[0]) for each in application(cluster, app).get("failures", ())]


def test_what_became_of_a_node_is_the_cause(cluster, numbers, tmp_path, node_back):  # noqa: F811
    health, script, exclude = tmp_path / "health", tmp_path / "check", tmp_path / "exclude"
    health.write_text("")
    script.write_text(f"#!/bin/sh\ncat {health}\n")
    script.chmod(0o755)
    checker = "yarn.nodemanager.health-checker"
    keys = {f"{checker}.script.path": script, f"{checker}.interval-ms": 500, "yarn.resourcemanager.nodes.exclude-path": exclude}
    with running([*SMALL, "--taskmanagers", "2", *RDMA, *numbers], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: (application(cluster, app).get("jobs") or [{}])[0].get("progress"), "a job under way")
        node = next(node for node in cluster.nodes if node.name != node_of_master(cluster, app))

        def replaced(number):
            wait_for(lambda: f"tm-{number}" in {each["id"] for each in registered(cluster, app)}, f"TaskManager {number}")

        cluster.stop_node(node.name)
        with configured(cluster, keys):
            cluster.start(node.name)
            replaced(2)
            health.write_text("ERROR GPU 1 has fallen off the bus\n")
            wait_for(lambda: len(failures(cluster, app)) == 2, "the unhealthy node")
            health.write_text("")
            replaced(3)
            exclude.write_text(f"{node.address}\n")
            refresh_nodes(cluster)
            wait_for(lambda: len(failures(cluster, app)) == 3, "the decommissioned node")
            wait_for(lambda: not cluster.daemons()[node.name], "the end of its NodeManager")
            exclude.write_text("")
            refresh_nodes(cluster)
        cluster.start(node.name)
        replaced(4)
        assert failures(cluster, app) == [
            ("node lost", "ended before the job: its node was shut down"),
            ("node unhealthy", "ended before the job: its node became unhealthy: ERROR GPU 1 has fallen off the bus"),
            ("node decommissioned", "ended before the job: its node was decommissioned"),
        ]
        (tmp_path / "gate").touch()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert sorted(pq.read_table(tmp_path / "out")["n"].to_pylist()) == list(range(60))


def until(gate):
    return ["--", "sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.1; done"]


def test_a_node_whose_discovery_script_fails_twice_is_left_alone(cluster, tmp_path):
    """Another application leaves one GPU on each node free until the bad node is excluded."""
    bad, good = cluster.nodes
    script, gate, go = tmp_path / "discover.sh", tmp_path / "gate", tmp_path / "go"
    script.write_text(f'#!/bin/sh\n[ "$NM_HOST" = {bad.address} ] && echo "no driver here" >&2 && exit 1\nexec {SHIPPED_SCRIPT} "$@"\n')
    script.chmod(0o755)
    two = [*SMALL, "--taskmanagers", "2", *GPU]
    with running([*two, *RDMA, *until(gate)], cluster.environment(), tmp_path) as other:
        first = other.stdout.readline().strip()
        wait_for(lambda: len(registered(cluster, first)) == 2, "one GPU of each node in use")
        failing = [*two, "-D", f"external-resource.gpu.param.discovery-script.path={script}"]
        with running([*failing, *until(go)], cluster.environment(), tmp_path) as process:
            app = process.stdout.readline().strip()
            wait_for(lambda: application(cluster, app).get("excluded_nodes") == [bad.address], "the bad node excluded")
            assert [each["node"] for each in application(cluster, app)["failures"]] == [bad.address] * 2
            gate.touch()
            wait_for(
                lambda: [each["node"].partition(":")[0] for each in registered(cluster, app)] == [good.address] * 2, "both on the other"
            )
            go.touch()
            _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        other.communicate(timeout=60)
    assert other.returncode == 0


def test_a_master_that_was_paused_for_longer_than_the_time_out_loses_nobody(cluster, numbers, tmp_path):  # noqa: F811
    beats = ["-D", "heartbeat.interval=500 ms", "-D", "heartbeat.timeout=4 s"]
    with running([*SMALL, *beats, "--taskmanagers", "2", *GPU, *numbers], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: (application(cluster, app).get("jobs") or [{}])[0].get("progress"), "a job under way")
        master = pids_of(master_of(cluster, app), "yarn_am")
        for pid in master:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(8)  # that nothing is heard for longer than the time-out is what is tested
        for pid in master:
            os.kill(pid, signal.SIGCONT)
        wait_for(lambda: registered(cluster, app), "the master")
        (tmp_path / "gate").touch()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert "no sign of life" not in err
    assert sorted(pq.read_table(tmp_path / "out")["n"].to_pylist()) == list(range(60))
